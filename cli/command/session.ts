// One run's connection to a deployment: which stage, Region and tables, and the clients for them. The CLI's only reader
// of the environment. Region and profile are found as the AWS CLI finds them.
//
// Limit: it believes that the stack's names are the default ones of serverless.yml unless VIPSHIFT_* says otherwise.

import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname, userInfo } from 'node:os';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { awsApprovals } from '../../shared/aws/dynamodb/approvals.ts';
import { awsOperatorActions } from '../../shared/aws/dynamodb/operator-actions.ts';
import { awsReservations, type Reservations } from '../../shared/aws/dynamodb/reservations.ts';
import { type AuditLog, awsAuditLog } from '../../shared/aws/dynamodb/timeline-query.ts';
import type { Surveyed } from '../../shared/aws/ec2/survey.ts';
import type { Ec2Reader } from '../../shared/aws/ec2/vpc.ts';
import { laterPublisher } from '../../shared/aws/events/publisher.ts';
import type { Workflow } from '../../shared/aws/step-functions/workflow.ts';
import { tagKey } from '../../shared/aws/tag-key.ts';
import {
  type ExecutionEnvironment,
  executionEnvironment,
  clients as lambdaClients,
  portsFor,
  ratesFrom,
  type Settings,
  systemNow,
} from '../../shared/aws/wire.ts';
import type { ApprovalStore } from '../../shared/forced-failover/approval.ts';
import type { Ports } from '../../shared/switch/switch-vip.ts';
import { type EpochMs, minutes } from '../../shared/time.ts';
import type { OperatorActionStore } from '../../shared/timeline/operator-action.ts';
import type { RegistryEntry } from '../../shared/vip/vip.ts';
import { CliError, status, usage } from './exit.ts';
import { DEFAULT_STAGE } from './hint.ts';
import { type NodeNames, nodeNames } from './node/names.ts';
import type { CommonOptions } from './options.ts';
import { patience, waitingFor } from './waiting.ts';

export interface Session {
  readonly settings: Settings;
  readonly region: string;
  /** The tag key whose value is the label. */
  readonly tag: string;
  readonly environment: ExecutionEnvironment;
  readonly ports: Ports;
  readonly ec2: Ec2Reader;
  readonly names: NodeNames;
  readonly orders: OperatorActionStore;
  readonly reservations: Reservations;
  readonly log: AuditLog;
  readonly approvals: ApprovalStore;
  readonly signal: AbortSignal;
  now(): EpochMs;
  nonce(): string;
  /** Who gives orders here: the caller's ARN, or the local user where AWS does not say. */
  caller(): Promise<string>;
  /** The caller's account; undefined where AWS does not say. */
  account(): Promise<string | undefined>;
  /** Forced failovers. Loaded on first use. */
  workflow(): Promise<Workflow>;
}

/** A command that is not a watch has to be done by then. */
const RUN_MAX = minutes(30);

export function settingsOf(options: CommonOptions): Settings {
  const env = process.env;
  const { stage = DEFAULT_STAGE } = options;
  return {
    stage,
    vipsTable: env.VIPSHIFT_VIPS_TABLE ?? `vipshift-${stage}-vips`,
    timelineTable: env.VIPSHIFT_TIMELINE_TABLE ?? `vipshift-${stage}-timeline`,
    bus: env.VIPSHIFT_BUS ?? `vipshift-${stage}`,
    identity: { mode: 'none' },
    retentionDays: Number(env.VIPSHIFT_RETENTION_DAYS ?? '400'),
    ...ratesOf(env.VIPSHIFT_EC2_RATES),
  };
}

/** The stack's parameter ec2Rates, where AWS Support has granted more; by default EC2's own. */
function ratesOf(text: string | undefined): Pick<Settings, 'rates'> {
  if (text === undefined || text === '') return {};
  const problems: string[] = [];
  const rates = ratesFrom(text, problems);
  if (problems.length > 0) throw usage(problems.join('; '), 'fix it, or take it out of the environment');
  return { rates };
}

/** As the AWS CLI does; the SDK's own chain then does the rest: profiles, SSO, assumed roles, the instance's role. */
function placeFrom(options: CommonOptions): void {
  const { env } = process;
  for (const [name, value = ''] of Object.entries(env))
    if (/^AWS_ENDPOINT_URL(_|$)/.test(name) && value !== '' && !URL.canParse(value))
      throw usage(`${name}=${value} is no URL`, 'fix it, or take it out of the environment');
  if (options.profile !== undefined) {
    env.AWS_PROFILE = options.profile;
    // A profile that is named goes before keys in the environment; the SDK would warn of both.
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) delete env[name];
  }
  // Which Node.js will do is said by package.json; in the middle of the night it is noise.
  env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const named = options.region || env.AWS_REGION || env.AWS_DEFAULT_REGION;
  if (named === undefined || named === '') delete env.AWS_REGION;
  else env.AWS_REGION = named;
}

export async function openSession(options: CommonOptions): Promise<Session> {
  placeFrom(options);
  const settings = settingsOf(options);
  const made = patientClients();
  const region = await made.dynamo.config.region();
  const controller = new AbortController();
  // Each request that is under way listens to it; before Node.js 22 more than ten are warned of as a leak.
  setMaxListeners(0, controller.signal);
  const box = executionEnvironment(settings, made);
  const ports = portsFor(box, RUN_MAX, controller.signal);
  const table = {
    client: made.dynamo,
    table: settings.timelineTable,
    signal: controller.signal,
    retentionDays: settings.retentionDays,
  };
  const ec2 = { reader: made.reader, signal: controller.signal };
  let asked: Promise<Identity | undefined> | undefined;
  const identity = () => (asked ??= identityOf(controller.signal));
  const dynamo = {
    client: made.dynamo,
    table: settings.vipsTable,
    signal: controller.signal,
    nonce: randomUUID,
  };
  return {
    settings,
    region,
    tag: tagKey(settings.stage),
    environment: box,
    // The bus's policy lets only the functions announce.
    ports: { ...ports, bus: laterPublisher(ports.vips, { stage: settings.stage, region }) },
    ec2,
    names: nodeNames(ec2),
    orders: awsOperatorActions(table),
    reservations: awsReservations({ dynamo, now: systemNow, vip: (name) => ports.vips.read(name) }),
    log: awsAuditLog(table, async () => (await ports.vips.list()).map((vip) => vip.name)),
    approvals: awsApprovals(table),
    signal: controller.signal,
    now: systemNow,
    nonce: randomUUID,
    caller: async () => (await identity())?.arn ?? localUser(),
    account: async () => (await identity())?.account,
    workflow: () => workflowOf(settings.stage, region, identity, controller.signal),
  };
}

/** Only mutations keep the limit that the lease is computed with. */
function patientClients() {
  const config = { requestHandler: patience, maxAttempts: 3 };
  const { writer, toEc2 } = lambdaClients();
  const made = {
    dynamo: new DynamoDBClient(config),
    reader: new EC2Client(config),
    events: new EventBridgeClient(config),
    writer,
    toEc2,
  };
  made.dynamo.middlewareStack.add(waitingFor('DynamoDB'), { step: 'initialize' });
  made.reader.middlewareStack.add(waitingFor('EC2'), { step: 'initialize' });
  made.events.middlewareStack.add(waitingFor('EventBridge'), { step: 'initialize' });
  return made;
}

interface Identity {
  readonly arn: string;
  readonly account: string;
}

/** Undefined when AWS does not answer: in an outage an operator must still be able to act, and the record names the source. */
async function identityOf(signal: AbortSignal): Promise<Identity | undefined> {
  try {
    const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
    const client = new STSClient({ requestHandler: patience, maxAttempts: 2 });
    client.middlewareStack.add(waitingFor('STS'), { step: 'initialize' });
    const { Arn, Account } = await client.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
    return Arn === undefined || Account === undefined ? undefined : { arn: Arn, account: Account };
  } catch {
    return undefined;
  }
}

const localUser = (): string => `${userInfo().username}@${hostname()} (AWS did not say who)`;

async function workflowOf(
  stage: string,
  region: string,
  identity: () => Promise<Identity | undefined>,
  signal: AbortSignal,
): Promise<Workflow> {
  const [{ SFNClient }, { awsWorkflow }] = await Promise.all([
    import('@aws-sdk/client-sfn'),
    import('../../shared/aws/step-functions/workflow.ts'),
  ]);
  const client = new SFNClient({ requestHandler: patience, maxAttempts: 5 });
  client.middlewareStack.add(waitingFor('Step Functions'), { step: 'initialize' });
  const machineArn = process.env.VIPSHIFT_FAILOVER_MACHINE ?? machineOf(stage, region, await identity());
  return awsWorkflow({ client, machineArn, signal });
}

/** As resources/runbook.yml names it. */
function machineOf(stage: string, region: string, identity: Identity | undefined): string {
  if (identity !== undefined) {
    const [, partition] = identity.arn.split(':');
    return `arn:${partition}:states:${region}:${identity.account}:stateMachine:vipshift-${stage}-failover`;
  }
  throw new CliError(
    'AWS did not say which account this is, so the workflow’s name is not known',
    'log in, or set VIPSHIFT_FAILOVER_MACHINE to the stack’s output FailoverMachineArn; in an outage: --break-glass',
    status.aws,
  );
}

/** One look at a whole stage, for the commands that judge labels. */
export async function surveyFor(
  { ec2, tag, ports }: Session,
  entries: readonly RegistryEntry[],
): Promise<Surveyed> {
  const { surveyed } = await import('../../shared/aws/ec2/survey.ts');
  return surveyed({ ...ec2, tag, clock: ports.clock }, entries);
}
