// The context that is a local AWS: EC2, IAM and SSM are moto's, the rest MiniStack's, both started here; what runs on the instances is emulated by the
// network lab with real keepalived, the real shim and real packets (emulated-machines.ts).
//
// Invariant: all of it lives in a sandbox of its own (lab/netns/sandbox/sandbox.ts), which it enters itself and which takes everything along.
// Limit: bus, Lambda and EC2 are the emulators' and say nothing about AWS. It proves that the harness works.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { IAMClient } from '@aws-sdk/client-iam';
import { SSMClient } from '@aws-sdk/client-ssm';
import { childEnv, type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { ensurePython } from '../../lab/aws/python.ts';
import { quickMonitoring } from '../../lab/aws/stack/serverless.ts';
import { prepareOrExplain, UNPREPARED } from '../../lab/machine/prepare.ts';
import { Tap } from '../../lab/netns/cloud/recording-proxy.ts';
import { Router } from '../../lab/netns/sandbox/router.ts';
import { runInSandbox } from '../../lab/netns/sandbox/sandbox.ts';
import { AWS_ADDRESS, buildTopology } from '../../lab/netns/sandbox/topology.ts';
import { ssmOf } from '../aws/ssm.ts';
import { stacksOf } from '../aws/stacks.ts';
import { serviceOf } from '../build/service.ts';
import type { LiveContext } from '../environment.ts';
import { VIP_ADDRESS } from '../plan.ts';
import { emulatedMachines } from './emulated-machines.ts';

const root = join(import.meta.dirname, '..', '..');
const logFolder = join(root, '.lab', 'live');
const PAUSE_MS = 50;
/** lab/netns/node/keepalived.ts. */
export const LOCAL_ADVERT_S = 0.1;

/** Runs this command once more, inside a sandbox; resolves with its exit status when all of it is gone. */
export async function enterLocal(argv: readonly string[]): Promise<number> {
  const prepared = await prepareOrExplain('live');
  if (prepared === undefined) return UNPREPARED;
  // The only step that needs a network, which the inside does not have.
  await ensurePython();
  const args = [join(root, 'live', 'cli.ts'), ...argv];
  return runInSandbox({ ...prepared, program: process.execPath, args, env: { TMPDIR: '/run' } });
}

export async function localContext(say: (text: string) => void): Promise<LiveContext> {
  mkdirSync(logFolder, { recursive: true });
  buildTopology();
  const router = await Router.start([VIP_ADDRESS]);
  const aws = await startLocalAws({ logDir: logFolder });
  say('a local AWS is up, and the namespaces that play the VPC');
  // Before PutEvents of the nodes, and before EC2 of the functions.
  const [bus, ec2Tap] = [new Tap(aws.endpoint), new Tap(aws.ec2Endpoint)];
  await Promise.all([bus.listen(AWS_ADDRESS), ec2Tap.listen('127.0.0.1')]);
  const made = clientsOf(aws);
  const ofSsm = new SSMClient({ ...access(aws), endpoint: aws.ec2Endpoint, maxAttempts: 1 });
  const ssm = ssmOf(ofSsm);
  const cloudFormation = new CloudFormationClient({ ...access(aws), endpoint: aws.endpoint });
  const stacks = stacksOf(cloudFormation, PAUSE_MS);
  return {
    ...made,
    name: 'a local AWS with emulated machines (its figures say nothing about AWS)',
    region: aws.region,
    account: aws.accountId,
    pauseMs: PAUSE_MS,
    stacks,
    service: serviceOf({
      region: aws.region,
      stacks,
      plugin: join(root, 'lab', 'aws', 'stack', 'serverless-local.cjs'),
      env: serviceEnv(aws, ec2Tap.endpoint),
    }),
    image: () => ssm.image(),
    machines: (testBed) => emulatedMachines({ testBed, aws, router, bus, ec2Tap, ec2: made.ec2, logFolder }),
    async close() {
      for (const client of [...Object.values(made), cloudFormation, ofSsm]) client.destroy();
      for (const tap of [bus, ec2Tap]) tap.close();
      router.close();
      await aws.stop();
    },
  };
}

const access = (aws: LocalAws) => ({
  region: aws.region,
  credentials: { accessKeyId: aws.accountId, secretAccessKey: 'local' },
});

function clientsOf(aws: LocalAws): Pick<LiveContext, 'ec2' | 'iam' | 'dynamo' | 'logs'> {
  const [others, ofMoto] = [aws.endpoint, aws.ec2Endpoint].map((endpoint) => ({ ...access(aws), endpoint }));
  return {
    ec2: new EC2Client(ofMoto!),
    // Where the instance profiles are that EC2 knows.
    iam: new IAMClient(ofMoto!),
    dynamo: new DynamoDBClient(others!),
    logs: new CloudWatchLogsClient(others!),
  };
}

const serviceEnv = (aws: LocalAws, ec2Endpoint: string): NodeJS.ProcessEnv => ({
  ...childEnv(aws),
  ...quickMonitoring,
  VIPSHIFT_LAB_OUTPUTS: join(aws.folder, 'outputs.json'),
  VIPSHIFT_LAB_FUNCTION_ENV: JSON.stringify({
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ENDPOINT_URL_EC2: ec2Endpoint,
  }),
});
