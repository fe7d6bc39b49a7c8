import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationMs, type EpochMs, epochMs, minutes, plus, seconds } from '../../../shared/time.ts';
import type { VrrpState } from '../../../shared/vip/claim.ts';
import { elect, REPORTED_WITHIN } from '../../../shared/vip/election.ts';
import {
  dampedMembers,
  FLAP_WINDOW,
  FLAPS_KEPT,
  FLAPS_MIN,
  FLAPS_STORED_MAX,
  flappingOf,
  newestOf,
  recentTransition,
  type Transition,
  withoutOldTransitions,
  withTransition,
} from '../../../shared/vip/flapping.ts';
import { windowOf } from '../../../shared/vip/liveness.ts';
import { type NodeState, nodeStateFrom } from '../../../shared/vip/node-state.ts';
import {
  type Hold,
  newVip,
  type Vip,
  withClaim,
  withForced,
  withFreeze,
  withoutForced,
} from '../../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START, type Words } from '../../support/world.ts';

const at = (ms: number): EpochMs => plus(START, durationMs(ms));
const made = (...ms: readonly number[]): readonly Transition[] =>
  ms.map((n) => ({ boot: 'boot-1', since: n * 1000, atMs: at(n) }));
const every = (periodMs: number, times: number): readonly Transition[] =>
  made(...Array.from({ length: times }, (_, n) => n * periodMs));
const isDampedAt = (transitions: readonly Transition[], ms: number): boolean =>
  flappingOf('i-a', transitions, at(ms)) !== undefined;
const transitionOf = (words: Words, arrivedAt = START): Transition | undefined =>
  recentTransition(nodeStateFrom(claimOf('i-a', words), arrivedAt));

describe('a node is damped', () => {
  test('when it becomes MASTER four times within a minute, and not when that takes a whole one', () => {
    expect(isDampedAt(made(0, 1, 59_999), 59_999), 'three').toBe(false);
    expect(isDampedAt(made(0, 1, 2, 59_999), 59_999)).toBe(true);
    expect(isDampedAt(made(0, 1, 2, 60_000), 60_000)).toBe(false);
  });

  test('until a minute after the last one, and not a millisecond longer', () => {
    const storm = every(100, FLAPS_MIN);
    expect(isDampedAt(storm, 300 + FLAP_WINDOW - 1)).toBe(true);
    expect(isDampedAt(storm, 300 + FLAP_WINDOW)).toBe(false);
    expect(flappingOf('i-a', storm, at(600))).toEqual({
      node: 'i-a',
      sinceMs: START,
      untilMs: at(300 + FLAP_WINDOW),
      transitions: FLAPS_MIN,
    });
  });

  test('all the time while it goes on, also when it gets slower: a storm is one storm', () => {
    const steady = every(11_000, 30);
    for (const ms of [55_000, 60_500, 65_999, 300_000, 329_000]) expect(isDampedAt(steady, ms)).toBe(true);
    const slower = [...every(1000, 6), ...made(30_000, 60_000, 90_000)];
    for (const ms of [29_999, 59_000, 100_000, 149_999]) expect(isDampedAt(slower, ms)).toBe(true);
    expect(isDampedAt(slower, 150_000)).toBe(false);
  });

  test('not again by what was before a calm minute', () => {
    const calm = [...every(1000, 6), ...made(65_000)];
    expect(isDampedAt(every(1000, 6), 64_999)).toBe(true);
    expect(isDampedAt(calm, 65_000)).toBe(false);
  });

  test('never below the rate, however long that goes on', () => {
    for (let ms = 0; ms < 1_200_000; ms += 500)
      expect(
        isDampedAt(
          every(20_000, 60).filter((t) => t.atMs <= at(ms)),
          ms,
        ),
      ).toBe(false);
  });

  const start = ['FAULT', 'BACKUP', 'MASTER'] as const;
  const restart = ['STOP', 'BACKUP', 'MASTER'] as const;
  const away = ['BACKUP', 'MASTER'] as const;
  const states: readonly (readonly [string, readonly VrrpState[]])[] = [
    ['a start, a preempting peer and the way back', [...start, ...away]],
    ['three restarts of the master by hand', [...restart, ...restart, ...restart]],
    ['three moves by hand, there and back, of a node that has just started', [...start, ...away, ...away]],
    ['a check that fails on a standby, however often', Array(40).fill(['FAULT', 'BACKUP']).flat()],
  ];
  const vipAfter = (all: readonly VrrpState[], everyMs: number): Vip => {
    const says = (vip: Vip, state: VrrpState, n: number): Vip =>
      withClaim(vip, 'i-a', nodeStateFrom(claimOf('i-a', { state, atMs: n * everyMs }), START), 1);
    return all.reduce(says, { ...newVip(entry), members: { 'i-a': memberOf('i-a') } });
  };
  test.each(states)('not by %s, all within seconds', (_what, all) => {
    expect(dampedMembers(vipAfter(all, 500), at(all.length * 500))).toEqual([]);
  });

  test('by a fourth restart within the minute', () => {
    const all = [...restart, ...restart, ...restart, ...restart];
    expect(dampedMembers(vipAfter(all, 500), at(6000))).toHaveLength(1);
  });
});

describe('what a forced failover makes its two nodes do', () => {
  const said = made(0, 1000, 2000, 3000);
  const until = { untilMs: at(2_700_000), by: 'ops', reason: 'test' };
  const forced = { ...until, execution: 'run-1', node: 'i-a', from: 'i-b', atMs: at(2500) };
  const vip: Vip = {
    ...newVip(entry),
    members: { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b'), 'i-c': memberOf('i-c') },
    transitions: { 'i-a': said, 'i-b': said, 'i-c': said },
  };
  const damped = (item: Vip) => dampedMembers(item, at(3500)).map(({ node }) => node);

  test('damps neither, while it is under way and afterwards; a third node, and what was before it, count as ever', () => {
    expect(damped(vip)).toEqual(['i-a', 'i-b', 'i-c']);
    expect(damped(withForced(vip, forced))).toEqual(['i-c']);
    const after = withoutForced(withForced(vip, forced));
    expect(damped(after)).toEqual(['i-c']);
    expect(after.transitions!['i-a'], 'stamps are whole seconds').toEqual(made(0, 1000));
    expect(damped(withForced(vip, { ...forced, atMs: at(4001) }))).toEqual(['i-a', 'i-b', 'i-c']);
    const runOut = { ...forced, atMs: at(-9000), untilMs: at(0) };
    expect(damped(withForced(vip, runOut)), 'left by a workflow that died').toEqual(['i-a', 'i-b', 'i-c']);
    expect(damped(withFreeze(withForced(vip, forced), until)), 'a freeze ends it, too').toEqual(['i-c']);
  });

  test('does not come back with an assertion of it', () => {
    const says = (item: Vip, words: Words): Vip =>
      withClaim(item, 'i-a', nodeStateFrom(claimOf('i-a', words), START), 1);
    const { transitions: _none, ...calm } = vip;
    const moved = says(withForced(calm, forced), { atMs: 5000 });
    expect(moved.transitions).toHaveProperty('i-a');
    const ended = withoutForced(moved);
    expect(ended).not.toHaveProperty('transitions');
    expect(says(ended, { atMs: 8000, sinceMs: 5000, kind: 'assertion' })).not.toHaveProperty('transitions');
  });

  test('an order that ends where no node has become MASTER changes nothing else', () => {
    const { transitions: _none, ...calm } = vip;
    expect(withoutForced(withForced(calm, forced))).toEqual(calm);
    expect(withoutForced(vip)).toBe(vip);
  });
});

describe('a transition', () => {
  test('is dated by AWS’s stamp and the boot’s clock, whatever claim speaks of it, and never ahead of the stamp', () => {
    expect(transitionOf({ atMs: 5000, sinceMs: 2000, kind: 'assertion' })?.atMs).toBe(at(2000));
    expect(transitionOf({ atMs: 5000, sinceMs: 9000 })?.atMs).toBe(at(5000));
    expect(transitionOf({ atMs: 5000, over: { atMs: START + 1e9 } })?.atMs, 'not by its own clock').toBe(
      at(5000),
    );
  });

  test.each(['BACKUP', 'FAULT', 'STOP', 'DELETED'] as const)(
    'to %s moves nothing, and does not count',
    (state) => {
      expect(transitionOf({ state })).toBeUndefined();
    },
  );

  test('does not count when it is a minute old, nor when the claim came late', () => {
    expect(transitionOf({ atMs: 60_000, sinceMs: 1, kind: 'assertion' })).toBeDefined();
    expect(transitionOf({ atMs: 60_000, sinceMs: 0, kind: 'assertion' })).toBeUndefined();
    expect(transitionOf({ atMs: 0 }, plus(START, seconds(60)))).toBeDefined();
    expect(transitionOf({ atMs: 0 }, plus(START, durationMs(60_001)))).toBeUndefined();
  });

  test('counts once, however often and through whatever claim it is told, and adds to its own node only', () => {
    const members = { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b') };
    const says = (vip: Vip, words: Words): Vip =>
      withClaim(vip, 'i-a', nodeStateFrom(claimOf('i-a', words), START), 1);
    let vip: Vip = { ...newVip(entry), members };
    for (const atMs of [0, 0, 1000, 3000]) vip = says(vip, { atMs, sinceMs: 0, kind: 'assertion' });
    expect(vip.transitions?.['i-a']).toHaveLength(1);
    expect(says(vip, { atMs: 3000, sinceMs: 0, kind: 'assertion' })).toBe(vip);
    for (let n = 1; n < FLAPS_MIN; n++) vip = says(vip, { atMs: 4000 + n * 1000 });
    expect(dampedMembers(vip, at(9000)).map(({ node }) => node)).toEqual(['i-a']);
    expect(vip.transitions?.['i-b']).toBeUndefined();
  });
});

describe('what is kept', () => {
  const drawn = fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 40 });

  test('does not depend on the order in which it came, nor on how often', () => {
    fc.assert(
      fc.property(drawn, fc.array(fc.nat(), { maxLength: 40 }), (ms, order) => {
        const all = made(...ms);
        const again = [...all, ...order.map((n) => all[n % all.length]!)];
        const shuffled = again.map((t, n) => ({ t, by: (order[n] ?? n) % 7 })).sort((a, b) => a.by - b.by);
        const one = all.reduce((kept, t) => withTransition(kept, 'i-a', t), {});
        const other = shuffled.reduce((kept, { t }) => withTransition(kept, 'i-a', t), {});
        expect(newestOf(other['i-a' as never])).toEqual(newestOf(one['i-a' as never]));
      }),
    );
  });

  test('is enough: leaving out what is older changes no answer', () => {
    fc.assert(
      fc.property(drawn, fc.integer({ min: 0, max: 260_000 }), (ms, nowMs) => {
        const all = made(...ms.filter((n) => n <= nowMs));
        expect(isDampedAt(newestOf(all), nowMs)).toBe(isDampedAt(all, nowMs));
      }),
    );
  });

  test('is bounded: a writer that reads removes the oldest when as many are stored as may be', () => {
    const stored = { 'i-a': every(10, FLAPS_STORED_MAX) };
    expect(withTransition(stored, 'i-a', undefined)['i-a']).toHaveLength(FLAPS_KEPT);
    const room = { 'i-a': every(10, FLAPS_STORED_MAX - 1) };
    expect(withTransition(room, 'i-a', undefined)).toBe(room);
    expect(withTransition(room, 'i-a', made(-1)[0]), 'too old to be among the newest').toBe(room);
  });

  test('is forgotten when its node was calm for two minutes, so that no claim under way can still need it', () => {
    const vip: Vip = { ...newVip(entry), transitions: { 'i-a': made(0), 'i-b': made(5000) } };
    expect(withoutOldTransitions(vip, at(119_999))).toBe(vip);
    expect(withoutOldTransitions(vip, at(120_000)).transitions).toEqual({ 'i-b': made(5000) });
    expect(withoutOldTransitions(vip, plus(START, minutes(9)))).not.toHaveProperty('transitions');
    expect(epochMs(START)).toBe(START);
  });
});

// The election where a node flaps: every row of the rule in docs/decisions/0035.

const NOW_MS = 10_000;
const storm: readonly Transition[] = Array.from({ length: FLAPS_MIN }, (_, n) => ({
  boot: 'boot-of-',
  since: n,
  atMs: at(n * 1000),
}));

interface Said {
  readonly state: VrrpState;
  readonly sinceMs?: number;
  readonly seenMs?: number;
  readonly priority?: number;
  readonly damped?: true;
}

const stateOf = (node: string, { state, sinceMs = 0, seenMs = NOW_MS, priority = 100 }: Said): NodeState =>
  nodeStateFrom(claimOf(node, { state, sinceMs, atMs: seenMs, priority, kind: 'assertion' }), at(seenMs));

function vipOf(said: Readonly<Record<string, Said>>, hold: Hold, over: Partial<Vip> = {}): Vip {
  const nodes = Object.keys(said);
  const of = <T>(value: (node: string) => T) => Object.fromEntries(nodes.map((node) => [node, value(node)]));
  const damped = nodes.filter((node) => said[node]!.damped);
  return {
    ...newVip({ ...entry, hold }),
    members: of(memberOf),
    claims: of((node) => stateOf(node, said[node]!)),
    transitions: Object.fromEntries(damped.map((node) => [node, storm])),
    ...over,
  };
}

const MASTER = { state: 'MASTER' } as const;
const BACKUP = { state: 'BACKUP' } as const;
const NEW = { ...MASTER, sinceMs: 8000, damped: true } as const;

const rows: readonly (readonly [string, Hold, Readonly<Record<string, Said>>, string, string])[] = [
  ['the steady master keeps it', 'both', { a: NEW, b: MASTER }, 'b', 'b'],
  ['the steady master gets it back from the node that flaps', 'both', { a: NEW, b: MASTER }, 'a', 'b'],
  ['of steady masters the newest', 'both', { a: NEW, b: MASTER, c: { ...MASTER, sinceMs: 5000 } }, 'b', 'c'],
  [
    'a standby that owns it keeps it',
    'both',
    { a: NEW, b: BACKUP, c: { ...BACKUP, priority: 200 } },
    'b',
    'b',
  ],
  [
    'else the standby of the highest priority',
    'both',
    { a: NEW, b: BACKUP, c: { ...BACKUP, priority: 200 } },
    'a',
    'c',
  ],
  ['of equal standbys the first by id', 'both', { a: NEW, c: BACKUP, b: BACKUP }, 'a', 'b'],
  ['with hold master no standby', 'master', { a: NEW, b: BACKUP }, 'b', 'a'],
  ['with hold master the steady master', 'master', { a: NEW, b: MASTER }, 'a', 'b'],
  [
    'all damped: it stays at an owner that stands by',
    'both',
    { a: NEW, b: { ...BACKUP, damped: true } },
    'b',
    'b',
  ],
  [
    'all damped, hold master: it leaves an owner that stands by',
    'master',
    { a: NEW, b: { ...BACKUP, damped: true } },
    'b',
    'a',
  ],
  [
    'all damped, hold master: it stays at an owner that says MASTER',
    'master',
    { a: NEW, b: { ...MASTER, damped: true } },
    'b',
    'b',
  ],
  ['an owner that is FAULT has nothing to keep', 'both', { a: NEW, b: { state: 'FAULT' } }, 'b', 'a'],
  ['nor has one that is STOP', 'both', { a: NEW, b: { state: 'STOP' } }, 'b', 'a'],
  ['nor one that is DELETED', 'both', { a: NEW, b: { state: 'DELETED' } }, 'b', 'a'],
  ['nor a damped one that is FAULT', 'both', { a: NEW, b: { state: 'FAULT', damped: true } }, 'b', 'a'],
  ['no other member: the node that flaps', 'both', { a: NEW }, 'a', 'a'],
];

describe('the newest MASTER flaps', () => {
  test.each(rows)('%s (hold %s)', (...[, hold, said, owner, elected]) => {
    const { owner: to, reason } = elect(vipOf(said, hold, { owner }), at(NOW_MS));
    expect(to).toBe(elected);
    if (to !== 'a') expect(reason).toEqual({ key: 'damped', node: elected, other: 'a' });
    const calm = elect(vipOf(said, hold, { owner, transitions: {} }), at(NOW_MS));
    expect(calm.owner, 'without the storm').toBe('a');
  });

  test.each([
    ['MASTER', MASTER],
    ['BACKUP', BACKUP],
  ] as const)(
    'an owner that says %s and no longer reports keeps it no longer than its next reports are due',
    (state, word) => {
      const seen = (seenMs: number) => ({ a: { ...NEW, seenMs: 80_000 }, b: { ...word, seenMs } });
      const late = at(NOW_MS + 20_000);
      const silent = 80_000 - REPORTED_WITHIN[state];
      expect(elect(vipOf(seen(silent + 1000), 'both', { owner: 'b' }), late).owner).toBe('b');
      expect(elect(vipOf(seen(silent), 'both', { owner: 'b' }), late).owner).toBe('a');
    },
  );

  test('a member that is no longer heard is no other place, nor one that left', () => {
    const vip = vipOf({ a: { ...NEW, seenMs: 150_000 }, b: { ...MASTER, seenMs: 145_000 } }, 'both', {
      owner: 'b',
    });
    const last = vip.claims.b!.slot;
    const heard = Array.from({ length: 6 }, (_, n) => last + 1 + n);
    expect(elect(vip, at(NOW_MS)).owner).toBe('b');
    const ahead = { ...vip.claims.a!, slot: windowOf(START) + 30 };
    expect(elect({ ...vip, heard, claims: { ...vip.claims, a: ahead } }, at(NOW_MS)).owner).toBe('a');
    const { b: _left, ...members } = vip.members;
    expect(elect({ ...vip, members }, at(NOW_MS)).owner).toBe('a');
  });

  test('it is over by itself: a minute after the last transition the newest MASTER is elected, with no claim in between', () => {
    const vip = vipOf({ a: NEW, b: MASTER }, 'both', { owner: 'b' });
    const lastMs = (FLAPS_MIN - 1) * 1000;
    expect(elect(vip, at(lastMs + FLAP_WINDOW - 1)).owner).toBe('b');
    expect(elect(vip, at(lastMs + FLAP_WINDOW)).owner).toBe('a');
  });
});

describe('what operators order is honoured', () => {
  const order = { untilMs: at(60_000), by: 'ops', reason: 'test' };
  const vip = vipOf({ a: NEW, b: MASTER }, 'both', { owner: 'b' });

  test('a pin on a node that flaps holds', () => {
    expect(elect({ ...vip, pin: { ...order, node: 'a' } }, at(NOW_MS)).reason.key).toBe('pinned');
  });

  test('a suspended pin leaves it to the election, which passes over the node that flaps', () => {
    expect(elect({ ...vip, pin: { ...order, node: 'gone' } }, at(NOW_MS)).owner).toBe('b');
  });

  test('frozen is frozen', () => {
    expect(elect({ ...vip, owner: 'a', freeze: order }, at(NOW_MS)).owner).toBe('a');
  });
});

test('where no node says MASTER the VIP stays where it is, damped or not', () => {
  const vip = vipOf({ a: { ...BACKUP, damped: true }, b: BACKUP }, 'both', { owner: 'a' });
  expect(elect(vip, at(NOW_MS))).toMatchObject({ owner: 'a', reason: { key: 'no-candidate' } });
});
