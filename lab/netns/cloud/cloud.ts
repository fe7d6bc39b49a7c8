/**
 * Cloud: the local AWS with the deployed service as the lab uses it: taps before every endpoint, the VPC mirrored into the
 * router, IMDS and STS for the nodes, the VIP registered.
 *
 *   shim ─ bus tap ─ MiniStack ─ function ─ store tap ─ MiniStack (DynamoDB)
 *                                        └ ec2 tap ── moto ─▶ mirror ─▶ router
 *
 * The lab's own questions go past the taps, so that what these have seen is the service's alone.
 */
import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import {
  DeleteFunctionConcurrencyCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import { awsTimeline } from '../../../shared/aws/dynamodb/timeline.ts';
import { awsVips } from '../../../shared/aws/dynamodb/vip-store.ts';
import { update } from '../../../shared/registry/registry.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import { defaultScope, newVip, type Vip } from '../../../shared/vip/vip.ts';
import { childEnv, type LocalAws, startLocalAws } from '../../aws/local-aws.ts';
import { calm } from '../../aws/stack/calm.ts';
import { deployReleased, deployService } from '../../aws/stack/deploy.ts';
import { invoke } from '../../aws/stack/stack.ts';
import { buildVpc, type LabVpc } from '../../aws/stack/vpc.ts';
import { type Agents, startAgents } from '../node/agents.ts';
import { acceptedClaims, claimsOf, type SentClaim } from '../node/claims.ts';
import { type Hold, INSTANCE } from '../node/keepalived.ts';
import type { Router } from '../sandbox/router.ts';
import { AWS_ADDRESS, type NodeLabel, VIP } from '../sandbox/topology.ts';
import type { Translation } from '../sandbox/translation.ts';
import { checkOf, type VpcCheck } from '../sandbox/vpc-check.ts';
import { killCaller } from './caller.ts';
import { type DirectWay, startDirectWay } from './direct.ts';
import { startMetadata } from './metadata.ts';
import { Mirror } from './mirror.ts';
import { giveOrder, type OrderEnd } from './order.ts';
import { type Exchange, type Gate, Tap } from './recording-proxy.ts';
import { type Warnings, warningsOf } from './warnings.ts';

export interface Cloud {
  readonly vpc: LabVpc & VpcCheck;
  /** Where the lab's Internet reaches the VIP's EIP. */
  readonly eip: string;
  readonly instanceIds: Readonly<Record<NodeLabel, string>>;
  /** For the command line. */
  readonly operatorEnv: NodeJS.ProcessEnv;
  /** Of the stack. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly mirror: Mirror;
  /** Before PutEvents of the nodes, EC2 of the functions, DynamoDB of the functions. */
  readonly bus: Tap;
  readonly ec2: Tap;
  readonly store: Tap;
  /** With `direct` only. */
  readonly direct: DirectWay | undefined;
  /** The bus's gate where no scenario has set another. */
  readonly busGate: Gate;
  /** The shims' configuration file. */
  readonly notifyConf: string;
  /** Lets the next scenario, or planned stop, begin with calm nodes. */
  calm(): Promise<void>;
  /** The registry says from now on that the VIP is held like this, as the nodes' keepalived has to. */
  register(hold: Hold): Promise<void>;
  vip(): Promise<Vip>;
  /** The outcomes of these epochs that the timeline has. */
  failovers(from: number, to: number): Promise<Failover[]>;
  /** The claims that the bus has accepted since `forget`. */
  claims(): SentClaim[];
  /** Puts entries onto the bus as they are, past the tap. */
  putEvents(entries: readonly unknown[]): Promise<void>;
  /** A forced failover by the deployed workflow, to its end. */
  order(input: object): Promise<OrderEnd>;
  readonly warnings: Warnings;
  /** One sweep of reconcile, to its end. */
  reconcile(): Promise<void>;
  /** The nodes' SSM agents. */
  readonly agents: Agents;
  /** How many of the function `failover` may run at once; undefined: as many as the account allows. */
  limitFailover(most: number | undefined): Promise<void>;
  /** SIGKILL to the process that sent this request. */
  killCaller(exchange: Exchange): Promise<void>;
  /** Everything seen so far is the past; the next scenario starts with nothing. */
  forget(): void;
  close(): Promise<void>;
}

export interface CloudInput {
  readonly router: Router;
  readonly translation: Translation;
  readonly logFolder: string;
  readonly busGate: Gate;
  readonly say: (what: string) => void;
  /** The stack has a function URL, and the nodes may call it. */
  readonly direct?: boolean;
  /** The folder of a release: its template is deployed instead of the checkout, and no VIP is registered. */
  readonly release?: string;
}

export const pass: Gate = () => 'pass';

/**
 * The lab's negative control: the bus takes every claim and passes on those of a MASTER transition only, as a controller hears
 * them that acts on MASTER alone. Both traps of VRRP must then end wrong.
 */
export const masterOnly: Gate = (exchange) => {
  const claims = claimsOf(exchange);
  if (claims.length === 0 || claims.some(({ kind, state }) => kind === 'transition' && state === 'MASTER'))
    return 'pass';
  const taken = {
    FailedEntryCount: 0,
    Entries: claims.map((_, index) => ({ EventId: `swallowed-${index}` })),
  };
  return { status: 200, body: JSON.stringify(taken) };
};

const STAGE = 'lab';
const VIP_NAME = 'web';
const ROLE_ID = 'AROALAB00000000000001';

export async function openCloud(input: CloudInput): Promise<Cloud> {
  const { router, translation, logFolder, busGate, say } = input;
  const agents = await startAgents();
  const aws = await startLocalAws({ logDir: logFolder, ssmAgents: agents.url });
  say('local AWS is up');
  const [bus, ec2, store] = [new Tap(aws.endpoint), new Tap(aws.ec2Endpoint), new Tap(aws.endpoint)];
  await Promise.all([bus.listen(AWS_ADDRESS), ec2.listen('127.0.0.1'), store.listen('127.0.0.1')]);
  const clients = clientsOf(aws);
  const built = await buildVpc(clients.ec2, { stage: STAGE, label: VIP_NAME });
  if (built.vip.ipv4 !== `${VIP}/32`)
    throw new Error(`lab/aws/stack/vpc.ts has the VIP ${built.vip.ipv4}, expected ${VIP}/32`);
  const vpc = { ...built, ...(await checkOf(clients.ec2, built)) };
  const taps = {
    stage: STAGE,
    ec2Endpoint: ec2.endpoint,
    extraEnv: { AWS_ENDPOINT_URL_DYNAMODB: store.endpoint },
  };
  const role = { nodeRoleId: ROLE_ID, nodeRoleArn: `arn:aws:iam::${aws.accountId}:role/vipshift-node` };
  const { release, direct: directPath = false } = input;
  const deployment = await (release === undefined
    ? deployService(aws, { ...taps, ...role, directPath })
    : deployReleased(aws, {
        ...taps,
        release,
        parameters: {
          NodeRoleId: role.nodeRoleId,
          NodeRoleArn: role.nodeRoleArn,
          DeletionProtection: 'false',
        },
      }));
  say('the service is deployed');
  const mirror = new Mirror(clients.ec2, vpc.vpcId, router, translation);
  await mirror.load();
  ec2.answered = (exchange) => mirror.follow(exchange);
  const metadata = await startMetadata({
    nodes: vpc.nodes,
    region: aws.region,
    accountId: aws.accountId,
    roleId: ROLE_ID,
  });
  const direct = directPath
    ? await startDirectWay({
        ...{ endpoint: aws.endpoint, region: aws.region, accountId: aws.accountId },
        ...{ functionName: deployment.functions.failover, callerOf: metadata.callerOf },
      })
    : undefined;
  const { signal } = new AbortController();
  const table = { client: clients.dynamo, signal, nonce: randomUUID };
  const vips = awsVips({ ...table, table: deployment.vipsTable });
  const timeline = awsTimeline({ ...table, table: deployment.timelineTable, retentionDays: 1 });
  const entry = {
    ...defaultScope(VIP_NAME),
    addresses: [`${VIP}/32`],
    eips: [vpc.eip.allocationId],
    vpc: vpc.vpcId,
    account: aws.accountId,
    hold: 'both',
  } as const;
  if (release === undefined) await vips.write(undefined, newVip(entry));
  let limit: number | undefined;
  const instanceIds = { a: vpc.nodes.a.instanceId, b: vpc.nodes.b.instanceId };
  return {
    vpc,
    operatorEnv: { ...childEnv(aws), VIPSHIFT_STAGE: STAGE },
    outputs: deployment.outputs,
    eip: mirror.publicAddressOf(vpc.eip.allocationId),
    instanceIds,
    mirror,
    bus,
    ec2,
    store,
    direct,
    busGate,
    notifyConf: [
      `instance ${INSTANCE} = ${VIP_NAME}`,
      `bus = ${deployment.busName}`,
      'allow_http = yes',
      `endpoint_events = ${bus.endpoint}`,
      `endpoint_sts = ${metadata.stsEndpoint}`,
      '',
    ].join('\n'),
    calm: () => calm(vips, VIP_NAME),
    async register(hold) {
      await update(vips, VIP_NAME, (vip) =>
        vip === undefined || vip.hold === hold ? vip : { ...vip, hold },
      );
    },
    async vip() {
      const found = await vips.read(VIP_NAME);
      if (found === undefined) throw new Error(`the VIP ${VIP_NAME} is no longer in the registry`);
      return found;
    },
    async failovers(from, to) {
      const epochs = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
      const entries = await Promise.all(epochs.map((epoch) => timeline.read(VIP_NAME, epoch)));
      return entries.map(({ outcome }) => outcome).filter((outcome) => outcome !== undefined);
    },
    claims: () => acceptedClaims(bus.exchanges),
    async putEvents(entries) {
      await clients.events.send(new PutEventsCommand({ Entries: entries as never }));
    },
    order: (given) =>
      giveOrder(accessTo(aws, aws.endpoint), deployment.outputs.FailoverMachineArn!, {
        vip: VIP_NAME,
        by: 'the lab',
        ...given,
      }),
    warnings: warningsOf({
      ...{ ...clients, metadata, instanceIds, vips, vip: VIP_NAME },
      machines: [deployment.outputs.DepartureMachineArn!, deployment.outputs.FailoverMachineArn!],
    }),
    async reconcile() {
      await invoke(aws, deployment.functions.reconcile, {});
    },
    agents,
    async limitFailover(most) {
      if (most === limit) return;
      limit = most;
      const FunctionName = deployment.functions.failover;
      await (most === undefined
        ? clients.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }))
        : clients.lambda.send(
            new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: most }),
          ));
    },
    killCaller,
    forget() {
      for (const tap of [bus, ec2, store, ...(direct ? [direct.tap] : [])]) tap.exchanges.length = 0;
      mirror.changes.length = 0;
      mirror.troubles.length = 0;
    },
    async close() {
      await Promise.all([metadata.stop(), agents.stop(), direct?.close()]);
      for (const tap of [bus, ec2, store]) tap.close();
      await aws.stop();
    },
  };
}

const accessTo = (aws: LocalAws, endpoint: string) => ({
  region: aws.region,
  credentials: { accessKeyId: aws.accountId, secretAccessKey: 'local' },
  maxAttempts: 3,
  endpoint,
});

const clientsOf = (aws: LocalAws) => ({
  ec2: new EC2Client(accessTo(aws, aws.ec2Endpoint)),
  dynamo: new DynamoDBClient(accessTo(aws, aws.endpoint)),
  events: new EventBridgeClient(accessTo(aws, aws.endpoint)),
  lambda: new LambdaClient(accessTo(aws, aws.endpoint)),
  workflows: new SFNClient(accessTo(aws, aws.endpoint)),
});
