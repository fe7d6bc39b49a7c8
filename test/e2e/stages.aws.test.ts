// Two stages in one account and Region: same nodes, same VPC, same name of the VIP, and neither touches what is the other's.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateTagsCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Deployment, deployService } from '../../lab/aws/stack/deploy.ts';
import { invoke, ledgerEntry, NODE_ROLE_ID, type Stack, startStack, VIP } from '../../lab/aws/stack/stack.ts';
import { describeVpc } from '../../lab/aws/stack/vpc-view.ts';
import { awsVips } from '../../shared/aws/dynamodb/vip-store.ts';
import type { VipStore } from '../../shared/vip/store.ts';
import { newVip } from '../../shared/vip/vip.ts';
import { wordsOf } from './stage/words.ts';

let stack: Stack;
let other: Deployment;
let theirs: VipStore;
let dynamo: DynamoDBClient;

beforeAll(async () => {
  stack = await startStack({ schedule: false });
  const { aws, vpc } = stack;
  other = await deployService(aws, {
    ...{ stage: 'two', schedule: false, nodeRoleId: NODE_ROLE_ID },
    nodeRoleArn: `arn:aws:iam::${aws.accountId}:role/vipshift-node`,
  });
  // The other stage's tag on the tables that are not labelled for this one, and on both nodes.
  const Resources = [
    ...vpc.tables.filter((table) => !table.labelled).map((table) => table.routeTableId),
    ...[vpc.nodes.a.serviceEni, vpc.nodes.b.serviceEni],
  ];
  await stack.ec2.send(new CreateTagsCommand({ Resources, Tags: [{ Key: 'vipshift:two', Value: VIP }] }));
  const credentials = { accessKeyId: aws.accountId, secretAccessKey: 'local' };
  dynamo = new DynamoDBClient({ endpoint: aws.endpoint, region: aws.region, credentials });
  const { signal } = new AbortController();
  const nonce = () => crypto.randomUUID();
  theirs = awsVips({ client: dynamo, table: other.vipsTable, signal, nonce });
  await theirs.write(undefined, newVip({ ...ledgerEntry(aws, vpc), eips: [] }));
  await stack.publish(wordsOf(vpc.nodes.a.instanceId, { atS: 0 }));
  await stack.outcome(1);
});
afterAll(async () => {
  dynamo?.destroy();
  await stack?.stop();
});

const targets = async (labelled: boolean) => {
  const { tables } = await describeVpc(stack.ec2, stack.vpc);
  return new Set(tables.filter((table) => table.labelled === labelled).map((table) => table.ipv4));
};
const eni = (name: 'a' | 'b') => stack.vpc.nodes[name].serviceEni;

it('a VIP of the same name in the other stage is another VIP: each moves its own tables only', async () => {
  expect([await targets(true), await targets(false)]).toEqual([new Set([eni('a')]), new Set([undefined])]);
  const node = stack.vpc.nodes.b.instanceId;
  const event = {
    ...{ version: '0', id: 'to-two', 'detail-type': 'VRRP State Change', resources: [] },
    ...{ source: `vipshift.notify/${NODE_ROLE_ID}:${node}`, region: stack.aws.region },
    time: `${new Date().toISOString().slice(0, 19)}Z`,
    detail: wordsOf(node, { atS: 10 }),
  };
  expect(await invoke(stack.aws, other.functions.failover, event)).toEqual({ answer: 'switched' });
  expect([await targets(true), await targets(false)]).toEqual([new Set([eni('a')]), new Set([eni('b')])]);
  for (const { reconcile } of [stack.deployment.functions, other.functions])
    expect(await invoke(stack.aws, reconcile, {})).toMatchObject({ vips: 1, switched: 0 });
  expect((await stack.vips.read(VIP))?.owner).toBe(stack.vpc.nodes.a.instanceId);
});

it('a claim on one stage’s bus is not heard by the other', async () => {
  const before = await theirs.read(VIP);
  await stack.answered(await stack.publish(wordsOf(stack.vpc.nodes.b.instanceId, { atS: 20 })));
  await stack.until('b to own it here', (vip) => vip.owner === stack.vpc.nodes.b.instanceId);
  expect(await theirs.read(VIP)).toEqual(before);
});
