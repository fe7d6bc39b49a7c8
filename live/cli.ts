// `npm run live`: drills on a throw-away network in the account that the shell's credentials belong to (live/, docs/live.md).
// `npm run live -- --assumptions`: what the design assumes of AWS, checked in that account.
// With --local both use a local AWS that they start themselves.

import { parseArgs } from 'node:util';
import { startLocalAws } from '../lab/aws/local-aws.ts';
import { prepareOrExplain, UNPREPARED } from '../lab/machine/prepare.ts';
import { localAccount, shellAccount } from './assumptions/account.ts';
import { allProbes } from './assumptions/all.ts';
import { type Account, answers, line } from './assumptions/questions.ts';
import { status } from './harness.ts';
import { interruptible } from './interruption.ts';
import { liveMain } from './main.ts';

// Not run past: a local run is the first process of its sandbox, and its end is the end of everything in it.
if (!process.argv.includes('--assumptions')) process.exit(await liveMain(process.argv.slice(2)));

const { values } = parseArgs({
  options: { assumptions: { type: 'boolean' }, local: { type: 'boolean' }, region: { type: 'string' } },
});

const interruption = interruptible((text) => void process.stderr.write(`assumptions: ${text}\n`));

async function assumptions(account: Account): Promise<number> {
  let passed = true;
  for await (const answer of answers(account, allProbes)) {
    console.log(line(answer));
    passed &&= answer.verdict !== 'FAIL';
  }
  if (interruption.signal.aborted) return status.interrupted;
  return passed ? status.ok : status.bad;
}

/** What must fail there does: only an interruption is a failure. */
async function locally(): Promise<number> {
  if ((await prepareOrExplain('assumptions')) === undefined) return UNPREPARED;
  const aws = await startLocalAws();
  try {
    const found = await assumptions(localAccount(aws, interruption.signal));
    return found === status.bad ? status.ok : found;
  } finally {
    await aws.stop();
  }
}

process.exitCode =
  values.local === true
    ? await locally()
    : await assumptions(await shellAccount(values.region, interruption.signal));
interruption.end();
