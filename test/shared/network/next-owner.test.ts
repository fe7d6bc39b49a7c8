// The next owner as EC2 shows it. An instance that is not there is another thing than an answer that did not come.
import { expect, test } from 'vitest';
import { Fault } from '../../../shared/fault.ts';
import { asNextOwner, ownerProblemText, statesOf } from '../../../shared/network/next-owner.ts';
import { item, says, world } from '../../support/world.ts';

test.each([
  ['running', []],
  ['stopped', ['the instance i-b is stopped, expected running']],
  [undefined, ['EC2 shows no instance i-b']],
  ['no answer', []],
] as const)('where EC2 says %s of its instance the problems are %j', async (state, problems) => {
  const w = world();
  await says(w, 'i-b', { state: 'BACKUP' });
  const hostState = async () => {
    if (state === 'no answer') throw new Fault('throttled', 'RequestLimitExceeded', 'slow down');
    return state;
  };
  const hosts = await statesOf({ hostState }, 'i-b');
  const found = asNextOwner(item(w), await w.ec2.observe(item(w)), 'i-b', hosts);
  expect(found.problems.map(ownerProblemText)).toEqual(problems);
});
