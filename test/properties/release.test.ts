// The release: who goes on under a new epoch, what is remembered of an attempt without an answer, and what stays ours.
import { expect, test } from 'vitest';
import { stintOf } from '../../shared/claim.ts';
import { Fault } from '../../shared/fault.ts';
import { UNKNOWN_LANDS_WITHIN } from '../../shared/lease.ts';
import { switchVip, take } from '../../shared/switch.ts';
import { durationMs, plus, seconds } from '../../shared/time.ts';
import type { Vip } from '../../shared/vip.ts';
import { claimOf, memberOf, START, type World, world } from '../world.ts';

const cause = { kind: 'claim', why: 'test', atMs: START } as const;
const itemOf = (w: World): Vip => w.vips.items.get('web')!;

/** i-a owns the VIP, i-b has become MASTER, and somebody holds the lease to follow it. */
async function held(leftMs?: number) {
  const w = world();
  const claims = {
    'i-a': stintOf(claimOf('i-a', { state: 'BACKUP', sinceMs: -9000, atMs: -8000 }), START),
    'i-b': stintOf(claimOf('i-b'), START),
  };
  w.vips.items.set('web', { ...itemOf(w), owner: 'i-a', claims, wrote: ['eni-old'] });
  const wire = leftMs === undefined ? w.wire : { ...w.wire, deadline: plus(START, durationMs(leftMs)) };
  const taken = (await take(wire, itemOf(w), itemOf(w), cause))!;
  return { w, wire, taken, run: () => switchVip(wire, taken, w.ec2.observe(taken), []) };
}

/** Meanwhile i-a is MASTER again. */
function changeElection(w: World): void {
  const item = itemOf(w);
  const newer = stintOf(
    claimOf('i-a', { sinceMs: 4000, atMs: 4000, over: { timeMs: plus(START, seconds(4)) } }),
    START,
  );
  w.vips.items.set('web', { ...item, rev: item.rev + 1, claims: { ...item.claims, 'i-a': newer } });
}

test.each([
  [5000, 1],
  [5001, 2],
])('with %d ms left an invocation that finds another elected holds %d epochs', async (leftMs, epochs) => {
  const { w, run } = await held(leftMs);
  const switched = run();
  changeElection(w);
  await w.clock.advance(durationMs(0));
  expect((await switched).failovers).toHaveLength(epochs);
});

test('after one attempt without an answer nothing seen is trusted until it must have landed', async () => {
  const { w, run } = await held();
  const real = { ...w.ec2 };
  let lost = 0;
  w.wire.ec2.apply = async (step, mayStart) => {
    await real.apply(step, mayStart);
    if (lost++ === 0) throw new Fault('unknown', 'TimeoutError', 'no reply');
  };
  const switched = run();
  await w.clock.advance(seconds(60));
  await switched;
  const { touchedAtMs, owner } = itemOf(w);
  expect(owner).toBe('i-b');
  expect(touchedAtMs).toBeGreaterThanOrEqual(plus(START, UNKNOWN_LANDS_WITHIN));
});

test('where every attempt was answered only stale reads are outwaited', async () => {
  const { w, run } = await held();
  await run();
  expect(itemOf(w)).toMatchObject({ owner: 'i-b', touchedAtMs: START });
});

test('a good commit forgets whose ENIs were ours before; one that left something behind does not', async () => {
  const good = await held();
  await good.run();
  expect(itemOf(good.w).wrote).toEqual(['eni-i-b-service', 'eni-i-b-eip']);
  const left = await held();
  left.w.ec2.eips.clear();
  await left.run();
  expect(itemOf(left.w).wrote).toEqual(['eni-old', 'eni-i-b-service', 'eni-i-b-eip']);
});

test('a frozen VIP is released as it is: nothing goes anywhere, nothing is forgotten', async () => {
  const { w } = await held();
  const order = { untilMs: plus(START, seconds(600)), by: 'me', reason: 'work' };
  const { lease: _lease, ...free } = itemOf(w);
  w.vips.items.set('web', { ...free, freeze: order });
  const taken = (await take(w.wire, itemOf(w), itemOf(w), cause))!;
  await switchVip(w.wire, taken, w.ec2.observe(taken), []);
  expect(itemOf(w)).toMatchObject({ owner: 'i-a', wrote: ['eni-old'] });
  expect(Object.keys(itemOf(w).members)).toEqual(['i-a', 'i-b']);
  expect(w.ec2.effects).toHaveLength(0);
});

test('who finds another in the lease, by epoch or by holder, commits nothing', async () => {
  for (const change of [{ epoch: 9 }, { holder: 'somebody' }]) {
    const { w, run } = await held();
    const switched = run();
    const item = itemOf(w);
    w.vips.items.set('web', { ...item, rev: item.rev + 1, lease: { ...item.lease!, ...change } });
    await w.clock.advance(durationMs(0));
    const { failovers } = await switched;
    expect(failovers).toHaveLength(1);
    expect(itemOf(w).owner).toBe('i-a');
    expect(itemOf(w).lease).toMatchObject(change);
  }
});

test('the member that EC2 shows stands in the item after the commit', async () => {
  const { w, taken } = await held();
  const { 'i-b': _b, ...others } = taken.members;
  w.vips.items.set('web', { ...itemOf(w), members: others });
  const known = { ...itemOf(w), members: others };
  await switchVip(w.wire, known, w.ec2.observe(known), []);
  expect(itemOf(w).members['i-b']).toEqual(memberOf('i-b'));
});
