// `npm run live`: drills on a throw-away network in the account that the shell's credentials belong to (live/, docs/live.md).
// `npm run live -- --assumptions`: what the design assumes of AWS, checked in that account.
// With --local both use a local AWS that they start themselves.

import { parseArgs } from 'node:util';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { startLocalAws } from '../lab/aws/local-aws.ts';
import { prepareOrExplain, UNPREPARED } from '../lab/machine/prepare.ts';
import { defined } from '../shared/optional.ts';
import { type Account, answers, line, probes } from './assumptions/questions.ts';
import { runningProbes } from './assumptions/run.ts';
import { liveMain } from './main.ts';

// Not run past: a local run is the first process of its sandbox, and its end is the end of everything in it.
if (!process.argv.includes('--assumptions')) process.exit(await liveMain(process.argv.slice(2)));

const { values } = parseArgs({
  options: { assumptions: { type: 'boolean' }, local: { type: 'boolean' }, region: { type: 'string' } },
});

async function ofThisShell(): Promise<Account> {
  const settings = defined({ region: values.region });
  const [ec2, events] = [new EC2Client(settings), new EventBridgeClient(settings)];
  const logs = new CloudWatchLogsClient(settings);
  const region = await events.config.region();
  const { url } = events.config.endpointProvider({ Region: region });
  return { ec2, events, logs, region, eventsEndpoint: url.origin };
}

async function assumptions(account: Account): Promise<boolean> {
  let passed = true;
  for await (const answer of answers(account, [...probes, ...runningProbes])) {
    console.log(line(answer));
    passed &&= answer.verdict !== 'FAIL';
  }
  return passed;
}

if (values.local === true) {
  if ((await prepareOrExplain('assumptions')) === undefined) process.exit(UNPREPARED);
  const aws = await startLocalAws();
  try {
    const access = {
      region: aws.region,
      credentials: { accessKeyId: aws.accountId, secretAccessKey: 'local' },
    };
    const ec2 = new EC2Client({ ...access, endpoint: aws.ec2Endpoint });
    const events = new EventBridgeClient({ ...access, endpoint: aws.endpoint });
    const logs = new CloudWatchLogsClient({ ...access, endpoint: aws.endpoint });
    await assumptions({ ec2, events, logs, region: aws.region, eventsEndpoint: aws.endpoint });
  } finally {
    await aws.stop();
  }
} else if (!(await assumptions(await ofThisShell()))) process.exitCode = 1;
