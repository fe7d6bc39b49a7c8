import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationMs, type EpochMs, epochMs, minutes, plus, seconds } from '../../../shared/time.ts';
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
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import { newVip, type Vip, withClaim } from '../../../shared/vip/vip.ts';
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
  test('by six transitions within a minute, and not when they take a whole one', () => {
    expect(isDampedAt(made(0, 1, 2, 3, 59_999), 59_999), 'five').toBe(false);
    expect(isDampedAt(made(0, 1, 2, 3, 4, 59_999), 59_999)).toBe(true);
    expect(isDampedAt(made(0, 1, 2, 3, 4, 60_000), 60_000)).toBe(false);
  });

  test('until a minute after the last one, and not a millisecond longer', () => {
    const storm = every(100, FLAPS_MIN);
    expect(isDampedAt(storm, 500 + FLAP_WINDOW - 1)).toBe(true);
    expect(isDampedAt(storm, 500 + FLAP_WINDOW)).toBe(false);
    expect(flappingOf('i-a', storm, at(600))).toEqual({
      node: 'i-a',
      sinceMs: START,
      untilMs: at(500 + FLAP_WINDOW),
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
          every(12_000, 100).filter((t) => t.atMs <= at(ms)),
          ms,
        ),
      ).toBe(false);
  });

  test.each([
    ['a start', ['FAULT', 'BACKUP', 'MASTER']],
    ['a failover and the way back', ['MASTER', 'BACKUP']],
    ['a start, a preempting peer and a planned stop', ['BACKUP', 'MASTER', 'BACKUP', 'STOP']],
    ['a restart of the master', ['STOP', 'BACKUP', 'MASTER']],
  ])('not by %s, all within a second', (_what, states) => {
    expect(isDampedAt(every(1000 / states.length, states.length), 999)).toBe(false);
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
