// The merge of two stints is commutative, associative and idempotent, so that the order and number of deliveries cannot
// matter; and what one write does without reading is what merge would have done.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seconds } from '../../shared/time.ts';
import {
  isNewerTransition,
  merge,
  type NodeState,
  nodeStateFrom,
  sameTransition,
} from '../../shared/vip/node-state.ts';
import { isNews, onlyRefreshes } from '../../shared/vip/vip.ts';
import { claimOf, START } from '../support/world.ts';

/**
 * Stints as claims of one node tell them: few values, so that equal boots, transitions and claims meet. One transition
 * has one state, and one `seq` says one thing.
 */
const told = fc
  .record({
    boot: fc.integer({ min: 1, max: 3 }),
    sinceMs: fc.constantFrom(1000, 2000, 3000),
    saidMs: fc.constantFrom(0, 0, 10, 2000, 14_000, 16_000, 40_000),
    delayMs: fc.constantFrom(0, 300, 700, 5000, 20_000),
    arrivesMs: fc.constantFrom(0, 59_000, 90_000),
    advert: fc.boolean(),
  })
  .map(({ boot, sinceMs, saidMs, delayMs, arrivesMs, advert }): NodeState => {
    const atMs = boot * 200_000 + sinceMs + saidMs;
    const claim = claimOf('i-a', {
      kind: saidMs === 0 ? 'transition' : advert ? 'lower-advert' : 'assertion',
      state: sinceMs === 2000 ? 'BACKUP' : 'MASTER',
      priority: 100 + (saidMs % 7),
      bootId: `boot-${boot}`,
      atMs: atMs + delayMs,
      over: {
        seq: (sinceMs + saidMs) * 1000,
        since: sinceMs * 1000,
        uptimeMs: sinceMs + saidMs + delayMs,
        ageMs: delayMs,
        atMs: START + atMs,
      },
    });
    return nodeStateFrom(claim, (claim.timeMs + arrivesMs) as never);
  });

const runs = { numRuns: 3000 };

test('merge is commutative', () => {
  fc.assert(
    fc.property(told, told, (a, b) => {
      expect(merge(a, b)).toEqual(merge(b, a));
    }),
    { ...runs, seed: 1 },
  );
});

test('merge is associative', () => {
  fc.assert(
    fc.property(told, told, told, (a, b, c) => {
      expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
    }),
    { ...runs, seed: 2 },
  );
});

test('merge is idempotent', () => {
  fc.assert(
    fc.property(told, told, (a, b) => {
      expect(merge(a, a)).toEqual(a);
      expect(merge(merge(a, b), b)).toEqual(merge(a, b));
    }),
    { ...runs, seed: 3 },
  );
});

test('of two stints exactly one is newer, unless they are the same', () => {
  fc.assert(
    fc.property(told, told, (a, b) => {
      expect(
        [isNewerTransition(a, b), isNewerTransition(b, a), sameTransition(a, b)].filter(Boolean),
      ).toHaveLength(1);
    }),
    { ...runs, seed: 4 },
  );
});

test('a write that needs no read does what merge would have done: it overwrites', () => {
  let seen = 0;
  fc.assert(
    fc.property(told, told, (known, claim) => {
      if (isNews(known, claim)) expect(merge(known, claim)).toEqual(claim);
      else if (onlyRefreshes(known, claim)) {
        seen += 1;
        const merged = merge(known, claim);
        const { seq, state, priority, slot, seenMs } = claim;
        expect(merged).toMatchObject({
          seq,
          state,
          priority,
          slot,
          seenMs,
          hiMs: known.hiMs,
          atMs: known.atMs,
        });
      }
    }),
    { ...runs, seed: 5 },
  );
  expect(seen).toBeGreaterThan(30);
});

test('what was said within 15 s bounds a transition, whatever comes later says', () => {
  fc.assert(
    fc.property(told, told, (a, b) => {
      if (!sameTransition(a, b)) return;
      const merged = merge(a, b);
      expect(merged.young).toBe(a.young || b.young);
      const bounds = [a, b].filter((s) => s.young === merged.young).map((s) => s.hiMs);
      expect(merged.hiMs).toBe(Math.min(...bounds));
      expect(merged.seenMs).toBeLessThanOrEqual(START + seconds(1000));
    }),
    { ...runs, seed: 6 },
  );
});
