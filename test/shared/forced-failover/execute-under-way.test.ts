// A forced failover that is under way: stopped by an operator or by what became of the target, and switched by the target's own
// claim for longer than a step may wait.
import { describe, expect, it } from 'vitest';
import { Fault } from '../../../shared/fault.ts';
import { awaitClaim, executeForcedFailover, switchBack } from '../../../shared/forced-failover/execute.ts';
import type { FailoverOrder } from '../../../shared/forced-failover/order.ts';
import { beginForced, type ForcedRun } from '../../../shared/forced-failover/under-way.ts';
import { type EpochMs, hours, minutes, plus, seconds } from '../../../shared/time.ts';
import { LOOK_AGAIN } from '../../../shared/vip/lease.ts';
import { windowOf } from '../../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { type Vip, withClaim, withFreeze, withLease, withoutForced } from '../../../shared/vip/vip.ts';
import { addTable, claimOf, finish, item, START, says, world } from '../../support/world.ts';

const order: FailoverOrder = {
  ...{ vip: 'web', to: 'i-b', mode: 'routes-only', reason: 'patching', by: 'ann' },
  ...{ dryRun: false, approval: false, pinMinutes: 60, claimWaitSeconds: 30 },
};

/** An execution that has not written itself into the item. */
const run: ForcedRun = { execution: 'run-1', owner: 'i-a', begun: false };

/** Node a owns the VIP, b stands by, and everything is old enough to be trusted. */
async function pair() {
  const w = world();
  await says(w, 'i-b', { state: 'BACKUP', sinceMs: -1000 });
  await says(w, 'i-a');
  await w.clock.advance(seconds(30));
  return w;
}

/** The same execution, once it stands in the item. */
const begun: ForcedRun = { ...run, begun: true };
const via: FailoverOrder = { ...order, mode: 'via-keepalived', pinMinutes: 0 };
const untilMs = plus(START, hours(1));

/** Begun, and node a was demoted. */
async function demoted() {
  const w = await pair();
  await finish(w, beginForced(w.ports, via, run));
  await says(w, 'i-a', { state: 'FAULT' });
  return w;
}

describe('an order that someone stops after the demotion', () => {
  const freeze = { untilMs, by: 'bob', reason: 'no' };
  it.each<[string, (vip: Vip) => Vip, RegExp]>([
    ['a freeze', (vip) => withFreeze(vip, freeze), /^frozen until .* by bob/],
    ['a freeze of an older command line', (vip) => ({ ...vip, freeze }), /^frozen until/],
    ['a freeze that is over again', (vip) => withoutForced(vip), /^cancelled: the order run-1 is no longer/],
    ['a pin elsewhere', (vip) => ({ ...vip, pin: { ...freeze, node: 'i-a' } }), /^pinned to i-a/],
    ['its removal', (vip) => ({ ...vip, removedAtMs: START }), /no longer in the registry/],
    ['the target’s leaving', (vip) => ({ ...vip, members: {} }), /i-b cannot take over: i-b is not a member/],
    [
      'the target’s fault',
      (vip) => ({ ...vip, claims: { ...vip.claims, 'i-b': { ...vip.claims['i-b']!, state: 'FAULT' } } }),
      /i-b cannot take over: the last report of i-b is FAULT/,
    ],
  ])('by %s: its wait for the claim ends at once', async (_what, change, why) => {
    const w = await demoted();
    const waiting = awaitClaim(w.ports, via, begun);
    await w.clock.advance(seconds(3));
    w.vips.items.set('web', change(item(w)));
    const stoppedAtMs = w.clock.now();
    expect(await finish(w, waiting)).toMatchObject({ outcome: 'stopped', why: expect.stringMatching(why) });
    expect(w.clock.now() - stoppedAtMs).toBeLessThanOrEqual(LOOK_AGAIN + 10);
  });

  it('before the switch: nothing moves', async () => {
    const w = await demoted();
    w.vips.items.set('web', withoutForced(item(w)));
    expect(await finish(w, executeForcedFailover(w.ports, via, begun))).toMatchObject({
      outcome: 'failed',
      why: expect.stringContaining('cancelled'),
    });
    expect(item(w)).toMatchObject({ epoch: 1, owner: 'i-a' });
  });

  it('while someone else’s switch is under way is not waited for', async () => {
    const w = await demoted();
    w.vips.items.set('web', heldBy(item(w), plus(w.clock.now(), hours(1))));
    const carried = executeForcedFailover(w.ports, via, begun);
    await w.clock.advance(seconds(3));
    w.vips.items.set('web', withFreeze(item(w), freeze));
    expect(await finish(w, carried)).toMatchObject({
      outcome: 'failed',
      why: expect.stringContaining('frozen'),
    });
    expect(w.clock.now()).toBeLessThan(plus(START, seconds(40)));
  });

  it('goes back without leaving pin or order, also under the freeze', async () => {
    const w = await demoted();
    const pin = { node: 'i-b', by: 'ann', reason: 'patching', untilMs };
    w.vips.items.set('web', { ...item(w), pin, freeze });
    expect(await finish(w, switchBack(w.ports, via, begun))).toMatchObject({ why: 'frozen meanwhile' });
    expect([item(w).pin, item(w).forced]).toEqual([undefined, undefined]);
  });
});

const heldBy = (vip: Vip, expiresAtMs: EpochMs): Vip =>
  withLease(vip, {
    holder: 'other',
    expiresAtMs,
    cause: { kind: 'claim', why: 'i-b said MASTER', atMs: START },
  });

describe('an order whose target’s own claim switches, for long', () => {
  it('is waited for as long as the lease is live, however often that is looked at', async () => {
    const w = await demoted();
    // The holder renews, and moves the VIP after two minutes.
    w.vips.items.set('web', heldBy(item(w), plus(w.clock.now(), minutes(2))));
    const carried = executeForcedFailover(w.ports, via, begun);
    await w.clock.advance(minutes(2));
    const { lease: _lease, ...free } = item(w);
    w.vips.items.set('web', { ...free, open: {}, owner: 'i-b' });
    expect(await finish(w, carried)).toMatchObject({ outcome: 'switched', owner: 'i-b' });
    expect(item(w).forced, 'and is over then').toBeUndefined();
  });

  it('is asked again when the step ends before the switch does, and nothing is undone for it', async () => {
    const w = await demoted();
    const deadline = plus(w.clock.now(), seconds(100));
    const said = claimOf('i-b', { atMs: w.clock.now() - START });
    const heard = withClaim(item(w), 'i-b', nodeStateFrom(said, w.clock.now()), windowOf(said.timeMs));
    w.vips.items.set('web', heldBy(heard, plus(w.clock.now(), minutes(4))));
    const carried = await finish(w, executeForcedFailover({ ...w.ports, deadline }, via, begun));
    expect(carried).toEqual({
      ...{ outcome: 'moving', owner: 'i-a', why: 'epoch 2 is still under way: i-b said MASTER' },
    });
    expect(item(w).forced?.execution, 'it goes on').toBe('run-1');
  });

  it('fails when the step ends and the holder of the lease moves it elsewhere', async () => {
    const w = await demoted();
    const deadline = plus(w.clock.now(), seconds(100));
    w.vips.items.set('web', heldBy(item(w), plus(w.clock.now(), minutes(4))));
    expect(await finish(w, executeForcedFailover({ ...w.ports, deadline }, via, begun))).toMatchObject({
      outcome: 'failed',
    });
  });

  it('fails, and is not asked again, where the step ends without a step to send: EC2 did not answer', async () => {
    const w = await pair();
    const observe = () => Promise.reject(new Fault('denied', 'UnauthorizedOperation', 'no'));
    const views = { ...w.ports.views, view: () => Promise.resolve(undefined) };
    const deadline = plus(w.clock.now(), seconds(1));
    const ports = { ...w.ports, ec2: { ...w.ec2, observe }, views, deadline };
    expect(await finish(w, executeForcedFailover(ports, order, run))).toMatchObject({ outcome: 'failed' });
  });

  it('asks again when its own plan is cut off by the end of the step', async () => {
    const w = await pair();
    for (let n = 5; n <= 90; n++) addTable(w.ec2, `rtb-${n}`, 'web');
    const deadline = plus(w.clock.now(), seconds(20));
    const first = await finish(w, executeForcedFailover({ ...w.ports, deadline }, order, run));
    expect(first).toMatchObject({ outcome: 'moving', owner: 'i-a' });
    expect(await finish(w, executeForcedFailover(w.ports, order, run))).toMatchObject({
      outcome: 'switched',
      owner: 'i-b',
    });
  });
});
