// The largest of everything: one VIP with as many members, tables, addresses and EIPs as there can be, whose every call EC2 refuses
// with 2 KB. What is stored, sent and logged of it is printed next to its limit; and the table of limits in the docs is the code's.
import { readFileSync } from 'node:fs';
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { storedTransition } from '../shared/aws/dynamodb/vip-item.ts';
import { faultFromSdkError } from '../shared/aws/error-codes.ts';
import { withLog } from '../shared/aws/lambda/logged-timeline.ts';
import { PAGES_MAX } from '../shared/aws/pages.ts';
import * as bounded from '../shared/bounded.ts';
import { recordRejection } from '../shared/controller/reject-claim.ts';
import {
  CARRIED_MAX,
  callsOf,
  carriedPreflight,
  carriedSwitch,
  carriedVerdict,
} from '../shared/forced-failover/carried.ts';
import { preflight } from '../shared/forced-failover/preflight.ts';
import { report } from '../shared/forced-failover/report.ts';
import { memoryTimeline } from '../shared/memory/timeline.ts';
import { packed } from '../shared/network/packed-view.ts';
import { VIEW_AGE_MAX, viewOf } from '../shared/network/view-cache.ts';
import { localBucket } from '../shared/rate-limit/local-bucket.ts';
import { ADDRESSES_MAX, EIPS_MAX, POOL_TRIED_MAX } from '../shared/registry/validate.ts';
import { hours, plus } from '../shared/time.ts';
import { LISTED_MAX } from '../shared/timeline/fit.ts';
import { noticeOf } from '../shared/timeline/message.ts';
import { operatorAction } from '../shared/timeline/operator-action.ts';
import { DAYS_MAX } from '../shared/timeline/query.ts';
import { ITEM_MAX, itemBytes, jsonBytes, RECORD_MAX, utf8Bytes } from '../shared/timeline/size.ts';
import { EXAMPLE_MAX } from '../shared/timeline/timeline.ts';
import { FLAPS_STORED_MAX } from '../shared/vip/flapping.ts';
import { MEMBERS_MAX } from '../shared/vip/member.ts';
import type { Vip } from '../shared/vip/vip.ts';
import {
  addTable,
  change,
  finish,
  item,
  outcomesOf,
  reconciles,
  START,
  says,
  type World,
  world,
} from './support/world.ts';

/** EC2's quota of route tables in a VPC. */
const TABLES = 200;
/** EventBridge, SNS, Step Functions and CloudWatch Logs. */
const KB_256 = 262_144;
/** What CloudWatch Logs counts for each event. */
const EVENT_OVERHEAD = 26;
/** As Step Functions has it of a state that threw. */
const thrown = { Error: 'States.TaskFailed', Cause: 'c'.repeat(32_768) };

const many = <T>(count: number, one: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => one(n));
const hex = (n: number): string => n.toString(16).padStart(17, '0');
const addresses = many(
  ADDRESSES_MAX,
  (n) => `fd77:7669:7073:7669:7073:7669:7073:${(0x7a10 + n).toString(16)}/128`,
);
const eips = many(EIPS_MAX, (n) => `eipalloc-${hex(n)}`);
const nodes = many(MEMBERS_MAX, (n) => `i-${hex(n)}`);
const GONE = `eni-${hex(255)}`;
const words = { by: 'b'.repeat(bounded.REASON_MAX), reason: 'r'.repeat(bounded.REASON_MAX) };

/** As EC2 refuses, with 2 KB that are encoded. */
function refusal(): Error {
  const text = `You are not authorized to perform this operation. ${'Because of a policy. '.repeat(20)}`;
  const encoded = `Encoded authorization failure message: ${'aZ09-_'.repeat(340)}`;
  return Object.assign(new Error(`${text}${encoded}`), {
    name: 'UnauthorizedOperation',
    $metadata: { httpStatusCode: 403 },
  });
}

/** The VIP is at a stranger of its own past, and every node has spoken. */
async function largest(): Promise<World> {
  const w = world(nodes);
  for (const n of [1, 2, 3, 4]) w.ec2.tables.delete(`rtb-${n}`);
  const route = { target: GONE, state: 'blackhole' as const, propagated: false };
  for (const table of many(TABLES, (n) => `rtb-${hex(n)}`)) {
    addTable(w.ec2, table, 'web');
    const routes = Object.fromEntries(addresses.map((address) => [address, route]));
    w.ec2.tables.set(table, { ...w.ec2.tables.get(table)!, routes });
  }
  w.ec2.eips.clear();
  for (const [n, eip] of eips.entries())
    w.ec2.eips.set(eip, { eip, publicAddress: `203.0.113.${100 + n}`, label: 'web' });
  for (const [n, node] of nodes.entries()) {
    const eni = w.ec2.enis.get(`eni-${node}-eip`)!;
    w.ec2.enis.set(eni.eni, { ...eni, privateAddresses: many(50, (a) => `10.${100 + n}.100.${100 + a}`) });
    const service = w.ec2.enis.get(`eni-${node}-service`)!;
    w.ec2.enis.set(service.eni, { ...service, sourceDestCheck: true });
  }
  change(w, { addresses, eips });
  for (const node of nodes.slice(1)) await says(w, node, { state: 'BACKUP' });
  const apply: World['ec2']['apply'] = (step) =>
    Promise.reject(faultFromSdkError(refusal(), `${step.call} ${step.cell}`));
  const plenty = { burst: 10_000, perSecond: 10_000 };
  const all = { ReplaceRoute: plenty, CreateRoute: plenty, AssociateAddress: plenty };
  const bucket = localBucket({ ...all, ModifyNetworkInterfaceAttribute: plenty });
  return { ...w, ports: { ...w.ports, ec2: { ...w.ec2, apply }, localBucket: bucket } };
}

const figures: string[] = [];
function fits(what: string, bytes: number, limit: number): void {
  figures.push(`${what.padEnd(34)} ${String(bytes).padStart(8)} of ${limit} bytes`);
  expect(bytes, what).toBeLessThanOrEqual(limit);
}

describe('the largest VIP, whose every call is refused', () => {
  let w: World;
  beforeAll(async () => {
    w = await largest();
    await says(w, nodes[0]!);
  });
  const record = () => outcomesOf(w)[0]!;

  it('has one outcome and one intent of all its cells, and both fit the record', () => {
    const cells = TABLES * ADDRESSES_MAX + EIPS_MAX + MEMBERS_MAX;
    const { steps, omitted, outcome } = record();
    expect(outcome).toBe('failed');
    expect(steps.length + omitted!.steps!.reduce((all, { count }) => all + count, 0)).toBe(cells);
    const intent = w.timeline.entries.find((e) => e.entry === 'intent')!;
    fits('outcome', itemBytes(record()), RECORD_MAX);
    fits('intent', itemBytes(intent), RECORD_MAX);
  });

  it('has a message and a log line that fit', async () => {
    fits('notice', utf8Bytes(noticeOf(record(), { stage: 'prod' }).text), KB_256);
    fits('event on the bus', jsonBytes({ ...noticeOf(record(), { stage: 'prod' }), vip: 'web' }), KB_256);
    vi.stubEnv('POWERTOOLS_DEV', 'true');
    const lines: string[] = [];
    for (const how of ['log', 'info', 'warn', 'error'] as const)
      vi.spyOn(console, how).mockImplementation(
        (line) => void lines.push(JSON.stringify(JSON.parse(String(line)))),
      );
    const metrics = new Metrics({ namespace: 'vipshift/prod', serviceName: 'vipshift' });
    const telemetry = {
      logger: new Logger({ serviceName: 'vipshift', logLevel: 'INFO' }),
      metrics,
      byVip: false,
    };
    await withLog(memoryTimeline(), telemetry).put(record());
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    expect(lines.filter((line) => line.includes('"digest"'))).toHaveLength(1);
    fits('log line', Math.max(...lines.map(utf8Bytes)) + EVENT_OVERHEAD, KB_256);
  });

  it('has an item that fits with every override, a lease, sixteen epochs left open and nodes that all flap', () => {
    const since = 86_400_000_000 * 365 * 10;
    const flaps = many(FLAPS_STORED_MAX, (n) => ({ boot: '5f2c9d1e', since: since + n, atMs: START }));
    const cause = {
      kind: 'claim',
      node: nodes[0]!,
      seq: 1,
      id: 'e',
      why: 'w'.repeat(1000),
      atMs: START,
    } as const;
    const until = { ...words, untilMs: plus(START, hours(1)) };
    const whole: Vip = {
      ...item(w),
      pin: { ...until, node: nodes[0]! },
      freeze: until,
      // Every node leaves, is at risk, has reported by both ways, and is drained for maintenance that an operator had declined.
      claims: Object.fromEntries(
        Object.entries(item(w).claims).map(([node, is]) => [
          node,
          {
            ...is,
            ...{ affSeq: since, affHiMs: START, affAtMs: START },
            ...({ ways: 'both', leaving: 'l'.repeat(64), atRisk: true } as const),
          },
        ]),
      ),
      drains: Object.fromEntries(
        nodes.map((node) => [node, { ...until, departure: 'x'.repeat(80), startsAtMs: START }]),
      ),
      declined: Object.fromEntries(
        nodes.map((node) => [node, { startsAtMs: START, againMs: START, untilMs: START }]),
      ),
      strandedTold: Object.fromEntries(
        nodes.map((node) => [node, { cause: 'l'.repeat(64), by: 'n'.repeat(36), key: 'not-taken' as const }]),
      ),
      unannounced: { as: 'failed', detail: JSON.stringify(noticeOf(record(), { stage: 'prod' })) },
      forced: { ...until, execution: 'x'.repeat(80), node: nodes[0]!, from: nodes[1]!, atMs: START },
      wrote: Object.values(item(w).members).flatMap(({ eni, eipEni }) => [eni, eipEni!]),
      lease: { holder: 'h'.repeat(36), epoch: 17, expiresAtMs: START, cause },
      open: Object.fromEntries(many(16, (n) => [`holder-${hex(n)}`, { epoch: n + 1, cause }])),
      transitions: Object.fromEntries(nodes.map((node) => [node, flaps])),
    };
    fits(
      'flaps of a node',
      flaps
        .map(storedTransition)
        .map(utf8Bytes)
        .reduce((a, b) => a + b),
      1024,
    );
    fits('VIP item', itemBytes(whole), ITEM_MAX);
  });

  it('has a view that fits, so that a failover has something to plan from when the describes fail', async () => {
    await finish(w, reconciles(w));
    const view = w.vips.views.get('web')!;
    expect(view.tables.flatMap(({ routes }) => Object.keys(routes))).toHaveLength(TABLES * ADDRESSES_MAX);
    fits(
      'stored view',
      jsonBytes(packed(view)) + jsonBytes({ vip: 'view/web', id: 'latest', entry: 'view' }),
      ITEM_MAX,
    );
    expect(jsonBytes(viewOf(item(w), await w.ec2.observe(item(w))))).toBe(jsonBytes(view));
  });

  it('has rejections that fit, whatever comes', async () => {
    const long = { reason: 'malformed', message: 'm'.repeat(9000), vip: 'web', node: nodes[0]! } as const;
    await recordRejection(w.ports, long, { detail: 'x'.repeat(200_000) });
    fits('rejection', itemBytes(w.timeline.rejections.at(-1)!), 4096);
  });

  it('has a workflow whose data fit in every state, four of which threw', async () => {
    const seen = await w.ec2.observe(item(w));
    const order = {
      ...{ vip: 'web', to: nodes[1]!, mode: 'via-keepalived' as const, ...words },
      ...{ dryRun: false, approval: true, pinMinutes: 0, claimWaitSeconds: 30 },
    } as const;
    const found = carriedPreflight(preflight(item(w), seen, order, { now: w.clock.now() }));
    expect(callsOf(found)).toBe(TABLES * ADDRESSES_MAX + EIPS_MAX + MEMBERS_MAX);
    const cells = seen.tables.flatMap(({ table }) =>
      addresses.map((address) => `${table} ${address}: it is a stranger’s`),
    );
    const failed = carriedSwitch(
      { outcome: 'failed', why: record().notes.join('; '), failover: record() },
      { stage: 'prod' },
    );
    const back = carriedSwitch(
      { outcome: 'switched', owner: 'i-b', epoch: 8, unmet: cells, failover: record() },
      { stage: 'prod' },
    );
    const story = {
      preflight: { ...found, order },
      decision: { approved: true, ...words },
      begun: { outcome: 'refused', reasons: [words.reason] },
      awaited: { outcome: 'missing', why: words.reason },
      ...{ switched: failed, switchedBack: back },
      verified: carriedVerdict({ outcome: 'wrong', wrong: cells, conflicts: cells }),
      ...{ error: thrown, restoreError: thrown, switchBackError: thrown, reportError: thrown },
      end: { outcome: 'failed' },
    } as const;
    const told = report({ story: story as never, stage: 'prod', execution: 'x'.repeat(80) });
    fits('workflow data', jsonBytes({ ...story, report: told }), KB_256);
    fits('report', utf8Bytes(told.text), KB_256);
    fits('cause of the workflow’s end', utf8Bytes(told.cause), 32_768);
    const { plan } = found;
    const asked = {
      vip: 'web',
      execution: 'x'.repeat(80),
      token: 't'.repeat(2048),
      order,
      plan,
      calls: callsOf(found),
    };
    fits('request for approval', itemBytes(asked), ITEM_MAX);
  });

  it('has operator actions that fit', () => {
    const { name, tableLabels, nodeLabels, vpc, account, hold } = item(w);
    const entry = { name, tableLabels, nodeLabels, vpc, account, hold, addresses, eips };
    const said = {
      vip: 'web',
      order: 'set',
      atMs: START,
      ...words,
      before: entry,
      after: entry,
      why: 'w'.repeat(9000),
    } as const;
    fits('operator action', itemBytes(operatorAction(said, 'n'.repeat(36))), ITEM_MAX);
    console.info(['the largest there can be:', ...figures].join('\n'));
  });
});

describe('the table of limits in docs/reference/limits.md', () => {
  const rows = readFileSync(new URL('../docs/reference/limits.md', import.meta.url), 'utf8').matchAll(
    /^\| `([A-Z_]+)` \| ([\d,]+)( h)? \|/gm,
  );
  const documented = [...rows].map(([, name, value]) => [name!, Number(value!.replaceAll(',', ''))] as const);

  it('is the code’s', () => {
    const { MESSAGE_MAX, NAMED_MAX, REASON_MAX, SENTENCE_MAX } = bounded;
    const code = {
      ...{ MEMBERS_MAX, ADDRESSES_MAX, EIPS_MAX, REASON_MAX, MESSAGE_MAX, SENTENCE_MAX, EXAMPLE_MAX },
      ...{ NAMED_MAX, LISTED_MAX, CARRIED_MAX, RECORD_MAX, ITEM_MAX, POOL_TRIED_MAX, DAYS_MAX, PAGES_MAX },
      FLAPS_STORED_MAX,
      VIEW_AGE_MAX: VIEW_AGE_MAX / hours(1),
    };
    expect(Object.fromEntries(documented)).toEqual(code);
    expect(documented, 'each once').toHaveLength(Object.keys(code).length);
  });
});
