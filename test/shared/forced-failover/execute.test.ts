import { describe, expect, it } from 'vitest';
import { Fault } from '../../../shared/fault.ts';
import {
  awaitClaim,
  executeForcedFailover,
  switchBack,
  verifyOrder,
} from '../../../shared/forced-failover/execute.ts';
import type { FailoverOrder } from '../../../shared/forced-failover/order.ts';
import type { ForcedRun } from '../../../shared/forced-failover/under-way.ts';
import { hours, plus, seconds } from '../../../shared/time.ts';
import { LEASE_TTL } from '../../../shared/vip/lease.ts';
import { windowOf } from '../../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { withClaim, withLease } from '../../../shared/vip/vip.ts';
import {
  claimOf,
  finish,
  item,
  memberOf,
  outcomesOf,
  reconciles,
  routeTo,
  START,
  says,
  targets,
  V4,
  world,
} from '../../support/world.ts';

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

describe('carrying out an order', () => {
  it('pins and takes the lease in one write, and switches like everybody else', async () => {
    const w = await pair();
    expect(await finish(w, executeForcedFailover(w.ports, order, run))).toMatchObject({
      outcome: 'switched',
      owner: 'i-b',
      epoch: 2,
    });
    expect(targets(w)).toEqual([memberOf('i-b').eni]);
    expect(item(w)).toMatchObject({ owner: 'i-b', pin: { node: 'i-b', by: 'ann' } });
    expect(outcomesOf(w).at(-1)).toMatchObject({
      outcome: 'switched',
      cause: { kind: 'order', id: 'run-1', by: 'ann' },
    });
    await w.clock.advance(seconds(60));
    expect((await reconciles(w)).did, 'and it stays, though keepalived’s master is another').toBe('nothing');
  });

  it('twice moves nothing the second time: Step Functions may repeat a task', async () => {
    const w = await pair();
    await finish(w, executeForcedFailover(w.ports, order, run));
    const before = item(w);
    expect(await finish(w, executeForcedFailover(w.ports, order, run))).toMatchObject({
      outcome: 'switched',
      owner: 'i-b',
    });
    expect(item(w)).toEqual(before);
  });

  it('waits for a lease that someone else holds', async () => {
    const w = await pair();
    const cause = { kind: 'claim' as const, why: 'w', atMs: w.clock.now() };
    const lease = { holder: 'other', expiresAtMs: plus(w.clock.now(), LEASE_TTL), cause };
    w.vips.items.set('web', withLease(item(w), lease));
    expect(await finish(w, executeForcedFailover(w.ports, order, run))).toMatchObject({
      outcome: 'switched',
    });
    expect(w.clock.now() - START).toBeGreaterThan(30_000 + LEASE_TTL);
  });

  it.each([
    ['a freeze', { freeze: { untilMs: plus(START, hours(1)), by: 'bob', reason: 'no' } }, 'frozen until'],
    [
      'a pin',
      { pin: { node: 'i-a', untilMs: plus(START, hours(1)), by: 'bob', reason: 'no' } },
      'pinned to i-a',
    ],
  ])('never fights %s that came since the preflight', async (_what, over, why) => {
    const w = await pair();
    w.vips.items.set('web', { ...item(w), ...over });
    const carried = await finish(w, executeForcedFailover(w.ports, order, run));
    expect(carried).toMatchObject({ outcome: 'failed', why: expect.stringContaining(why) });
    expect(item(w)).toMatchObject({ epoch: 1, owner: 'i-a', ...over });
  });

  it('without a pin goes only where the election goes', async () => {
    const w = await pair();
    const carried = await finish(w, executeForcedFailover(w.ports, { ...order, pinMinutes: 0 }, run));
    expect(carried).toMatchObject({
      outcome: 'failed',
      why: expect.stringContaining('the election names i-a'),
    });
    expect(item(w).epoch).toBe(1);
  });
});

describe('an order under which the election changes', () => {
  it('failed for the reason of the last epoch, and has its record: the first one switched', async () => {
    const w = await pair();
    const apply = w.ports.ec2.apply.bind(w.ports.ec2);
    let told = false;
    w.ports.ec2.apply = async (...given) => {
      if (!told) {
        told = true;
        const now = w.clock.now();
        const fault = nodeStateFrom(claimOf('i-b', { state: 'FAULT', atMs: now - START }), now);
        const is = withClaim(item(w), 'i-b', fault, windowOf(now));
        w.vips.items.set('web', { ...is, rev: is.rev + 1 });
      }
      return apply(...given);
    };
    const carried = await finish(w, executeForcedFailover(w.ports, order, run));
    expect(outcomesOf(w).map(({ epoch, to }) => [epoch, to])).toEqual([
      [1, 'i-a'],
      [2, 'i-b'],
      [3, 'i-a'],
    ]);
    expect(carried).toMatchObject({
      outcome: 'failed',
      why: 'the VIP went to i-a, expected i-b',
      failover: { epoch: 3, to: 'i-a' },
    });
  });
});

describe('switching back', () => {
  it('takes our pin away and follows keepalived', async () => {
    const w = await pair();
    await finish(w, executeForcedFailover(w.ports, order, run));
    await w.clock.advance(seconds(5));
    expect(await finish(w, switchBack(w.ports, order, run))).toMatchObject({
      outcome: 'switched',
      owner: 'i-a',
    });
    expect(item(w).pin).toBeUndefined();
    expect(targets(w)).toEqual([memberOf('i-a').eni]);
  });

  it('leaves another operator’s pin', async () => {
    const w = await pair();
    const pin = { node: 'i-b', untilMs: plus(START, hours(1)), by: 'bob', reason: 'mine' };
    w.vips.items.set('web', { ...item(w), pin });
    await finish(w, switchBack(w.ports, order, run));
    expect(item(w).pin).toEqual(pin);
  });

  it.each([{ by: 'bob' }, { reason: 'another one' }, { node: 'i-a' }])(
    'takes a pin for another order’s where only this differs: %j',
    async (other) => {
      const w = await pair();
      const pin = { node: 'i-b', untilMs: plus(START, hours(1)), by: 'ann', reason: 'patching', ...other };
      w.vips.items.set('web', { ...item(w), pin });
      await finish(w, switchBack(w.ports, order, run));
      expect(item(w).pin).toEqual(pin);
    },
  );
});

describe('waiting and verifying', () => {
  it('hears the claim of the target, and gives up after the time that was given', async () => {
    const w = await pair();
    const patient = { ...order, claimWaitSeconds: 5 };
    expect(await finish(w, awaitClaim(w.ports, patient, run))).toMatchObject({ outcome: 'missing' });
    await says(w, 'i-b');
    expect(await finish(w, awaitClaim(w.ports, patient, run))).toMatchObject({ outcome: 'heard' });
  });

  it('looks again when EC2 could not be asked, and throws when it still cannot: that is no reason to go back', async () => {
    const w = await pair();
    await finish(w, executeForcedFailover(w.ports, order, run));
    const observe = w.ports.ec2.observe.bind(w.ports.ec2);
    let looks = 0;
    w.ports.ec2.observe = (scope) => {
      looks += 1;
      return looks < 4
        ? Promise.reject(new Fault('throttled', 'RequestLimitExceeded', 'slow down'))
        : observe(scope);
    };
    expect(await finish(w, verifyOrder(w.ports, order))).toMatchObject({ outcome: 'right' });
    expect(looks).toBe(4);
    w.ports.ec2.observe = () => Promise.reject(new Fault('denied', 'UnauthorizedOperation', 'no'));
    await expect(finish(w, verifyOrder(w.ports, order))).rejects.toThrow('no');
  });

  it('asks neither EC2 nor the item again after a bug, which would only come again', async () => {
    const w = await pair();
    await finish(w, executeForcedFailover(w.ports, order, run));
    let asked = 0;
    const broken = () => {
      asked += 1;
      return Promise.reject(new TypeError('cannot read'));
    };
    const bug = { kind: 'bug', code: 'TypeError' };
    w.ports.ec2.observe = broken;
    await expect(finish(w, verifyOrder(w.ports, order))).rejects.toMatchObject(bug);
    w.ports.vips.read = broken;
    await expect(finish(w, awaitClaim(w.ports, order, run))).rejects.toMatchObject(bug);
    expect(asked, 'once each').toBe(2);
  });

  it('goes on waiting for the claim while the item cannot be read', async () => {
    const w = await pair();
    await says(w, 'i-b');
    const read = w.ports.vips.read.bind(w.ports.vips);
    let reads = 0;
    w.ports.vips.read = (name) => {
      reads += 1;
      return reads < 3 ? Promise.reject(new Fault('unknown', 'InternalServerError', 'later')) : read(name);
    };
    expect(await finish(w, awaitClaim(w.ports, order, run))).toMatchObject({ outcome: 'heard' });
  });

  it('finds a route that someone put elsewhere', async () => {
    const w = await pair();
    await finish(w, executeForcedFailover(w.ports, order, run));
    expect(await finish(w, verifyOrder(w.ports, order))).toEqual({
      outcome: 'right',
      wrong: [],
      conflicts: [],
    });
    routeTo(w, 'rtb-1', V4, { target: memberOf('i-a').eni });
    expect(await finish(w, verifyOrder(w.ports, order))).toMatchObject({
      outcome: 'wrong',
      wrong: [`rtb-1 ${V4} → ${memberOf('i-a').eni}`],
    });
  });
});
