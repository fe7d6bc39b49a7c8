// What the other stores in the timeline’s table must do: requests for approval, changes by others, operators’ actions, the last epoch.
// Each is asked with entries of the others in between.
import { expect, it } from 'vitest';
import type { Change, ChangeLog } from '../../../shared/controller/hint.ts';
import type { ApprovalRequest, ApprovalStore } from '../../../shared/forced-failover/approval.ts';
import type { FailoverOrder } from '../../../shared/forced-failover/order.ts';
import { durationMs, type EpochMs, epochMs, hours, minutes, plus } from '../../../shared/time.ts';
import { type OperatorActionStore, operatorAction } from '../../../shared/timeline/operator-action.ts';
import type { Timeline } from '../../../shared/timeline/timeline.ts';
import { START } from '../../support/world.ts';
import { intentOf, outcomeOf } from '../timeline.ts';

export interface RecordsUnderTest {
  readonly approvals: ApprovalStore;
  readonly changes: ChangeLog;
  readonly orders: OperatorActionStore;
  readonly timeline: Timeline;
  readonly lastEpoch: (vip: string) => Promise<number>;
  /** The items under a key, as they are stored. */
  readonly stored: (key: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Until then a weak read may show what was before the last write. */
  readonly settle: () => void;
}

/** How long the table under test keeps entries. */
export const RETENTION_DAYS = 30;
const expiryOf = (atMs: EpochMs): number => atMs / 1000 + RETENTION_DAYS * 86_400;

let names = 0;
const fresh = () => `records-${++names}`;
const later = (ms: number): EpochMs => plus(START, durationMs(ms));

const order: FailoverOrder = {
  ...{ vip: 'web', to: 'i-b', mode: 'routes-only', reason: 'patching', by: 'ann' },
  ...{ dryRun: false, approval: true, pinMinutes: 60, claimWaitSeconds: 30, release: 'safe' },
};
const step = { call: 'ReplaceRoute', cell: 'rtb-1 192.0.2.1/32', from: 'eni-a', eni: 'eni-b' } as const;
export const requestOf = (
  vip: string,
  execution: string,
  over: Partial<ApprovalRequest> = {},
): ApprovalRequest => ({
  ...{ vip, execution, token: `token-of-${execution}`, order: { ...order, vip }, plan: [step], calls: 3 },
  ...{ atMs: START, untilMs: plus(START, minutes(60)) },
  ...over,
});

const changeOf = (id: string, over: Partial<Change> = {}): Change => ({
  ...{ kind: 'change', id, by: 'arn:aws:sts::111122223333:assumed-role/ops/ann', call: 'ReplaceRoute' },
  ...{ destinations: ['192.0.2.1/32'], things: ['rtb-1', 'eni-x'], labels: ['web'], atMs: START },
  ...over,
});

export function recordsContract(open: () => RecordsUnderTest): void {
  it('approvals: each request as it was asked, the newest first, of this VIP only', async () => {
    const { approvals } = open();
    const vip = fresh();
    const asked = [requestOf(vip, 'first'), requestOf(vip, 'second', { atMs: later(1) })];
    for (const request of asked) await approvals.ask(request);
    await approvals.ask(requestOf(`${vip}0`, 'third'));
    expect(await approvals.pending(vip, START)).toEqual(asked.toReversed());
    const { calls: _calls, ...older } = requestOf(vip, 'of a version before', { atMs: later(-1) });
    await approvals.ask(older);
    expect((await approvals.pending(vip, START)).at(-1)).toEqual(older);
  });

  it('approvals: pending strictly before its end, to the last page and however many are over', async () => {
    const { approvals } = open();
    const vip = fresh();
    const until = (ms: number) => ({ untilMs: later(ms) });
    for (let n = 0; n < 5; n++) await approvals.ask(requestOf(vip, `over-${n}`, until(0)));
    for (let n = 0; n < 5; n++) await approvals.ask(requestOf(vip, `waits-${n}`, until(1)));
    const pending = async (now: EpochMs) =>
      (await approvals.pending(vip, now)).map(({ execution }) => execution).sort();
    expect(await pending(START)).toEqual([0, 1, 2, 3, 4].map((n) => `waits-${n}`));
    expect(await pending(later(-1))).toHaveLength(10);
    expect(await pending(later(1))).toEqual([]);
  });

  it('approvals: the same execution asks once, and what it asked first stays', async () => {
    const { approvals, stored } = open();
    const vip = fresh();
    await approvals.ask(requestOf(vip, 'run'));
    await approvals.ask(requestOf(vip, 'run', { token: 'another', untilMs: later(1) }));
    expect(await approvals.pending(vip, later(2))).toEqual([requestOf(vip, 'run')]);
    expect(await stored(`approval/${vip}`)).toMatchObject([{ expiresAtS: expiryOf(START) }]);
  });

  it('changes: each as it was noted, from an instant on, of this VIP only, once however often it comes', async () => {
    const { changes, stored, settle } = open();
    const vip = fresh();
    const noted = [-1, 0, 1].map((ms) => changeOf(`event-${ms}`, { atMs: later(ms) }));
    for (const change of [...noted, ...noted]) await changes.note(vip, change);
    // In one millisecond: told apart by the event.
    const twin = changeOf('event-twin', { labels: [], destinations: ['2001:db8::1/128'], things: ['eni-y'] });
    await changes.note(vip, twin);
    await changes.note(`${vip}0`, changeOf('elsewhere'));
    settle();
    const since = await changes.since(vip, START);
    expect(since.map(({ atMs }) => atMs)).toEqual([later(1), START, START]);
    const byId = (list: readonly Change[]) => list.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(byId(since)).toEqual(byId([twin, ...noted.slice(1)]));
    expect((await stored(`change/${vip}`)).map(({ expiresAtS }) => expiresAtS)).toContain(expiryOf(later(0)));
  });

  it('operators’ actions: kept as given, for good once put, with the keys by which they are found', async () => {
    const { orders, stored } = open();
    const vip = fresh();
    const base = { vip, by: 'ann', reason: 'why', atMs: START };
    const pin = operatorAction({ ...base, order: 'pin', node: 'i-b', untilMs: later(9) }, 'n-1');
    await orders.put(pin);
    await orders.put({ ...pin, reason: 'another' });
    await orders.put(operatorAction({ ...base, order: 'unpin' }, 'n-2'));
    const [first, second] = (await stored(vip)).toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
    const at = new Date(START).toISOString();
    const keys = { day: at.slice(0, 10), at: `${at} ${pin.id}`, expiresAtS: expiryOf(START) };
    expect(first).toEqual({ ...pin, ...keys });
    expect(second, 'two of one instant are two keys of the index, too').toMatchObject({
      order: 'unpin',
      at: `${at} order/${at}/n-2`,
    });
  });

  it('the last epoch: of intents and outcomes, not of whatever else is kept under the name', async () => {
    const { timeline, orders, lastEpoch } = open();
    const vip = fresh();
    await orders.put(operatorAction({ vip, order: 'add', by: 'ann', reason: '', atMs: START }, 'n'));
    expect(await lastEpoch(vip)).toBe(0);
    for (const epoch of [1, 2, 10]) await timeline.put(outcomeOf(vip, epoch));
    await timeline.put(outcomeOf(`${vip}0`, 99));
    expect(await lastEpoch(vip)).toBe(10);
    await timeline.put(intentOf(vip, 11));
    expect(await lastEpoch(vip)).toBe(11);
  });

  it('everything of the timeline ends some days after its own instant', async () => {
    const { timeline, stored } = open();
    const vip = fresh();
    const atMs = plus(START, hours(1));
    await timeline.put({ ...intentOf(vip, 1), atMs });
    await timeline.put(outcomeOf(vip, 1, { atMs }));
    const node = { vip, node: 'i-a' };
    await timeline.reject({ ...node, reason: 'malformed', message: 'm', example: 'e', atMs });
    await timeline.probe({ ...node, eventId: 'e', seq: 1, shim: '1.2.3', sentAtMs: epochMs(START), atMs });
    const all = await Promise.all([vip, `rejected/${vip}`, `probe/${vip}`].map(stored));
    expect(all.flat().map(({ expiresAtS }) => expiresAtS)).toEqual(Array(4).fill(expiryOf(atMs)));
    expect(all[2]).toMatchObject([{ ofVip: vip, node: 'i-a', shim: '1.2.3', atMs, sentAtMs: START }]);
  });

  it('an outcome is found by the node it went to, else by the one that caused it; an intent by neither', async () => {
    const { timeline, stored } = open();
    const vip = fresh();
    await timeline.put(intentOf(vip, 1));
    await timeline.put(outcomeOf(vip, 1, { to: 'i-b' }));
    const { to: _to, ...nowhere } = outcomeOf(vip, 2);
    await timeline.put(nowhere);
    const found = (await stored(vip)).toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
    const at = new Date(START).toISOString();
    expect(found.map((item) => [item.id, item.node, item.day, item.at])).toEqual([
      ['000000000001/1-intent', undefined, undefined, undefined],
      ['000000000001/2-outcome', 'i-b', at.slice(0, 10), `${at} 000000000001/2-outcome`],
      ['000000000002/2-outcome', 'i-a', at.slice(0, 10), `${at} 000000000002/2-outcome`],
    ]);
  });
}

/** Where a page has room for twenty. */
export function newestChangesContract(open: () => Pick<RecordsUnderTest, 'changes' | 'settle'>): void {
  it('changes: the newest twenty at most', async () => {
    const { changes, settle } = open();
    const vip = fresh();
    for (let n = 0; n < 25; n++) await changes.note(vip, changeOf(`event-${n}`, { atMs: later(n) }));
    settle();
    const found = (await changes.since(vip, START)).map(({ id }) => id);
    expect(found).toEqual(Array.from({ length: 20 }, (_, n) => `event-${24 - n}`));
  });
}
