// As elections.netns.test.ts, with 500 pairs: every change of the generator comes at least once.
import { expect, test } from 'vitest';
import { compare } from './election/comparison.ts';
import { changeNames } from './election/draft.ts';
import { pairsFrom } from './election/pairs.ts';

test('500 pairs of files: what the doctor says is what keepalived does', async () => {
  const { disagreements, counts, changes } = await compare(pairsFrom(500, 21), 24);
  console.log({ ...counts, disagreements: disagreements.length });
  expect(disagreements).toEqual([]);
  expect(counts['two masters']).toBeGreaterThan(70);
  expect(counts['one master']).toBeGreaterThan(100);
  expect(changeNames.filter((name) => changes[name] === undefined)).toEqual([]);
}, 900_000);
