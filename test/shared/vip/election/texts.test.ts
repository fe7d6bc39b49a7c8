import { expect, test } from 'vitest';
import { type ElectionReason, electionText, type Unfit, unfitText } from '../../../../shared/vip/election.ts';

const reasons: readonly ElectionReason[] = [
  { key: 'frozen' },
  { key: 'pinned' },
  { key: 'newest-master', node: 'i-a' },
  { key: 'in-doubt', node: 'i-a', other: 'i-b' },
  { key: 'outranks', node: 'i-a', other: 'i-b' },
  { key: 'damped', node: 'i-a', other: 'i-b' },
  { key: 'drained', node: 'i-a', other: 'i-b' },
  { key: 'leaving', node: 'i-a', other: 'i-b', cause: 'spot-terminate' },
  { key: 'no-candidate' },
  { key: 'unowned', node: 'i-a' },
  { key: 'owner-withdrew', node: 'i-a', owner: 'i-b', state: 'FAULT' },
  { key: 'owner-silent', node: 'i-a', owner: 'i-b' },
];

const unfits: readonly Unfit[] = [
  { key: 'no-member', node: 'i-a' },
  { key: 'never-heard', node: 'i-a' },
  { key: 'withdrawn', node: 'i-a', state: 'STOP' },
  { key: 'silent', node: 'i-a' },
  { key: 'drained', node: 'i-a' },
  { key: 'leaving', node: 'i-a' },
];

/** All that a sentence has to name. */
const named = ({ key: _key, ...fields }: ElectionReason | Unfit): readonly string[] => Object.values(fields);

test.each(reasons)('the election is told in a sentence that names all it is about: $key', (reason) => {
  expect(electionText(reason)).toMatch(/ /);
  for (const name of named(reason)) expect(electionText(reason)).toContain(name);
});

test.each(unfits)('why a node is no target is told in a sentence that names it: $key', (reason) => {
  expect(unfitText(reason)).toMatch(/ /);
  for (const name of named(reason)) expect(unfitText(reason)).toContain(name);
});

test('the text of a reason that only a newer version knows is its key', () => {
  expect(electionText({ key: 'later', node: 'i-a' } as never)).toBe('later');
});
