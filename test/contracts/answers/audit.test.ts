// What is counted because no digest covers it, and what an audit reports where it had to stop, on a DynamoDB that gives small pages.
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { intentsOf, requestsOf } from '../../../shared/aws/audit-uncovered.ts';
import { awsApprovals } from '../../../shared/aws/dynamodb/approvals.ts';
import { awsTimeline } from '../../../shared/aws/dynamodb/timeline.ts';
import { awsAuditLog } from '../../../shared/aws/dynamodb/timeline-query.ts';
import { durationMs, type EpochMs, epochMs, iso, plus } from '../../../shared/time.ts';
import { digest } from '../../../shared/timeline/integrity.ts';
import { PAGES_MAX } from '../../../shared/timeline/query.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import { documents, run, withoutAws } from '../../cli/front-door/command-line.ts';
import { type DynamoEndpoint, PAGE_ITEMS, startDynamo } from '../../support/aws/dynamo.ts';
import { START } from '../../support/world.ts';
import { requestOf } from '../stores/records.ts';
import { intentOf, outcomeOf, putAll } from '../timeline.ts';

let dynamo: DynamoEndpoint;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo?.stop());

const { signal } = new AbortController();
const table = (name = 'timeline') => ({
  client: dynamo.clients.dynamo,
  table: name,
  signal,
  retentionDays: 30,
});
const later = (ms: number): EpochMs => plus(START, durationMs(ms));

describe('intents', () => {
  const failovers = (vip: string, ...epochs: readonly number[]) =>
    epochs.map((epoch) => outcomeOf(vip, epoch));

  it('are counted from the first to the last epoch that was verified, of each VIP, to the last page', async () => {
    const timeline = awsTimeline(table());
    for (let epoch = 1; epoch <= 12; epoch++)
      for (const vip of ['web', 'db', 'web0']) {
        await timeline.put(intentOf(vip, epoch));
        await timeline.put(outcomeOf(vip, epoch));
      }
    dynamo.settle();
    const of = (...given: readonly Failover[]) => intentsOf(table(), given);
    expect(await of(...failovers('web', 9, 3, 5), ...failovers('db', 12))).toEqual({
      count: 8,
      atLeast: false,
    });
    expect(await of()).toEqual({ count: 0, atLeast: false });
  });

  it('are at least so many where there are more pages than are read', async () => {
    const timeline = awsTimeline(table('long'));
    const epochs = (PAGES_MAX * PAGE_ITEMS) / 2 + 1;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      await timeline.put(intentOf('web', epoch));
      await timeline.put(outcomeOf('web', epoch));
    }
    await timeline.put(intentOf('db', 1));
    dynamo.settle();
    const counted = await intentsOf(table('long'), [...failovers('web', 1, epochs), ...failovers('db', 1)]);
    expect(counted).toEqual({ count: epochs, atLeast: true });
  });
});

describe('rejections that the version before has put into the index by day', () => {
  it('are found from any minute of their hour on, each once: there they stand under the hour’s beginning', async () => {
    const at = table('before');
    const hour = iso(START).slice(0, 13);
    const id = `${hour}/i-a/malformed`;
    const item = {
      ...{ vip: 'rejected/web', ofVip: 'web', id, entry: 'rejected', node: 'i-a', reason: 'malformed', hour },
      ...{ count: 2, message: 'm', example: 'e', atMs: later(60_000), expiresAtS: START / 1000 },
      ...{ day: hour.slice(0, 10), at: `${hour}:00:00.000Z ${id}` },
    };
    await at.client.send(new PutItemCommand({ TableName: at.table, Item: marshall(item) }));
    dynamo.settle();
    const log = awsAuditLog(at, async () => ['web']);
    const found = async (names: readonly string[], sinceMs: EpochMs) => {
      const asked = { kinds: ['rejected'], limit: 9, sinceMs, untilMs: later(3_600_000) } as const;
      const of = names.length === 0 ? awsAuditLog(at, async () => []) : log;
      return (await of.find(asked)).records.map(({ vip, atMs }) => [vip, atMs]);
    };
    const wanted = [['web', later(60_000)]];
    expect(await found([], later(0))).toEqual(wanted);
    expect(await found([], later(59_000)), 'by the index alone').toEqual(wanted);
    expect(await found(['web'], later(59_000)), 'by the index and by its VIP').toEqual(wanted);
  });
});

describe('requests for approval', () => {
  it('are counted from the window’s beginning on and before its end, of each VIP, to the last page', async () => {
    const approvals = awsApprovals(table());
    for (const ms of [-1, 0, 0, 1, 2, 2, 9, 10, 11])
      for (const vip of ['asks', 'asks-too', 'not-asked-about'])
        await approvals.ask(requestOf(vip, `${vip}-${ms}-${crypto.randomUUID()}`, { atMs: later(ms) }));
    dynamo.settle();
    const window = { sinceMs: later(0), untilMs: later(10) };
    const { requests, atLeast } = await requestsOf(table(), ['asks', 'asks-too', 'never'], window);
    expect([requests.length, atLeast]).toEqual([12, false]);
    expect(new Set(requests.map(({ vip }) => vip))).toEqual(new Set(['approval/asks', 'approval/asks-too']));
    expect(requests.every(({ id, atMs }) => id.endsWith('/request') && atMs >= later(0))).toBe(true);
  });
});

describe('audit verify, where there is more than can be read at once', () => {
  it('finds nothing wrong with records of the millisecond at which it stopped', async () => {
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const name = 'vipshift-dev-timeline';
    const timeline = awsTimeline(table(name));
    // Six to a millisecond: the last page that is read ends among equals.
    const all = Array.from({ length: PAGES_MAX * PAGE_ITEMS + 7 }, (_, n) =>
      outcomeOf('web', n + 1, { atMs: later(Math.floor(n / 6)) }),
    );
    await putAll(timeline, all);
    dynamo.settle();
    const folder = await mkdtemp(join(tmpdir(), 'vipshift-audit-'));
    try {
      const file = join(folder, 'lines.jsonl');
      await writeFile(
        file,
        all.map((one) => `${JSON.stringify({ ...one, digest: digest(one, sha256) })}\n`).join(''),
      );
      const env = {
        ...{ ...withoutAws(), AWS_ENDPOINT_URL: dynamo.url, AWS_REGION: 'eu-central-1' },
        ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
      };
      const period = ['--since', iso(START), '--until', iso(later(1000)), '--log-file', file];
      const ran = await run(['audit', 'verify', '--stage', 'dev', '--json', ...period], env);
      const [told, ...others] = documents(ran.stdout);
      expect(others, ran.stderr).toEqual([]);
      expect(told).toMatchObject({ verified: told!.lines });
      expect(told!.verified).toBeGreaterThan(PAGES_MAX);
      expect(told!.verified).toBeLessThan(all.length);
      expect(epochMs(Date.parse(String(told!.from)))).toBeGreaterThan(START);
      expect(ran.status).toBe(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
