// Where a large failover is told outside the record: log, bus, message and workflow. Each has its limit, and none may be missed.

import { createHash } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { awsPublisher } from '../../../shared/aws/events/publisher.ts';
import { withLog } from '../../../shared/aws/lambda/logged-timeline.ts';
import { logReconcileAll, type Telemetry } from '../../../shared/aws/lambda/telemetry.ts';
import { lineFrom } from '../../../shared/aws/logs/digest-lines.ts';
import type { ReconcileResult } from '../../../shared/controller/assess.ts';
import { Fault } from '../../../shared/fault.ts';
import {
  callsOf,
  carriedPreflight,
  carriedSwitch,
  carriedVerdict,
} from '../../../shared/forced-failover/carried.ts';
import type { FailoverOrder, SwitchResult } from '../../../shared/forced-failover/order.ts';
import type { Preflight } from '../../../shared/forced-failover/preflight.ts';
import { report } from '../../../shared/forced-failover/report.ts';
import { memoryTimeline } from '../../../shared/memory/timeline.ts';
import type { StepDone } from '../../../shared/network/step.ts';
import { foldFaults } from '../../../shared/timeline/fold-faults.ts';
import { digest } from '../../../shared/timeline/integrity.ts';
import { noticeOf } from '../../../shared/timeline/message.ts';
import { itemBytes, jsonBytes, RECORD_MAX, utf8Bytes } from '../../../shared/timeline/size.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import { change, item, owned, reconciles, routeTo, START } from '../../support/world.ts';

/** CloudWatch Logs and EventBridge take this, and so does SNS; the log counts 26 more for each event. */
const KB_256 = 262_144;
const EVENT_OVERHEAD = 26;

const many = <T>(count: number, one: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => one(n));
const hex = (n: number): string => n.toString(16).padStart(17, '0');
/** As many cells as there can be: 200 tables, 16 addresses. */
const CELLS = 3200;
const v6 = (n: number): string => `fd77:7669:7073:7669:7073:7669:7073:${(n % 16).toString(16)}a10/128`;
const cellOf = (n: number): string => `rtb-${hex(n >> 4)} ${v6(n)}`;
const step = (n: number, over: Partial<StepDone> = {}): StepDone => ({
  ...{ cell: cellOf(n), call: 'ReplaceRoute', from: `eni-${hex(1)}`, to: `eni-${hex(2)}`, result: 'done' },
  ...{ attempts: 1, unanswered: 0, sentAtMs: START, doneAtMs: START },
  ...over,
});
const message = 'You are not authorized to perform this operation. '.repeat(6);
const denied = (n: number) => step(n, { result: 'failed', code: 'UnauthorizedOperation', message });
const foreign = (n: number) => ({
  ...{ cell: cellOf(n), found: `tgw-${hex(n)}`, kind: 'foreign' as const },
  why: 'the route leads to a target that is none of this VIP, and it is active',
});
const failover = (over: Partial<Failover>): Failover => ({
  ...{ entry: 'outcome', vip: 'web', epoch: 7, holder: 'me', outcome: 'failed', from: 'i-b', to: 'i-a' },
  ...{ why: 'newest MASTER is i-a', steps: [], conflicts: [], stages: [], verified: false, notes: [] },
  ...{ cause: { kind: 'claim', node: 'i-a', why: 'i-a said MASTER', atMs: START } },
  ...{ claims: {}, splitBrain: [], atMs: START },
  ...over,
});

const folded = foldFaults(many(CELLS, denied));
/** What can be large, each as large as it gets. */
const large: readonly (readonly [string, Failover])[] = [
  ['1,000 cells done', failover({ outcome: 'switched', steps: many(1000, (n) => step(n)) })],
  ['1,000 cells refused', failover(foldFaults(many(1000, denied)))],
  ['3,200 cells refused', failover(folded)],
  ['3,200 cells left alone', failover({ conflicts: many(CELLS, foreign) })],
  ['3,200 cells found by the next holder', failover({ outcome: 'abandoned', notes: many(CELLS, cellOf) })],
];

const lines: string[] = [];
/** The logger indents its lines for developers only. */
const deployed = (line: string): string => (line.startsWith('{') ? JSON.stringify(JSON.parse(line)) : line);
function journal(): Telemetry {
  lines.length = 0;
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  for (const how of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, how).mockImplementation((line) => void lines.push(deployed(String(line))));
  return {
    logger: new Logger({ serviceName: 'vipshift', logLevel: 'INFO' }),
    metrics: new Metrics({ namespace: 'vipshift/prod', serviceName: 'vipshift' }),
    byVip: false,
  };
}
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const longestLine = (): number => Math.max(...lines.map(utf8Bytes)) + EVENT_OVERHEAD;

describe('the log line of a record', () => {
  it.each(large)('of %s is one event, and proves the record as it stands', async (what, whole) => {
    const stands = await withLog(memoryTimeline(), journal())
      .put(whole)
      .catch(() => undefined);
    const bytes = longestLine();
    vi.restoreAllMocks();
    console.info(`${what}: item ${itemBytes(whole)} B, log line ${bytes} B`);
    expect(bytes).toBeLessThanOrEqual(KB_256);
    if (itemBytes(whole) > RECORD_MAX) expect(stands).toBeUndefined();
    else {
      const proofs = lines.flatMap((line) => lineFrom(line, START) ?? []);
      expect(proofs.map((p) => p.digest)).toEqual([digest(whole, sha256)]);
      const told = JSON.parse(lines.find((line) => line.includes('"digest"'))!) as Failover;
      const steps = told.steps.length + (told.omitted?.steps ?? []).reduce((all, s) => all + s.count, 0);
      expect(steps).toBe(whole.steps.length);
    }
  });

  it('of what could not be withLog fits, too, with the error and its cause', async () => {
    const cause = new Error('x'.repeat(3000));
    const put = () => Promise.reject(new Fault('unknown', 'Timeout', 'no reply', cause));
    const broken = { ...memoryTimeline(), put };
    await expect(withLog(broken, journal()).put(failover(folded))).rejects.toThrow('no reply');
    expect(longestLine()).toBeLessThanOrEqual(KB_256);
  });
});

it('the line of a sweep names the first fifty of what differs, and the number of the others', () => {
  const drift = many(
    CELLS,
    (n) => ({ ...step(n), eni: 'eni-1', table: 'rtb-1', destination: v6(n) }) as never,
  );
  const conflicts = many(CELLS, foreign);
  const trouble = conflicts.map((c) => `left alone: ${c.cell} (${c.found}): ${c.why}`);
  const why = { vip: 'web', did: 'nothing', why: 'drift', strays: [], splitBrain: [], flapping: [] } as const;
  const large: ReconcileResult = { ...why, drift, conflicts, trouble };
  logReconcileAll(journal(), { reports: [large], failures: [], left: [] });
  const line = lines.find((l) => l.includes('"reconcile"'))!;
  expect(longestLine()).toBeLessThanOrEqual(KB_256);
  const told = JSON.parse(line) as ReconcileResult;
  expect([told.drift, told.conflicts, told.trouble].map((list) => list.length)).toEqual([50, 50, 50]);
  expect(told).toMatchObject({ omitted: { drift: 3150, conflicts: 3150, trouble: 3150 } });
});

describe('the announcement on the bus, which is the message to people, too', () => {
  const worst = failover({
    ...folded,
    conflicts: many(CELLS, foreign),
    notes: many(CELLS, () => '→"\\'.repeat(900)),
  });

  it('fits the bus', async () => {
    const sent: PutEventsCommand[] = [];
    const send = (command: PutEventsCommand) => {
      sent.push(command);
      return Promise.resolve({ Entries: [{}] });
    };
    const client = { send } as unknown as EventBridgeClient;
    const signal = new AbortController().signal;
    await awsPublisher({ client, bus: 'vipshift-prod', place: { stage: 'prod' }, signal }).failed!(worst);
    const [entry] = sent[0]!.input.Entries!;
    const bytes = utf8Bytes(`${entry!.Source}${entry!.DetailType}${entry!.Detail}`) + 14;
    console.info(
      `worst detail on the bus ${bytes} B, text ${utf8Bytes(noticeOf(worst, { stage: 'prod' }).text)} B`,
    );
    expect(bytes).toBeLessThanOrEqual(KB_256);
  });

  it('names the reason with its number, the first twenty things, and how many more there are', () => {
    const text = noticeOf(failover({ ...folded, conflicts: many(30, foreign) }), {
      stage: 'prod',
    }).text.split('\n');
    expect(text).toContain(
      'Outcome: failed, epoch 7; 0 of 3200 EC2 calls carried out; not confirmed by reading back; the next reconcile looks again',
    );
    expect(text.filter((line) => line.startsWith('Left alone: '))).toHaveLength(20);
    expect(text).toContain('… and 10 more left alone');
    expect(text.find((line) => line.startsWith('Note: '))).toMatch(
      /^Note: 3200 × UnauthorizedOperation; the first: /,
    );
  });
});

describe('what the workflow carries', () => {
  const order: FailoverOrder = {
    ...{ vip: 'web', to: 'i-a', mode: 'via-keepalived', reason: 'r'.repeat(500), by: 'b'.repeat(500) },
    ...{ dryRun: false, approval: true, pinMinutes: 0, claimWaitSeconds: 30 },
  };
  const plan = many(
    CELLS,
    (n) => ({ call: 'ReplaceRoute', cell: cellOf(n), from: `eni-${hex(1)}`, eni: `eni-${hex(2)}` }) as const,
  );
  const conflicts = many(CELLS, foreign);
  const found: Preflight = {
    ...{ outcome: 'fit', reasons: many(200, () => message), plan, conflicts, atLeastMs: 640_000 },
    before: { owner: 'i-b', priority: 200 },
  };
  const wrong = conflicts.map((c) => `${c.cell} → ${c.found}`);
  const why = ['outcome failed', ...many(CELLS, cellOf)].join('; ');
  const failed: SwitchResult = {
    outcome: 'failed',
    why,
    owner: 'i-b',
    failover: failover({ ...folded, conflicts }),
  };

  const inPart: SwitchResult = {
    ...{ outcome: 'switched', owner: 'i-b', epoch: 8, unmet: conflicts.map((c) => `${c.cell}: ${c.why}`) },
    failover: failover({ ...folded, conflicts }),
  };

  /** Step Functions takes no longer cause. */
  const thrown = { Error: 'States.TaskFailed', Cause: 'c'.repeat(32_768) };

  it('fits its 256 KB with everything at its worst, the report included, whose cause fits 32 KB', () => {
    const history = {
      preflight: { ...carriedPreflight(found), order },
      verified: carriedVerdict({ outcome: 'wrong', wrong, conflicts: wrong }),
      switched: carriedSwitch(failed, { stage: 'prod' }),
      switchedBack: carriedSwitch(inPart, { stage: 'prod' }),
      decision: { approved: true, by: 'b'.repeat(500), reason: 'r'.repeat(500) },
      ...{ error: thrown, restoreError: thrown, switchBackError: thrown, reportError: thrown },
      end: { outcome: 'failed' },
    } as const;
    const told = report({ story: history, stage: 'prod', execution: 'e-1' });
    const bytes = jsonBytes({ ...history, report: told });
    console.info(
      `workflow data at its worst ${bytes} B, cause ${told.cause.length} characters, text ${utf8Bytes(told.text)} B`,
    );
    expect(bytes).toBeLessThanOrEqual(KB_256);
    expect(told.cause.length).toBeLessThanOrEqual(32_768);
    expect(told.cause).toMatch(/ and \d+ more$/);
  });

  it('says how many calls there are beyond those that it carries; a small plan it leaves as it is', () => {
    const carried = carriedPreflight(found);
    expect([carried.plan.length, callsOf(carried), carried.left]).toEqual([
      50,
      3200,
      { plan: 3150, conflicts: 3150, reasons: 150 },
    ]);
    const small = { ...found, plan: plan.slice(0, 50), conflicts: [], reasons: [] };
    expect(carriedPreflight(small)).toEqual(small);
    expect(callsOf(small)).toBe(50);
  });
});

it('the report counts also the cells that the workflow does not carry', () => {
  const cells = many(CELLS, cellOf);
  const story = {
    verified: carriedVerdict({ outcome: 'wrong', wrong: cells, conflicts: cells }),
    switchedBack: carriedSwitch(
      { outcome: 'switched', owner: 'i-b', epoch: 8, unmet: cells },
      { stage: 'prod' },
    ),
    end: { outcome: 'failed' },
  } as const;
  const { text, cause } = report({ story, stage: 'prod', execution: 'e-1' });
  expect(cause).toMatch(/^EC2 does not show it: .* and 3180 more$/);
  expect(text).toMatch(/^Switched back: only in part: .* and 3180 more; reconcile goes on trying$/m);
  expect(text).toMatch(/^… and 3180 more left alone$/m);
});

it('a cause names the first cells that drifted: it stands in the item twice for each open epoch', async () => {
  const w = await owned();
  change(w, { addresses: many(60, (n) => `192.168.255.${n + 1}/32`) });
  for (const table of ['rtb-1', 'rtb-2', 'rtb-3', 'rtb-4'])
    for (const address of item(w).addresses) routeTo(w, table, address, { target: 'eni-i-b-service' });
  const { why } = await reconciles(w);
  expect(why).toMatch(/^drift at rtb-1 192\.168\.255\.1\/32, .* and 220 more$/);
  expect(utf8Bytes(why)).toBeLessThan(1000);
});
