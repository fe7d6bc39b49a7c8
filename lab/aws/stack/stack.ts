// The whole service on the local AWS: network, deployed functions, a registered VIP, and what it takes to talk to it.
// The demo and the end-to-end tests work with this.
//
// Invariant: stop() ends everything that start began, also when start fails half-way.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { epochKey } from '../../../shared/aws/dynamodb/timeline.ts';
import { value } from '../../../shared/aws/dynamodb/update-expression.ts';
import { awsVips } from '../../../shared/aws/dynamodb/vip-store.ts';
import { DETAIL_TYPE } from '../../../shared/aws/events/claim-event.ts';
import { defined, ifDefined } from '../../../shared/optional.ts';
import type { Entry, Failover } from '../../../shared/timeline/timeline.ts';
import { SOURCE_PREFIX } from '../../../shared/vip/admission.ts';
import type { VipStore } from '../../../shared/vip/store.ts';
import { newVip, type RegistryEntry, type Vip } from '../../../shared/vip/vip.ts';
import { type FaultProxy, startFaultProxy } from '../../fault/proxy.ts';
import { childEnv, type LocalAws, type LocalAwsOptions, startLocalAws } from '../local-aws.ts';
import { type Deployment, type DeployOptions, deployService } from './deploy.ts';
import { poll } from './poll.ts';
import { buildVpc, type LabVpc } from './vpc.ts';

export const STAGE = 'dev';
export const VIP = 'web';
/** The unique id of the nodes' role: what IAM puts before the colon of their session's user id. */
export const NODE_ROLE_ID = 'AROADEMOROLE00000001';

export interface Stack {
  readonly aws: LocalAws;
  readonly vpc: LabVpc;
  readonly deployment: Deployment;
  readonly ec2: EC2Client;
  readonly vips: VipStore;
  /** With `withFaults` only. */
  readonly faults: Faults | undefined;
  /** Publishes as the node that it names, over the bus, like its shim would. Returns the event's id. */
  publish(detail: object, source?: string): Promise<string>;
  /** Waits, bounded, until the functions' log says what became of an event. */
  answered(eventId: string): Promise<string>;
  /** Waits, bounded, until the outcome of this epoch stands in the record. */
  outcome(epoch: number): Promise<Failover>;
  entries(key: string): Promise<readonly Record<string, unknown>[]>;
  /** Waits, bounded, until the condition holds for the VIP's item. */
  until(why: string, holds: (vip: Vip) => boolean): Promise<Vip>;
  stop(): Promise<void>;
}

/** What the functions talk through, so that AWS can be made to fail under them. */
export interface Faults {
  /** Before everything but EC2. */
  readonly aws: FaultProxy;
  readonly ec2: FaultProxy;
}

export interface StackOptions extends LocalAwsOptions, DeployOptions {
  /** Put fault proxies before the emulators, for the functions alone; off by default. */
  readonly withFaults?: boolean;
  /** Put the VIP into the registry; on by default. */
  readonly register?: boolean;
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const aws = await startLocalAws(options);
  let faults: Faults | undefined;
  try {
    faults = options.withFaults === true ? await startFaults(aws) : undefined;
    const endpoints = defined({ endpoint: faults?.aws.endpoint, ec2Endpoint: faults?.ec2.endpoint });
    const ec2 = new EC2Client(access(aws, aws.ec2Endpoint));
    const role = {
      nodeRoleId: NODE_ROLE_ID,
      nodeRoleArn: `arn:aws:iam::${aws.accountId}:role/vipshift-node`,
    };
    const [vpc, deployment] = await Promise.all([
      buildVpc(ec2, { stage: STAGE, label: VIP }),
      deployService(aws, { stage: STAGE, ...role, ...endpoints, ...options }),
    ]);
    const stack = connect({ aws, vpc, deployment, ec2, faults });
    if (options.register ?? true) await stack.vips.write(undefined, newVip(ledgerEntry(aws, vpc)));
    return stack;
  } catch (error) {
    await Promise.all([faults?.aws.stop(), faults?.ec2.stop()]);
    await aws.stop();
    throw error;
  }
}

async function startFaults(aws: LocalAws): Promise<Faults> {
  const [others, ec2] = await Promise.all([
    startFaultProxy({ target: aws.endpoint }),
    startFaultProxy({ target: aws.ec2Endpoint }),
  ]);
  return { aws: others, ec2 };
}

export const ledgerEntry = (aws: LocalAws, vpc: LabVpc): RegistryEntry => ({
  name: VIP,
  addresses: [vpc.vip.ipv4, vpc.vip.ipv6],
  eips: [vpc.eip.allocationId],
  vpc: vpc.vpcId,
  account: aws.accountId,
  tableLabels: [VIP],
  nodeLabels: [VIP],
  hold: 'both',
});

const access = (aws: LocalAws, endpoint: string) => ({
  endpoint,
  region: aws.region,
  credentials: { accessKeyId: aws.accountId, secretAccessKey: 'local' },
});

type Parts = Pick<Stack, 'aws' | 'vpc' | 'deployment' | 'ec2' | 'faults'>;

function connect({ aws, vpc, deployment, ec2, faults }: Parts): Stack {
  const client = new DynamoDBClient(access(aws, aws.endpoint));
  const events = new EventBridgeClient(access(aws, aws.endpoint));
  const signal = new AbortController().signal;
  const vips = awsVips({ client, table: deployment.vipsTable, signal, nonce: () => crypto.randomUUID() });
  const entries = async (key: string, id?: string) => {
    const request = {
      TableName: deployment.timelineTable,
      KeyConditionExpression: id === undefined ? 'vip = :vip' : 'vip = :vip AND begins_with(id, :id)',
      ExpressionAttributeValues: { ':vip': value(key), ...defined({ ':id': ifDefined(id, value) }) },
      ConsistentRead: true,
    };
    return ((await client.send(new QueryCommand(request))).Items ?? []).map((item) => unmarshall(item));
  };
  return {
    aws,
    vpc,
    deployment,
    ec2,
    vips,
    faults,
    entries: (key) => entries(key),
    async publish(detail, source) {
      const node = (detail as { node?: string }).node ?? 'unknown';
      const entry = {
        EventBusName: deployment.busName,
        Source: source ?? `${SOURCE_PREFIX}${NODE_ROLE_ID}:${node}`,
        DetailType: DETAIL_TYPE,
        Detail: JSON.stringify(detail),
      };
      const reply = await events.send(new PutEventsCommand({ Entries: [entry] }));
      if (reply.FailedEntryCount !== 0) throw new Error(`the bus refused: ${JSON.stringify(reply.Entries)}`);
      return reply.Entries![0]!.EventId!;
    },
    answered: (eventId) =>
      poll(`a log line about event ${eventId}`, async () => {
        const lines = await logLines(aws, deployment.functions.failover);
        return lines.find((line) => line.includes(eventId) && line.includes('"message"'));
      }),
    outcome: (epoch) =>
      poll(`the outcome of epoch ${epoch}`, async () => {
        const found = (await entries(VIP, `${epochKey(epoch)}/`)) as unknown as readonly Entry[];
        return found.find((entry): entry is Failover => entry.entry === 'outcome');
      }),
    until: (why, holds) =>
      poll(why, async () => {
        const vip = await vips.read(VIP);
        return vip !== undefined && holds(vip) ? vip : undefined;
      }),
    async stop() {
      client.destroy();
      events.destroy();
      ec2.destroy();
      await Promise.all([faults?.aws.stop(), faults?.ec2.stop()]);
      await aws.stop();
    },
  };
}

const cli = join(import.meta.dirname, '..', '..', '..', 'cli', 'vipshift.ts');
const CLI_MAX_MS = 30_000;

/** Runs the operator's command against this stack, as a process. Returns its stdout; an Error with its stderr when it fails. */
export async function vipshift(stack: Stack, ...args: readonly string[]): Promise<string> {
  const env = { ...childEnv(stack.aws), VIPSHIFT_STAGE: stack.deployment.stage };
  const run = promisify(execFile);
  return (await run(process.execPath, [cli, ...args], { env, timeout: CLI_MAX_MS })).stdout;
}

const signedFor = (aws: LocalAws, service: string) => {
  const scope = `${aws.accountId}/20260101/${aws.region}/${service}/aws4_request`;
  return `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=local`;
};

/** What a function has logged. By hand, since this one call would be the only use of another client. */
export async function logLines(aws: LocalAws, functionName: string): Promise<readonly string[]> {
  const reply = await fetch(aws.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Logs_20140328.FilterLogEvents',
      authorization: signedFor(aws, 'logs'),
    },
    body: JSON.stringify({ logGroupName: `/aws/lambda/${functionName}` }),
  });
  const { events = [] } = (await reply.json()) as { events?: { message: string }[] };
  return events.map((event) => event.message);
}

/** Waits, bounded, until a function has logged a line for which this holds; returns all such lines. */
export const logged = (aws: LocalAws, functionName: string, holds: (line: string) => boolean) =>
  poll(`the line in the log of ${functionName}`, async () => {
    const found = (await logLines(aws, functionName)).filter(holds);
    return found.length > 0 ? found : undefined;
  });

/** Calls a function and waits for its answer; an Error when the function failed. */
export async function invoke(aws: LocalAws, functionName: string, event: object): Promise<unknown> {
  const reply = await fetch(`${aws.endpoint}/2015-03-31/functions/${functionName}/invocations`, {
    method: 'POST',
    headers: { authorization: signedFor(aws, 'lambda') },
    body: JSON.stringify(event),
  });
  const text = await reply.text();
  if (!reply.ok || reply.headers.has('x-amz-function-error')) throw new Error(`${functionName}: ${text}`);
  return JSON.parse(text);
}
