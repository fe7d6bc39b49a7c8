// The doctor’s word on generated pairs of files, held against keepalived’s: `keepalived -t` on each, and an election of both.
// elections.long.netns.test.ts has 500 of them.
import { expect, test } from 'vitest';
import { compare } from './election/comparison.ts';
import { type Pair, pairsFrom } from './election/pairs.ts';

const PAIRS = 40;

test(`${PAIRS} pairs of files: what the doctor says is what keepalived does`, async () => {
  const pairs = pairsFrom(70, 1).filter(isQuick).slice(0, PAIRS);
  expect(pairs).toHaveLength(PAIRS);
  const { disagreements, counts } = await compare(pairs, PAIRS);
  expect(disagreements).toEqual([]);
  expect(counts['two masters']).toBeGreaterThan(5);
  expect(counts['one master']).toBeGreaterThan(5);
  expect(counts['a file that keepalived complains about']).toBeGreaterThan(3);
});

/** Intervals of more than a second, and elections one after the other, take a quarter of a minute. */
const isQuick = ({ downMs, first }: Pair): boolean =>
  Math.max(...downMs) <= (first.length === 1 ? 4_000 : 2_000);
