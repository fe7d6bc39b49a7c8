// The stage on which AWS fails: the deployed service behind fault proxies, and two nodes that become MASTER in turn. Registers its own hooks.
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client, ReplaceRouteCommand } from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { calm } from '../../../lab/aws/stack/calm.ts';
import { type Faults, invoke, type Stack, startStack, VIP } from '../../../lab/aws/stack/stack.ts';
import { describeVpc } from '../../../lab/aws/stack/vpc-view.ts';
import type { AwsCall } from '../../../lab/fault/aws-call.ts';
import type { LoggedCall } from '../../../lab/fault/call-log.ts';
import { value } from '../../../shared/aws/dynamodb/update-expression.ts';
import { update } from '../../../shared/registry/registry.ts';
import { epochMs } from '../../../shared/time.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { type Words, wordsOf } from './words.ts';

export let stack: Stack;
export let faults: Faults;
/** The node that became MASTER last. */
export let turn: 'a' | 'b' = 'b';
export let storyS = 0;

export function stageFaults(): void {
  beforeAll(async () => {
    stack = await startStack({ schedule: false, withFaults: true });
    faults = stack.faults!;
    await failOver();
  });
  beforeEach(() => calm(stack.vips, VIP));
  afterAll(() => stack?.stop());
  afterEach(() => {
    faults.aws.clearRules();
    faults.ec2.clearRules();
  });
}

export const says = (name: 'a' | 'b', words: Words) =>
  stack.publish(wordsOf(stack.vpc.nodes[name].instanceId, { ...words, fresh: true }));

/** Long enough after the last mutation an observation is trusted: only what differs is set. */
export const rested = (): Promise<Vip> =>
  stack.until('rest', (v) => v.lease === undefined && Date.now() - v.touchedAtMs > 4100);

/** The other node becomes MASTER; returns the record of what followed. */
export async function failOver(): Promise<Failover> {
  await rested();
  return failOverNow();
}

/** The same, however short a while after the last one: then every cell is set, whatever is seen. */
export async function failOverNow(): Promise<Failover> {
  const before = (await stack.until('the release', (v) => v.lease === undefined)).epoch;
  faults.aws.forgetCalls();
  faults.ec2.forgetCalls();
  turn = turn === 'a' ? 'b' : 'a';
  // More than any claim of the node before gives as its uptime.
  storyS += 30;
  const event = await says(turn, { atS: storyS });
  const failover = await stack.outcome(before + 1);
  // The announcement comes after the outcome, and would be counted with the next calls.
  await stack.answered(event);
  return failover;
}

export const owner = () => stack.vpc.nodes[turn].instanceId;

export const allOn = async (name: 'a' | 'b') => {
  const view = await describeVpc(stack.ec2, stack.vpc);
  const { serviceEni, eipEni } = stack.vpc.nodes[name];
  const routes = view.tables.filter((t) => t.labelled).flatMap((t) => [t.ipv4, t.ipv6]);
  return routes.length === 8 && routes.every((eni) => eni === serviceEni) && view.eip.eni === eipEni;
};

export const reconcile = () => invoke(stack.aws, stack.deployment.functions.reconcile, {});

/** The doubt after an attempt without an answer lasts for 20 s, which would only slow the next test. */
export async function forgetDoubt(): Promise<void> {
  await stack.until('the release', (v) => v.lease === undefined);
  await update(stack.vips, VIP, (was) => ({ ...was!, touchedAtMs: epochMs(0) }));
}

/** As before the first reconcile. */
export async function forgetView(): Promise<void> {
  const { endpoint, region, accountId } = stack.aws;
  const credentials = { accessKeyId: accountId, secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region, credentials });
  const key = { vip: value(`view/${VIP}`), id: value('latest') };
  await client.send(new DeleteItemCommand({ TableName: stack.deployment.timelineTable, Key: key }));
  client.destroy();
}

/** Writes of the VIP's item: the acquire is the first of a failover, the release the second. */
export const ofItem = (call: AwsCall): boolean =>
  JSON.stringify(call.parameters.Key) === JSON.stringify({ vip: { S: VIP } });

export const mutations = ['ReplaceRoute', 'CreateRoute', 'AssociateAddress'];
export const tookMs = (failover: Failover) => {
  const at = (stage: string) => failover.stages.find((s) => s.stage === stage)!.atMs;
  return at('last mutation accepted') - at('controller began');
};

/** Calls that had begun when the last mutation was sent, in the order of their beginning. */
export function beforeTraffic(): readonly LoggedCall[] {
  const calls = [...faults.aws.calls, ...faults.ec2.calls];
  const lastMs = Math.max(...calls.filter((c) => mutations.includes(c.action)).map((c) => c.startMs));
  return calls.filter((c) => c.startMs <= lastMs).sort((a, b) => a.startMs - b.startMs);
}

const NO_TABLE = 'rtb-00000000000000000';

/** Routes of the VIP that EC2 refused for their rate since the failover began. */
export const refusedRoutes = (): readonly LoggedCall[] =>
  faults.ec2.calls.filter(
    ({ action, outcome, parameters }) =>
      action === 'ReplaceRoute' && outcome === 503 && parameters.RouteTableId !== NO_TABLE,
  );

/** Someone else of the account, who tries so many routes at once and gets none. Returns the codes of the refusals. */
export async function spendRoutes(count: number): Promise<readonly string[]> {
  const someone = new EC2Client({
    endpoint: faults.ec2.endpoint,
    region: stack.aws.region,
    credentials: { accessKeyId: stack.aws.accountId, secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  const waste = new ReplaceRouteCommand({
    RouteTableId: NO_TABLE,
    DestinationCidrBlock: '192.0.2.1/32',
    NetworkInterfaceId: 'eni-00000000000000000',
  });
  const refusals = Array.from({ length: count }, () =>
    someone.send(waste).then(
      () => 'none',
      (error: Error) => error.name,
    ),
  );
  const codes = await Promise.all(refusals);
  someone.destroy();
  return codes;
}
