// The doctor before a world: its own adapters and judgements, with clients that the world answers.
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { IAMClient } from '@aws-sdk/client-iam';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { DoctorOptions } from '../../../../cli/doctor/clients.ts';
import { type Found, findingsFor } from '../../../../cli/doctor/findings.ts';
import { manualClock } from '../../../../shared/memory/clock.ts';
import { epochMs } from '../../../../shared/time.ts';
import { answerOf } from './answers.ts';
import { ACCOUNT, NOW, PLACE, REGION, RETENTION_DAYS, TAG } from './names.ts';
import type { World } from './world.ts';

/** Those that are asked, in order, and what they answer now. */
interface Asked {
  world: World;
  readonly calls: string[];
}

const asked: Asked = { world: undefined as unknown as World, calls: [] };
const config = {
  region: REGION,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
};
const answering = <Client extends object>(client: Client): Client => {
  const { middlewareStack } = client as unknown as EC2Client;
  middlewareStack.add(
    (_next, { commandName = '' }) =>
      ({ input }) => {
        const command = commandName.replace(/Command$/, '');
        asked.calls.push(command);
        const output = answerOf(asked.world, command, input as never);
        return Promise.resolve({ output: { ...output, $metadata: {} }, response: {} }) as never;
      },
    { step: 'initialize', priority: 'high' },
  );
  return client;
};

// Made once: a client takes longer to make than the doctor to judge.
const clients = {
  ec2: answering(new EC2Client(config)),
  dynamo: answering(new DynamoDBClient(config)),
  events: answering(new EventBridgeClient(config)),
  iam: answering(new IAMClient(config)),
  stacks: answering(new CloudFormationClient(config)),
  lambda: answering(new LambdaClient(config)),
  alarms: answering(new CloudWatchClient(config)),
  sqs: answering(new SQSClient(config)),
  sns: answering(new SNSClient(config)),
};
const { signal } = new AbortController();
const clock = manualClock(NOW);

export const ec2Access = (world: World) => {
  asked.world = world;
  return { reader: clients.ec2, tag: TAG, clock, signal };
};

export interface Looked extends Found {
  readonly calls: readonly string[];
}

/** Without an event end to end: nothing here would carry it. */
export async function look(world: World, options: DoctorOptions = {}): Promise<Looked> {
  asked.world = world;
  asked.calls.length = 0;
  const session = {
    settings: {
      ...{ stage: 'dev', vipsTable: 'vipshift-dev-vips', timelineTable: 'vipshift-dev-timeline' },
      ...{ bus: 'vipshift-dev', identity: { mode: 'none' as const }, retentionDays: RETENTION_DAYS },
    },
    ...{ tag: TAG, place: PLACE, signal, clients, ports: { clock } },
    ec2: { reader: clients.ec2, signal },
    now: () => NOW,
    caller: async () => `arn:aws:iam::${ACCOUNT}:user/ann`,
    log: {
      probes: async () => {
        asked.calls.push('probes');
        return Object.entries(world.shims).map(([node, shim]) => ({
          ...{ node, shim, eventId: node, atMs: epochMs(NOW) },
        }));
      },
      find: () => Promise.reject(new Error('no probe is sent')),
    },
  };
  const { vips } = world;
  const found = await findingsFor(session, clients, {
    step: () => undefined,
    ...{ vips, all: vips, options: { probe: false, ...options } },
  });
  return { ...found, calls: [...asked.calls] };
}
