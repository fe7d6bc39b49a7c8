// The context that is an account of AWS: that of the shell's credentials. Endpoints are the SDK's own, or those of the environment, as the
// SDKs read them (AWS_ENDPOINT_URL_EC2 and so on); so the tests send the whole of it to a local AWS.
//
// Limit: not yet run on a real account.

import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { IAMClient } from '@aws-sdk/client-iam';
import { SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { defined } from '../../shared/optional.ts';
import { serviceOf } from '../build/service.ts';
import type { LiveContext } from '../environment.ts';
import { ssmOf } from './ssm.ts';
import { ssmMachines } from './ssm-machines.ts';
import { stacksOf } from './stacks.ts';

/** Many calls in a row: EC2 refuses some, and the SDK waits. */
const ATTEMPTS = 8;
const PAUSE_MS = 5_000;

export async function accountContext(wanted: string | undefined): Promise<LiveContext> {
  const settings = { maxAttempts: ATTEMPTS, ...defined({ region: wanted }) };
  const ec2 = new EC2Client(settings);
  const region = await ec2.config.region();
  const made = {
    ec2,
    iam: new IAMClient(settings),
    dynamo: new DynamoDBClient(settings),
    logs: new CloudWatchLogsClient(settings),
  };
  const sts = new STSClient(settings);
  const { Account = '' } = await sts.send(new GetCallerIdentityCommand({}));
  sts.destroy();
  const cloudFormation = new CloudFormationClient(settings);
  const stacks = stacksOf(cloudFormation, PAUSE_MS);
  const ofSsm = new SSMClient({ ...settings, maxAttempts: 1 });
  const ssm = ssmOf(ofSsm);
  return {
    ...made,
    stacks,
    name: `AWS account ${Account}, ${region}`,
    region,
    account: Account,
    pauseMs: PAUSE_MS,
    service: serviceOf({ region, stacks, env: { ...process.env, AWS_REGION: region } }),
    image: () => ssm.image(),
    machines: ({ run, instances }, signal) => ssmMachines(ssm, run, instances, signal),
    async close() {
      for (const client of [...Object.values(made), cloudFormation, ofSsm]) client.destroy();
    },
  };
}
