// The largest of what a node's end brings: its claims by either way, the workflow that empties it of a hundred VIPs, and the
// messages about it. limits.test.ts does the same for a VIP.
import { afterAll, describe, expect, it } from 'vitest';
import { parseClaimEvent } from '../../shared/aws/events/claim-event.ts';
import { BODY_MAX, parseDirectCall } from '../../shared/aws/events/direct-call.ts';
import { flappingDetail, leavingDetail } from '../../shared/aws/events/publisher.ts';
import { REASON_MAX } from '../../shared/bounded.ts';
import { recordRejection } from '../../shared/controller/reject-claim.ts';
import { leaveNode, type Round, reportDeparture, type StepInput } from '../../shared/departure/leave.ts';
import { type DepartureInput, type DeparturePorts, onWarnings } from '../../shared/departure/warned.ts';
import { Fault } from '../../shared/fault.ts';
import { epochMs, iso, minutes, plus } from '../../shared/time.ts';
import { flappingNotice, leavingNotice } from '../../shared/timeline/message.ts';
import { operatorAction } from '../../shared/timeline/operator-action.ts';
import { itemBytes, jsonBytes, RECORD_MAX, utf8Bytes } from '../../shared/timeline/size.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import { type Json, master } from '../support/event.ts';
import { item, START, says, type World, world } from '../support/world.ts';

/** EventBridge, SNS and Step Functions. */
const KB_256 = 262_144;
/** Step Functions' for the name of an execution. */
const EXECUTION_NAME_MAX = 80;
const VIPS = 100;
const NODE = 'i-0123456789abcdef0';
const place = { stage: 's'.repeat(32), region: 'ap-southeast-2' };
const nameOf = (n: number): string => `v${n}-`.padEnd(64, 'x');

const figures: string[] = [];
function fits(what: string, bytes: number, limit: number): void {
  figures.push(`${what.padEnd(34)} ${String(bytes).padStart(8)} of ${limit} bytes`);
  expect(bytes, what).toBeLessThanOrEqual(limit);
}
afterAll(() => console.info(['the largest of what a node’s end brings:', ...figures].join('\n')));

describe('a claim of all that the contract lets a node say', () => {
  /** Each character takes six bytes in JSON. */
  const long = (max: number): string => '\u0001'.repeat(max);
  const detail: Json = {
    ...master.detail,
    ...{ vip: nameOf(1), node: NODE, instance: long(255), bootId: long(64), shim: long(64) },
    ...{ leaving: long(64), atRisk: true, version: 2 },
  };
  const caller = { accountId: '111122223333', userId: `AROA:${NODE}` };
  const userArn = `arn:aws:sts::111122223333:assumed-role/vipshift-node/${NODE}`;
  const call = (over: Json): Json => ({
    requestContext: {
      ...{ requestId: 'r'.repeat(128), timeEpoch: START, http: { method: 'POST' } },
      authorizer: { iam: { ...caller, userArn } },
    },
    body: JSON.stringify(detail),
    ...over,
  });

  it('is taken by both ways', () => {
    fits('claim', jsonBytes(detail), BODY_MAX);
    expect(parseDirectCall(call({}))).toMatchObject({ ok: true });
    expect(parseClaimEvent({ ...master, detail })).toMatchObject({ ok: true });
  });

  it('leaves a rejection that fits, also where the caller’s name is as long as can be', async () => {
    const arn = `arn:aws:iam::111122223333:user/${'u'.repeat(2000)}`;
    const stranger = { authorizer: { iam: { ...caller, userArn: arn } } };
    const event = call({ requestContext: { ...(call({}).requestContext as Json), ...stranger } });
    const parsed = parseDirectCall(event);
    if (parsed.ok) throw new Error('taken');
    const w = world();
    await recordRejection(w.ports, { ...parsed.rejection, vip: parsed.vip, node: parsed.node }, event);
    fits('rejection of a direct call', itemBytes(w.timeline.rejections.at(-1)!), 4096);
  });
});

describe('the departure of a node with a hundred VIPs', () => {
  type Ports = DeparturePorts & World['ports'];
  const execution = 'x'.repeat(EXECUTION_NAME_MAX - 12);
  const input: DepartureInput = {
    ...{ node: NODE, by: 'aws.health', why: 'w'.repeat(1000), dueAt: iso(START) },
    untilMs: plus(START, minutes(15)),
  };
  const step = (left?: Round): StepInput => ({
    ...{ execution, stage: place.stage },
    story: { input, ...(left && { left }) },
  });

  async function emptied(each: Partial<Vip>): Promise<Ports> {
    const w = world([NODE, 'i-0123456789abcdef1'], { owner: NODE, ...each });
    await says(w, NODE);
    await says(w, 'i-0123456789abcdef1', { state: 'BACKUP' });
    const { lease: _lease, ...one } = item(w);
    w.vips.items.clear();
    for (let n = 0; n < VIPS; n++) w.vips.items.set(nameOf(n), { ...one, name: nameOf(n) });
    return { ...w.ports, region: place.region, orders: { put: () => Promise.resolve() } };
  }
  const isWhole = (round: Round) =>
    fits(`workflow data, ${round.outcome}`, jsonBytes(step(round).story), KB_256);

  it('has data that fit where keepalived has to move every one of them first', async () => {
    const ports = await emptied({ hold: 'master' });
    const round = await leaveNode(ports, step());
    expect(round.demotions).toHaveLength(VIPS);
    for (const { name } of round.demotions) expect(name.length).toBeLessThanOrEqual(EXECUTION_NAME_MAX);
    isWhole(round);
  });

  it('has data, a message and a report that fit where no one of them can move', async () => {
    const order = {
      untilMs: plus(START, minutes(60)),
      by: 'b'.repeat(REASON_MAX),
      reason: 'r'.repeat(REASON_MAX),
    };
    const ports = await emptied({ hold: 'both', freeze: order });
    const round = await leaveNode(ports, step());
    fits('message of those that stay', utf8Bytes(round.alarm!.text), KB_256);
    isWhole(round);
    const told = reportDeparture(step(round), place.region);
    fits('report of a departure', utf8Bytes(told.text), KB_256);
    fits('cause of its end', utf8Bytes(told.cause), 32_768);
  });

  it('has data that fit where none of them can be read', async () => {
    const ports = await emptied({});
    const read = () => Promise.reject(new Fault('throttled', 'Throttling', 'm'.repeat(2000)));
    const round = await leaveNode({ ...ports, vips: { ...ports.vips, read } }, step());
    expect(round.faults!.length).toBeLessThan(VIPS);
    isWhole(round);
    fits('report of a departure, unread', utf8Bytes(reportDeparture(step(round)).text), KB_256);
  });

  it('has a record of its drain, and of advice, that fit', async () => {
    const put: unknown[] = [];
    const ports = await emptied({});
    const orders = { put: async (order: unknown) => void put.push(order) };
    const { node, by, why, untilMs } = input;
    const words = {
      vip: nameOf(1),
      order: 'drain',
      node,
      by,
      reason: why,
      untilMs: epochMs(untilMs),
      atMs: START,
    } as const;
    fits('record of a drain', itemBytes(operatorAction(words, execution)), RECORD_MAX);
    const advice = { kind: 'rebalance', node, atMs: START, id: 'e'.repeat(128) } as const;
    await onWarnings({ ...ports, orders }, 'aws.ec2', [advice as never]);
    fits('record of advice', Math.max(...put.map((one) => itemBytes(one as object))), RECORD_MAX);
  });
});

describe('the messages about one node', () => {
  const vip = nameOf(1);
  const event = (detail: object, notice: object): number => jsonBytes({ ...detail, notice });

  it('fits when it leaves with the VIP', () => {
    const stranded = { key: 'last', node: NODE, cause: '\u0001'.repeat(64) } as const;
    fits(
      'event of a leaving',
      event(leavingDetail(vip, stranded), leavingNotice(vip, stranded, place)),
      KB_256,
    );
  });

  it('fits when it flaps', () => {
    const flapping = { node: NODE, sinceMs: START, untilMs: START, transitions: 24 };
    fits(
      'event of a storm',
      event(flappingDetail(vip, flapping), flappingNotice(vip, flapping, place)),
      KB_256,
    );
  });
});
