// A VIP that no one speaks for: from when it counts, what is evidence and what is none, and what an operator reads.
import { describe, expect, test } from 'vitest';
import { handleClaim } from '../../../shared/controller/handle-claim.ts';
import { reconcile } from '../../../shared/controller/reconcile.ts';
import { statusOf } from '../../../shared/controller/status/status.ts';
import { registered } from '../../../shared/registry/registry.ts';
import { restored } from '../../../shared/registry/restore.ts';
import { durationMs, minus, minutes, plus, seconds } from '../../../shared/time.ts';
import { awaitedSince, UNHEARD_AFTER, unheardFor } from '../../../shared/vip/unheard.ts';
import { newVip } from '../../../shared/vip/vip.ts';
import {
  anyNode,
  change,
  entry,
  finish,
  heard,
  item,
  memberOf,
  owned,
  reconciles,
  START,
  says,
  type World,
  world,
} from '../../support/world.ts';

/** i-a said MASTER at START; the clock stands at that age of its word. */
async function spoken(ageMs: number): Promise<World> {
  const w = world();
  await says(w, 'i-a', { atMs: 0 });
  w.clock.set(plus(START, durationMs(ageMs)));
  return w;
}
const unheard = async (w: World) => (await reconciles(w)).unheard;
const statusNow = async (w: World) => statusOf(item(w), await w.ec2.observe(entry), w.clock.now());

describe('a VIP whose members were heard', () => {
  test.each([
    [UNHEARD_AFTER - 1, undefined],
    [UNHEARD_AFTER, { forMs: UNHEARD_AFTER, lastMs: START }],
  ])('is unheard from UNHEARD_AFTER on, not before: after %i ms', async (ageMs, told) => {
    expect(await unheard(await spoken(ageMs))).toEqual(told);
  });

  test('is heard as long as one member is, whichever it is', async () => {
    const w = await spoken(minutes(5));
    await says(w, 'i-b', { state: 'BACKUP' });
    expect(await unheard(w)).toBeUndefined();
  });

  test('is told by a sweep that finds the lease held, too: a switch that never succeeds must not hide it', async () => {
    const w = await spoken(minutes(5));
    const cause = { kind: 'reconcile', why: 'w', atMs: w.clock.now() } as const;
    change(w, { lease: { holder: 'h', epoch: 9, expiresAtMs: plus(w.clock.now(), seconds(5)), cause } });
    expect(await reconciles(w)).toMatchObject({ did: 'skipped', unheard: { forMs: minutes(5) } });
  });

  test('is not unheard when it moves because of what was said before: the word counts, not the epoch', async () => {
    const w = await owned();
    await w.clock.advance(minutes(5));
    change(w, { owner: 'i-b' });
    expect(await reconciles(w)).toMatchObject({ did: 'switched', unheard: { lastMs: START } });
  });
});

describe('evidence', () => {
  const minute5 = minutes(5);
  test.each([
    ['a claim of a foreign role', {}, { mode: 'source', roleId: 'AROAOTHER' }],
    ['a claim that a newer one has overtaken', { over: { superseded: true } }, anyNode],
    ['a self-test', { kind: 'probe' }, anyNode],
    ['a claim of the time before, delivered late', { atMs: 0, kind: 'assertion' }, anyNode],
  ] as const)('%s is none', async (_what, words, identity) => {
    const w = await spoken(minute5);
    await finish(w, handleClaim(w.ports, heard('i-a', { atMs: minute5, ...words }), identity));
    expect(await unheard(w)).toMatchObject({ forMs: minute5 });
  });

  test('the same assertion of a member is one: what was just refused was refused for its reason', async () => {
    const w = await spoken(minute5);
    await says(w, 'i-a', { kind: 'assertion', sinceMs: 0 });
    expect(await unheard(w)).toBeUndefined();
  });

  test('a word of a node that is not a member any more is none', async () => {
    const w = await spoken(minute5);
    const [{ slot, ...claim }] = [item(w).claims['i-a']!];
    change(w, { claims: { 'i-a': { slot, ...claim }, 'i-gone': { ...claim, slot, seenMs: w.clock.now() } } });
    expect(await unheard(w)).toMatchObject({ forMs: minute5 });
  });
});

describe('a VIP of which no member was ever heard', () => {
  test('is waited for from the first reconcile on, and unheard UNHEARD_AFTER later', async () => {
    const w = world();
    expect(await unheard(w)).toBeUndefined();
    expect(item(w).awaitedSinceMs).toBe(START);
    w.clock.set(plus(START, durationMs(UNHEARD_AFTER - 1)));
    expect(await unheard(w)).toBeUndefined();
    await w.clock.advance(durationMs(1));
    expect(await unheard(w)).toEqual({ forMs: UNHEARD_AFTER });
  });

  test('is written once while it is waited for, and once more when someone speaks', async () => {
    const w = world();
    await reconciles(w);
    const { rev } = item(w);
    await w.clock.advance(minutes(1));
    await reconciles(w);
    expect(item(w).rev).toBe(rev);
    await says(w, 'i-b', { state: 'BACKUP' });
    await reconciles(w);
    expect('awaitedSinceMs' in item(w)).toBe(false);
  });

  test('is waited for also when EC2 shows none of its members', async () => {
    const w = world();
    w.ec2.enis.clear();
    await reconciles(w);
    await w.clock.advance(minutes(3));
    expect(await unheard(w)).toEqual({ forMs: minutes(3) });
  });

  test('when all members are others than those that spoke: they are given their time, too', async () => {
    const w = await spoken(minutes(5));
    change(w, { members: { 'i-b': memberOf('i-b') } });
    w.ec2.enis.delete(memberOf('i-a').eni);
    expect(await unheard(w)).toBeUndefined();
    await w.clock.advance(UNHEARD_AFTER);
    expect(await unheard(w)).toEqual({ forMs: UNHEARD_AFTER });
  });

  test.each([
    ['registered again', () => registered(waiting, entry, waiting.members)],
    ['restored', () => restored(waiting, { present: undefined, recorded: 0, atMs: START })],
  ])('that is %s is waited for again', (_how, made) => {
    expect('awaitedSinceMs' in made()).toBe(false);
  });
  const waiting = {
    ...newVip(entry),
    members: { 'i-a': memberOf('i-a') },
    awaitedSinceMs: minus(START, minutes(60)),
  };
});

describe('by the item alone', () => {
  const members = { 'i-a': memberOf('i-a') };
  const waited = { ...newVip(entry), members, awaitedSinceMs: minus(START, minutes(9)) };

  test('is waited for since when reconcile began, or from now on', () => {
    const { awaitedSinceMs, ...fresh } = waited;
    expect([awaitedSince(waited, START), awaitedSince(fresh, START)]).toEqual([awaitedSinceMs, START]);
    expect(awaitedSince({ ...fresh, members: {} }, START)).toBeUndefined();
  });

  test('is unheard since then, with no last word; not while no one has begun to wait, nor without members', () => {
    expect(unheardFor(waited, START)).toStrictEqual({ forMs: minutes(9) });
    const { awaitedSinceMs: _since, ...fresh } = waited;
    expect(unheardFor(fresh, START)).toBeUndefined();
    expect(unheardFor({ ...waited, members: {} }, START)).toBeUndefined();
    expect(unheardFor({ ...waited, removedAtMs: START }, START)).toBeUndefined();
  });
});

describe('no one is missed', () => {
  test('of a VIP without members', async () => {
    const w = world([]);
    await reconciles(w);
    await w.clock.advance(minutes(10));
    expect(await unheard(w)).toBeUndefined();
  });

  test('of a VIP that was removed', async () => {
    const w = await spoken(minutes(10));
    const removed = { ...item(w), removedAtMs: START };
    expect((await finish(w, reconcile(w.ports, removed))).unheard).toBeUndefined();
    expect(statusOf(removed, await w.ec2.observe(entry), w.clock.now()).unheard).toBeUndefined();
  });

  test('of a frozen VIP until the freeze ends: then at once', async () => {
    const w = await spoken(minutes(10));
    const untilMs = plus(w.clock.now(), minutes(1));
    change(w, { freeze: { untilMs, by: 'ann', reason: 'work on the network' } });
    expect(await unheard(w)).toBeUndefined();
    w.clock.set(untilMs);
    expect(await unheard(w)).toMatchObject({ forMs: minutes(11) });
  });
});

describe('the status', () => {
  test('is unheard, and says for how long and what to look at', async () => {
    expect(await statusNow(await spoken(minutes(3)))).toMatchObject({
      health: 'unheard',
      why: 'no claim accepted for 3 min',
    });
  });

  test('of a VIP that never reported names that', async () => {
    const w = world();
    await reconciles(w);
    await w.clock.advance(minutes(3));
    expect((await statusNow(w)).reasons[0]).toBe('no claim accepted yet, after 3 min');
  });

  test('is not unheard a moment before', async () => {
    const w = await spoken(0);
    await says(w, 'i-b', { atMs: 0, state: 'BACKUP' });
    w.clock.set(plus(START, durationMs(UNHEARD_AFTER - 1)));
    const { health, why } = await statusNow(w);
    expect([health, why]).toEqual(['well', 'in sync']);
  });

  test('comes before a split brain, whose words are old by then', async () => {
    const w = await spoken(0);
    w.clock.set(plus(START, seconds(5)));
    await says(w, 'i-b', { atMs: 1000, priority: 90 });
    await says(w, 'i-a', { kind: 'assertion', sinceMs: 0 });
    expect((await statusNow(w)).health).toBe('split brain');
    await w.clock.advance(minutes(3));
    expect(await statusNow(w)).toMatchObject({ health: 'unheard', splitBrain: ['i-a', 'i-b'] });
  });

  test('of a frozen VIP is frozen, and also has the silence', async () => {
    const w = await spoken(minutes(3));
    change(w, { freeze: { untilMs: plus(w.clock.now(), minutes(1)), by: 'ann', reason: 'work' } });
    expect(await statusNow(w)).toMatchObject({ health: 'frozen', unheard: { forMs: minutes(3) } });
  });
});
