// A forced failover in the VIP's item: begun only on what the item says in that very write, seen by later callers, and gone in the end.
import { describe, expect, it } from 'vitest';
import { Fault } from '../../../shared/fault.ts';
import type { ExecutionState, StepInput } from '../../../shared/forced-failover/execution.ts';
import type { FailoverOrder } from '../../../shared/forced-failover/order.ts';
import { report } from '../../../shared/forced-failover/report.ts';
import { steps } from '../../../shared/forced-failover/steps.ts';
import {
  beginForced,
  endForced,
  FORCED_LASTS,
  type ForcedRun,
  forbidsPin,
  forbidsUnpin,
  liveForced,
} from '../../../shared/forced-failover/under-way.ts';
import { ANSWER_WITHIN } from '../../../shared/switch/lease-wait.ts';
import { durationMs, type EpochMs, hours, minus, plus, seconds } from '../../../shared/time.ts';
import type { OperatorAction } from '../../../shared/timeline/operator-action.ts';
import { LEASE_TTL } from '../../../shared/vip/lease.ts';
import { type Vip, withFreeze, withLease, withoutForced } from '../../../shared/vip/vip.ts';
import { change, finish, item, owned, START, says, type World } from '../../support/world.ts';

const order: FailoverOrder = {
  ...{ vip: 'web', to: 'i-b', mode: 'via-keepalived', reason: 'patching', by: 'ann' },
  ...{ dryRun: false, approval: true, pinMinutes: 0, claimWaitSeconds: 30 },
};
const run: ForcedRun = { execution: 'run-1', owner: 'i-a', begun: false };

/** Node a owns the VIP, b stands by. */
async function pair(): Promise<World> {
  const w = await owned();
  await says(w, 'i-b', { state: 'BACKUP' });
  return w;
}

const until = { untilMs: plus(START, hours(1)), by: 'bob', reason: 'no' };
const another = { ...until, execution: 'run-0', node: 'i-b', from: 'i-a', atMs: START };
const leaseOf = (w: World, expiresAtMs: EpochMs): Vip =>
  withLease(item(w), {
    holder: 'other',
    expiresAtMs,
    cause: { kind: 'reconcile', why: 'drift', atMs: START },
  });

describe('beginning a forced failover', () => {
  it('writes whose it is, where it goes, whom it leaves, and until when, in one write', async () => {
    const w = await pair();
    const { rev } = item(w);
    const untilMs = plus(w.clock.now(), FORCED_LASTS);
    expect(await finish(w, beginForced(w.ports, order, run))).toEqual({ outcome: 'begun', untilMs });
    expect(item(w)).toMatchObject({
      rev: rev + 1,
      forced: { execution: 'run-1', node: 'i-b', from: 'i-a', by: 'ann', reason: 'patching', untilMs },
    });
  });

  it('again writes nothing: Step Functions may repeat a step', async () => {
    const w = await pair();
    const first = await finish(w, beginForced(w.ports, order, run));
    const before = item(w);
    await w.clock.advance(seconds(3));
    expect(await finish(w, beginForced(w.ports, order, run))).toEqual(first);
    expect(item(w)).toEqual(before);
  });

  it.each<[string, Partial<Vip>, string]>([
    ['frozen', { freeze: until }, 'frozen until'],
    ['pinned to the owner', { pin: { ...until, node: 'i-a' } }, 'pinned to i-a'],
    [
      'moved to a third node',
      { owner: 'i-c' },
      'the owner is i-c now, expected i-a as the preflight found it',
    ],
    ['moved to the target', { owner: 'i-b' }, 'the owner is i-b now, expected i-a'],
    ['removed', { removedAtMs: START }, 'is no longer in the registry'],
    [
      'under way to the same node by another order',
      { forced: another },
      'a forced failover of web to i-b is under way',
    ],
    ['without the target among its members', { members: {} }, 'i-b is not a member'],
  ])(
    'is refused where the VIP is %s since the preflight, and leaves the item alone',
    async (_what, over, why) => {
      const w = await pair();
      change(w, over);
      const before = item(w);
      const begun = await finish(w, beginForced(w.ports, order, run));
      expect(begun).toMatchObject({ outcome: 'refused', reasons: [expect.stringContaining(why)] });
      expect(item(w)).toEqual(before);
    },
  );

  it.each(['FAULT', 'STOP', 'DELETED'] as const)('is refused where the target says %s', async (state) => {
    const w = await pair();
    await says(w, 'i-b', { state, sinceMs: 20_000, atMs: 20_000 });
    const begun = await finish(w, beginForced(w.ports, order, run));
    expect(begun).toEqual({ outcome: 'refused', reasons: [`not fit: the last report of i-b is ${state}`] });
    expect(item(w).forced).toBeUndefined();
  });

  it('decides on the item that it writes: a freeze between its read and its write wins', async () => {
    const w = await pair();
    const write = w.ports.vips.write.bind(w.ports.vips);
    let writes = 0;
    w.ports.vips.write = (before, after) => {
      writes += 1;
      if (writes === 1) change(w, { ...withFreeze(item(w), until), rev: item(w).rev + 1 });
      return write(before, after);
    };
    expect(await finish(w, beginForced(w.ports, order, run))).toMatchObject({
      outcome: 'refused',
      reasons: [expect.stringContaining('frozen until')],
    });
    expect(item(w).forced).toBeUndefined();
  });

  it('begins once although the reply of its write is lost', async () => {
    const w = await pair();
    const write = w.ports.vips.write.bind(w.ports.vips);
    let writes = 0;
    w.ports.vips.write = async (before, after) => {
      writes += 1;
      await write(before, after);
      throw new Fault('unknown', 'TimeoutError', 'no reply');
    };
    expect(await finish(w, beginForced(w.ports, order, run))).toMatchObject({ outcome: 'begun' });
    expect(writes).toBe(1);
  });

  it('repeated after something has come in its way is refused, and takes itself out', async () => {
    const w = await pair();
    await finish(w, beginForced(w.ports, order, run));
    // As an older command line writes it: the freeze alone.
    change(w, { freeze: until });
    expect(await finish(w, beginForced(w.ports, order, run))).toMatchObject({ outcome: 'refused' });
    expect(item(w).forced).toBeUndefined();
  });

  it.each([
    [1, 'refused'],
    [0, 'begun'],
  ])(
    'that finds another one with %i ms left is %s: one that died blocks no one for ever',
    async (ms, outcome) => {
      const w = await pair();
      change(w, { forced: { ...another, untilMs: plus(w.clock.now(), durationMs(ms)) } });
      expect(await finish(w, beginForced(w.ports, order, run))).toMatchObject({ outcome });
    },
  );

  it('waits for a switch that is under way, whose end may change the owner', async () => {
    const w = await pair();
    const expiresAtMs = plus(w.clock.now(), LEASE_TTL);
    w.vips.items.set('web', leaseOf(w, expiresAtMs));
    expect(await finish(w, beginForced(w.ports, order, run))).toMatchObject({ outcome: 'begun' });
    expect(w.clock.now()).toBeGreaterThan(expiresAtMs);
  });

  it('is refused, in time to answer, when that switch outlasts the invocation', async () => {
    const w = await pair();
    const deadline = plus(w.clock.now(), seconds(60));
    w.vips.items.set('web', leaseOf(w, plus(deadline, hours(1))));
    expect(await finish(w, beginForced({ ...w.ports, deadline }, order, run))).toMatchObject({
      outcome: 'refused',
      reasons: ['epoch 2 is still under way (drift); order it again'],
    });
    expect(w.clock.now()).toBeLessThanOrEqual(minus(deadline, ANSWER_WITHIN));
    expect(deadline - w.clock.now()).toBeLessThan(ANSWER_WITHIN + 1000);
  });
});

describe('a forced failover that is under way', () => {
  it('is taken out by a freeze, in the same write', async () => {
    const w = await pair();
    await finish(w, beginForced(w.ports, order, run));
    expect(withFreeze(item(w), until)).toEqual({ ...withoutForced(item(w)), freeze: until });
  });

  it('forbids a pin to another node, and not to its own', async () => {
    const w = await pair();
    await finish(w, beginForced(w.ports, order, run));
    const now = w.clock.now();
    expect(forbidsPin(item(w), 'i-a', now)).toEqual(item(w).forced);
    expect(forbidsPin(item(w), 'i-b', now)).toBeUndefined();
    expect(forbidsPin(item(w), 'i-a', item(w).forced!.untilMs), 'once it is over').toBeUndefined();
  });

  it('forbids to take its own pin away, and not someone else’s', async () => {
    const w = await pair();
    await finish(w, beginForced(w.ports, order, run));
    const own = { node: 'i-b', by: 'ann', reason: 'patching', untilMs: until.untilMs };
    const now = w.clock.now();
    expect(forbidsUnpin({ ...item(w), pin: own }, now)).toEqual(item(w).forced);
    expect(forbidsUnpin({ ...item(w), pin: { ...own, by: 'bob' } }, now)).toBeUndefined();
    expect(forbidsUnpin(withoutForced({ ...item(w), pin: own }), now)).toBeUndefined();
  });

  it('ends by its own execution only', async () => {
    const w = await pair();
    await finish(w, beginForced(w.ports, order, run));
    await endForced(w.ports, 'web', 'run-2');
    expect(liveForced(item(w), w.clock.now())?.execution).toBe('run-1');
    await endForced(w.ports, 'web', 'run-1');
    expect(item(w).forced).toBeUndefined();
  });
});

describe('the step that begins an order', () => {
  const looked = { outcome: 'fit', reasons: [], plan: [], conflicts: [], atLeastMs: 0 } as const;
  const asked = (orderRecord: ExecutionState['orderRecord']): StepInput => ({
    ...{ execution: 'run-1', stage: 'dev' },
    story: { preflight: { ...looked, before: { owner: 'i-a' }, order }, orderRecord: orderRecord! },
  });

  it('records that the order came to nothing where it is refused, so that the audit stays true', async () => {
    const w = await pair();
    const put: OperatorAction[] = [];
    const ports = { ...w.ports, orders: { put: async (o: OperatorAction) => void put.push(o) } };
    change(w, { freeze: until });
    const id = 'order/then/run-1/failover';
    const begun = await finish(w, steps.beginOrder(ports as never, asked({ id })));
    expect(begun).toMatchObject({ outcome: 'refused' });
    expect(put).toEqual([
      expect.objectContaining({
        ...{ order: 'not-carried-out', of: id, by: 'ann', vip: 'web' },
        why: expect.stringContaining('frozen until'),
      }),
    ]);
    const { text, error } = report({
      ...asked({ id }),
      story: { ...asked({ id }).story, begun, end: { outcome: 'refused' } },
    });
    expect([error, text]).toEqual(['FailoverRefused', expect.stringContaining('Reason: frozen until')]);
  });

  it('records nothing more where it begins', async () => {
    const w = await pair();
    const ports = {
      ...w.ports,
      orders: { put: () => Promise.reject(new Error('nothing is to be recorded')) },
    };
    const begun = await finish(w, steps.beginOrder(ports as never, asked({ id: 'x' })));
    expect(begun.outcome).toBe('begun');
  });
});
