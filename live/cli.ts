// `npm run live`: drills on a throw-away network in the account that the shell's credentials belong to (live/, docs/live.md).
// `npm run live -- --assumptions`: what the design assumes of AWS, checked in that account.
// With --local both use a local AWS that they start themselves.

import { parseArgs } from 'node:util';
import { startLocalAws } from '../lab/aws/local-aws.ts';
import { prepareOrExplain, UNPREPARED } from '../lab/machine/prepare.ts';
import { localAccount, shellAccount } from './assumptions/account.ts';
import { allProbes } from './assumptions/all.ts';
import { type Account, answers, line } from './assumptions/questions.ts';
import { liveMain } from './main.ts';

// Not run past: a local run is the first process of its sandbox, and its end is the end of everything in it.
if (!process.argv.includes('--assumptions')) process.exit(await liveMain(process.argv.slice(2)));

const { values } = parseArgs({
  options: { assumptions: { type: 'boolean' }, local: { type: 'boolean' }, region: { type: 'string' } },
});

async function assumptions(account: Account): Promise<boolean> {
  let passed = true;
  for await (const answer of answers(account, allProbes)) {
    console.log(line(answer));
    passed &&= answer.verdict !== 'FAIL';
  }
  return passed;
}

if (values.local === true) {
  if ((await prepareOrExplain('assumptions')) === undefined) process.exit(UNPREPARED);
  const aws = await startLocalAws();
  try {
    await assumptions(localAccount(aws));
  } finally {
    await aws.stop();
  }
} else if (!(await assumptions(await shellAccount(values.region)))) process.exitCode = 1;
