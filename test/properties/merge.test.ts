// The merge of two node states is commutative and idempotent whatever comes, and associative for all that a node can truly say,
// so that the order and number of deliveries cannot matter; what contradicts it is gone with the node's next word; and
// what one write does without reading is what merge would have done.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EpochMs, epochMs } from '../../shared/time.ts';
import type { Claim } from '../../shared/vip/claim.ts';
import {
  contradicts,
  isNewerTransition,
  merge,
  type NodeState,
  nodeStateFrom,
  sameTransition,
  withdrawn,
} from '../../shared/vip/node-state.ts';
import { isNews, onlyRefreshes } from '../../shared/vip/vip.ts';
import { forgedWord, type NodeWord, nodeHistory, realWord, tiedWords } from './node-words.ts';

const stateFrom = ({ claim, arrivesMs }: NodeWord): NodeState =>
  nodeStateFrom(claim, (claim.timeMs + arrivesMs) as EpochMs);
const together = (states: readonly NodeState[]): NodeState =>
  states.reduce<NodeState | undefined>((known, told) => merge(known, told), undefined)!;

const stintsFrom = ([a, b]: readonly [Claim, Claim]): readonly [NodeState, NodeState] => [
  nodeStateFrom(a, a.timeMs),
  nodeStateFrom(b, b.timeMs),
];

/** Two reports of one history, or of anyone, or two that are hardly to be told apart. */
const pair: fc.Arbitrary<readonly [NodeState, NodeState]> = fc.oneof(
  nodeHistory.chain((words) => {
    const one = fc.constantFrom(...words).map(stateFrom);
    return fc.tuple(one, one);
  }),
  fc.tuple(forgedWord, forgedWord).map(stintsFrom),
  tiedWords.map(stintsFrom),
);
/** The words of one history, some of them twice, in another order. */
const shuffled = nodeHistory.chain((words) =>
  fc
    .shuffledSubarray([...words, ...words.slice(0, 3)], {
      minLength: words.length + Math.min(3, words.length),
    })
    .map((order) => ({ words, order })),
);

const runs = { numRuns: 3000 };

test('merge is commutative, also for words that contradict each other', () => {
  fc.assert(
    fc.property(pair, ([a, b]) => {
      expect(merge(a, b)).toEqual(merge(b, a));
    }),
    { ...runs, seed: 1 },
  );
});

test('merge is commutative for two reports that tie, with any fraction of a millisecond', () => {
  let [tied, fractions] = [0, 0];
  fc.assert(
    fc.property(tiedWords, ([one, other]) => {
      const [a, b] = stintsFrom([one, other]);
      expect(merge(a, b)).toEqual(merge(b, a));
      expect(Object.values(merge(a, b)).every((v) => typeof v !== 'number' || Number.isInteger(v))).toBe(
        true,
      );
      if (sameTransition(a, b) && a.hiMs === b.hiMs && a.atMs === b.atMs) tied += 1;
      if (!Number.isInteger(one.uptimeMs - other.uptimeMs)) fractions += 1;
    }),
    { ...runs, seed: 9 },
  );
  expect(tied).toBeGreaterThan(200);
  expect(fractions).toBeGreaterThan(500);
});

test('merge is associative for what a node can truly say: any order of delivery leaves the same record', () => {
  let differently = 0;
  fc.assert(
    fc.property(shuffled, ({ words, order }) => {
      const record = together(words.map(stateFrom));
      expect(together(order.map(stateFrom))).toEqual(record);
      const half = Math.ceil(order.length / 2);
      const [one, other] = [order.slice(0, half), order.slice(half)].map((part) =>
        together(part.map(stateFrom)),
      );
      if (other !== undefined) expect(merge(one, other)).toEqual(record);
      if (order.some((word, n) => word !== words[n])) differently += 1;
    }),
    { ...runs, seed: 2 },
  );
  expect(differently).toBeGreaterThan(1000);
});

test('of what a node can truly say the last transition stays, and nothing is called a contradiction', () => {
  fc.assert(
    fc.property(shuffled, ({ words, order }) => {
      const last = Math.max(...words.map((w) => w.nth));
      const { claim } = words.find((w) => w.nth === last)!;
      let known: NodeState | undefined;
      for (const next of order.map(stateFrom)) {
        expect(known === undefined ? undefined : contradicts(known, next)).toBeUndefined();
        known = merge(known, next);
      }
      expect(known).toMatchObject({ bootId: claim.bootId, since: claim.since, state: claim.state });
    }),
    { ...runs, seed: 3 },
  );
});

test('a second copy of what was sent before the instance was gone does not bring it back, in any order', () => {
  let stampedAfter = 0;
  const drawn = fc.tuple(
    fc.tuple(nodeHistory, fc.nat()).map(([words, n]) => words[n % words.length]!.claim),
    fc.record({
      goneAfterMs: fc.integer({ min: 0, max: 3000 }),
      copyAfterMs: fc.integer({ min: 0, max: 3000 }),
    }),
  );
  fc.assert(
    fc.property(drawn, ([claim, { goneAfterMs, copyAfterMs }]) => {
      const first = nodeStateFrom(claim, claim.timeMs);
      const goneAtMs = epochMs(claim.timeMs + goneAfterMs);
      const gone = withdrawn(first, goneAtMs);
      const copyAtMs = epochMs(claim.timeMs + copyAfterMs);
      const copy = nodeStateFrom({ ...claim, way: 'direct', timeMs: copyAtMs }, copyAtMs);
      expect(merge(gone, copy).state).toBe('STOP');
      expect(merge(gone, copy)).toEqual(merge(copy, gone));
      expect(withdrawn(merge(first, copy), goneAtMs).state).toBe('STOP');
      if (copyAtMs > goneAtMs && claim.state !== 'STOP') stampedAfter += 1;
    }),
    { ...runs, seed: 10 },
  );
  expect(stampedAfter).toBeGreaterThan(500);
});

test('merge is idempotent', () => {
  fc.assert(
    fc.property(pair, ([a, b]) => {
      expect(merge(a, a)).toEqual(a);
      expect(merge(merge(a, b), b)).toEqual(merge(a, b));
    }),
    { ...runs, seed: 4 },
  );
});

test('of two node states exactly one is newer, unless they are the same', () => {
  fc.assert(
    fc.property(pair, ([a, b]) => {
      if (!sameTransition(a, b))
        expect([isNewerTransition(a, b), isNewerTransition(b, a)].filter(Boolean)).toHaveLength(1);
    }),
    { ...runs, seed: 5 },
  );
});

test('a write that needs no read does what merge would have done, and contradicts nothing', () => {
  let [news, refreshes] = [0, 0];
  fc.assert(
    fc.property(pair, ([known, claim]) => {
      if (isNews(known, claim)) {
        news += 1;
        expect(merge(known, claim)).toEqual(claim);
        expect(contradicts(known, claim)).toBeUndefined();
      } else if (onlyRefreshes(known, claim)) {
        refreshes += 1;
        const merged = merge(known, claim);
        const { seq, state, priority, slot, seenMs, upMs, stampMs, bootAtMs } = claim;
        const { hiMs, atMs } = known;
        expect(merged).toMatchObject({
          seq,
          state,
          priority,
          slot,
          seenMs,
          upMs,
          stampMs,
          bootAtMs,
          hiMs,
          atMs,
        });
        expect(contradicts(known, claim)).toBeUndefined();
      }
    }),
    { ...runs, seed: 6 },
  );
  expect(news).toBeGreaterThan(300);
  expect(refreshes).toBeGreaterThan(30);
});

test('what was said within 15 s bounds a transition, whatever comes later says', () => {
  let met = 0;
  fc.assert(
    fc.property(pair, ([a, b]) => {
      if (!sameTransition(a, b) || contradicts(a, b) !== undefined) return;
      met += 1;
      const merged = merge(a, b);
      expect(merged.young).toBe(a.young || b.young);
      const bounds = [a, b].filter((s) => s.young === merged.young).map((s) => s.hiMs);
      expect(merged.hiMs).toBe(Math.min(...bounds));
    }),
    { ...runs, seed: 7 },
  );
  expect(met).toBeGreaterThan(300);
});

/** ORDER_DOUBT, a second of AWS's stamps and one of the parser's slack. */
const OVERTAKEN_MS = 67_000;

test('whatever was made up within a minute, the node’s next word but a few seconds later is recorded', () => {
  let contradicted = 0;
  fc.assert(
    fc.property(
      fc.array(forgedWord, { minLength: 1, maxLength: 6 }),
      fc.nat({ max: 60_000 }),
      (forged, later) => {
        const honest = realWord(OVERTAKEN_MS + later);
        const lies = forged.map((claim) => nodeStateFrom(claim, claim.timeMs));
        const known = together([...lies, nodeStateFrom(realWord(0), epochMs(realWord(0).timeMs)), ...lies]);
        const told = nodeStateFrom(honest, honest.timeMs);
        if (contradicts(known, told) !== undefined) contradicted += 1;
        const { state, since, seq } = told;
        const record = merge(known, told);
        expect(record).toMatchObject({ bootId: told.bootId, state, since, seq });
        // Delivered again, as EventBridge may for a day, the lies have lost already.
        for (const lie of lies) expect(merge(record, lie)).toMatchObject({ state, since, seq });
      },
    ),
    { ...runs, seed: 8 },
  );
  expect(contradicted).toBeGreaterThan(1000);
});
