// The release: who goes on under a new epoch, what is remembered of an attempt without an answer, and what stays ours.
import { expect, test } from 'vitest';
import { Fault } from '../../shared/fault.ts';
import { plan } from '../../shared/network/plan.ts';
import { switchVip, take } from '../../shared/switch/switch-vip.ts';
import { durationMs, plus, seconds } from '../../shared/time.ts';
import { UNKNOWN_LANDS_WITHIN } from '../../shared/vip/lease.ts';
import { nodeStateFrom } from '../../shared/vip/node-state.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import { claimOf, memberOf, START, type World, world } from '../support/world.ts';

const cause = { kind: 'claim', why: 'test', atMs: START } as const;
const itemOf = (w: World): Vip => w.vips.items.get('web')!;

/** i-a owns the VIP, i-b has become MASTER, and someone holds the lease to follow it. */
async function held(leftMs?: number) {
  const w = world();
  const claims = {
    'i-a': nodeStateFrom(claimOf('i-a', { state: 'BACKUP', sinceMs: -9000, atMs: -8000 }), START),
    'i-b': nodeStateFrom(claimOf('i-b'), START),
  };
  w.vips.items.set('web', { ...itemOf(w), owner: 'i-a', claims, wrote: ['eni-old'] });
  const ports = leftMs === undefined ? w.ports : { ...w.ports, deadline: plus(START, durationMs(leftMs)) };
  const taken = (await take(ports, itemOf(w), itemOf(w), cause))!;
  return { w, ports, taken, run: () => switchVip(ports, taken, w.ec2.observe(taken), []) };
}

/** Meanwhile i-a is MASTER again. */
function changeElection(w: World): void {
  const item = itemOf(w);
  const newer = nodeStateFrom(
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
  w.ports.ec2.apply = async (step, mayStart) => {
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
  const taken = (await take(w.ports, itemOf(w), itemOf(w), cause))!;
  await switchVip(w.ports, taken, w.ec2.observe(taken), []);
  expect(itemOf(w)).toMatchObject({ owner: 'i-a', wrote: ['eni-old'] });
  expect(Object.keys(itemOf(w).members)).toEqual(['i-a', 'i-b']);
  expect(w.ec2.effects).toHaveLength(0);
  expect(itemOf(w).tried).toBeUndefined();
});

test('a plan of which nothing could be sent touches nothing and makes nothing ours', async () => {
  const { w, run } = await held(0);
  const { failovers } = await run();
  expect(failovers[0]).toMatchObject({
    outcome: 'failed',
    steps: [{ attempts: 0 }, {}, {}, {}, {}, {}, {}, {}, {}],
  });
  expect(itemOf(w)).toMatchObject({ owner: 'i-a', touchedAtMs: 0, wrote: ['eni-old'] });
});

test('who finds another in the lease, by epoch or by holder, commits nothing', async () => {
  for (const change of [{ epoch: 9 }, { holder: 'someone' }]) {
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
  await switchVip(w.ports, known, w.ec2.observe(known), []);
  expect(itemOf(w).members['i-b']).toEqual(memberOf('i-b'));
});

test('a write that is refused for good is thrown, and not mistaken for a lost race', async () => {
  const { w, ports, taken } = await held();
  const { lease: _lease, ...free } = taken;
  const refusing = {
    ...ports,
    vips: { ...w.vips, write: () => Promise.reject(new Fault('denied', 'AccessDenied', 'no')) },
  };
  await expect(take(refusing, free, free, cause)).rejects.toThrow('no');
  const lost = {
    ...ports,
    vips: { ...w.vips, write: () => Promise.reject(new Fault('unknown', 'Timeout', 'lost')) },
  };
  expect(await take(lost, free, free, cause)).toBeUndefined();
});

test('a release that always meets a newer item gives up after twenty tries', async () => {
  const { w, ports, taken } = await held();
  let writes = 0;
  const write = () => {
    writes += 1;
    return Promise.resolve(undefined);
  };
  const { failovers } = await switchVip(
    { ...ports, vips: { ...w.vips, write } },
    taken,
    w.ec2.observe(taken),
    [],
  );
  expect([failovers.length, writes]).toEqual([1, 20]);
});

test('an outcome that could not be recorded is told, and the lease is left to run out', async () => {
  const { w, ports, taken } = await held();
  const put = () => Promise.reject(new Fault('throttled', 'Throttled', 'later'));
  const kept = await switchVip(
    { ...ports, timeline: { ...w.timeline, put } },
    taken,
    w.ec2.observe(taken),
    [],
  );
  expect(kept.faults).toMatchObject([{ code: 'Throttled' }]);
  expect(itemOf(w).lease?.epoch).toBe(1);
  const well = await held();
  expect((await well.run()).faults).toEqual([]);
});

test.each([
  ['claim', 1],
  ['order', 1],
  ['reconcile', 0],
] as const)('a failure under a %s is news %d times; one that changed nothing never', async (kind, times) => {
  const { w, ports, taken } = await held();
  const failed: string[] = [];
  const finished: string[] = [];
  const bus = {
    failed: async () => void failed.push('failed'),
    finished: async () => void finished.push('finished'),
    flapping: async () => undefined,
    leaving: async () => undefined,
    warned: () => Promise.resolve(),
    forward: () => Promise.resolve(),
  };
  w.ec2.enis.delete('eni-i-b-service');
  const lease = { ...taken.lease!, cause: { ...cause, kind } };
  w.vips.items.set('web', { ...itemOf(w), lease });
  const ours = { ...taken, lease };
  await switchVip({ ...ports, bus }, ours, w.ec2.observe(ours), []);
  expect([failed.length, finished.length]).toEqual([times, 0]);
  const same = await held();
  const { lease: _lease, ...free } = itemOf(same.w);
  same.w.vips.items.set('web', { ...free, claims: {} });
  const again = (await take(same.ports, itemOf(same.w), itemOf(same.w), cause))!;
  await switchVip({ ...same.ports, bus }, again, same.w.ec2.observe(again), []);
  expect([failed.length, finished.length]).toEqual([times, 0]);
});

test('an EIP goes to the place on the next ENI that it has on the one it comes from', async () => {
  const { w, run } = await held();
  const [from, to] = ['eni-i-a-eip', 'eni-i-b-eip'].map((eni) => w.ec2.enis.get(eni)!);
  for (const place of [0, 1]) {
    const eip = w.ec2.eips.get('eipalloc-1')!;
    const privateAddress = from!.privateAddresses[place]!;
    w.ec2.eips.set('eipalloc-1', { ...eip, eni: from!.eni, privateAddress });
    const seen = await w.ec2.observe(itemOf(w));
    const [step] = plan(itemOf(w), seen, memberOf('i-b'), true).steps;
    expect(step).toMatchObject({ privateAddress: to!.privateAddresses[place] });
  }
  await run();
});

test('the next epoch names the node that is elected now as its cause', async () => {
  const { w, run } = await held();
  const switched = run();
  changeElection(w);
  await w.clock.advance(durationMs(0));
  const [, second] = (await switched).failovers;
  expect(second!.cause).toMatchObject({ kind: 'claim', node: 'i-a' });
});

test('a release whose item is gone ends; one that is refused for good is thrown', async () => {
  const gone = await held();
  let reads = 0;
  const vips = {
    ...gone.w.vips,
    write: async () => undefined,
    read: async () => (reads++ < 1 ? itemOf(gone.w) : undefined),
  };
  const ended = await switchVip({ ...gone.ports, vips }, gone.taken, gone.w.ec2.observe(gone.taken), []);
  expect(ended.vip.owner).toBe('i-a');
  const { w, ports, taken } = await held();
  const denied = { ...w.vips, write: () => Promise.reject(new Fault('denied', 'AccessDenied', 'no')) };
  await expect(switchVip({ ...ports, vips: denied }, taken, w.ec2.observe(taken), [])).rejects.toThrow('no');
});

test('a release that took the lease again and whose reply was lost goes on under it', async () => {
  const { w, ports, taken } = await held();
  const { write } = { write: w.vips.write.bind(w.vips) };
  let writes = 0;
  const losing = async (before: Vip | undefined, after: Vip) => {
    const written = await write(before, after);
    if (++writes === 2) throw new Fault('unknown', 'Timeout', 'lost');
    return written;
  };
  const switched = switchVip(
    { ...ports, vips: { ...w.vips, write: losing } },
    taken,
    w.ec2.observe(taken),
    [],
  );
  changeElection(w);
  await w.clock.advance(durationMs(0));
  const { failovers } = await switched;
  expect([failovers.length, itemOf(w).owner, itemOf(w).epoch]).toEqual([2, 'i-a', 2]);
});

test('an epoch that sent nothing leaves the time of the last touch alone, and none sets it back', async () => {
  const { w } = await held();
  const { lease: _lease, ...free } = itemOf(w);
  const order = { untilMs: plus(START, seconds(600)), by: 'me', reason: 'work' };
  w.vips.items.set('web', { ...free, freeze: order });
  await w.clock.advance(seconds(9));
  const idle = (await take(w.ports, itemOf(w), itemOf(w), cause))!;
  await switchVip(w.ports, idle, w.ec2.observe(idle), []);
  expect(itemOf(w).touchedAtMs).toBe(0);
  const ahead = await held();
  const later = plus(START, seconds(15));
  ahead.w.vips.items.set('web', { ...itemOf(ahead.w), touchedAtMs: later });
  const taken = itemOf(ahead.w);
  await switchVip(ahead.ports, taken, ahead.w.ec2.observe(taken), []);
  expect(itemOf(ahead.w)).toMatchObject({ owner: 'i-b', touchedAtMs: later });
});
