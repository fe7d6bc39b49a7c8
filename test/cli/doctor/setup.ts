// A set-up in which nothing is wrong: the lab's network with everything that the doctor asks for, on the deployed
// service on the local AWS; and the hands with which tests spoil it.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeNetworkInterfacesCommand,
  ModifyNetworkInterfaceAttributeCommand,
  type NetworkInterface,
  RevokeSecurityGroupIngressCommand,
  UnassignPrivateIpAddressesCommand,
} from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { IAMClient } from '@aws-sdk/client-iam';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SNSClient } from '@aws-sdk/client-sns';
import { childEnv } from '../../../lab/aws/local-aws.ts';
import { NODE_ROLE_ID, type Stack, startStack } from '../../../lab/aws/stack/stack.ts';
import { type BusFront, type IamFront, startBusFront, startIamFront } from '../../../lab/aws/whole/fronts.ts';
import { busPolicy } from '../../../lab/aws/whole/policies.ts';
import { guard, makeRole } from '../../../lab/aws/whole/whole.ts';
import { type History, historyOf } from '../timeline/history.ts';

const TAG = 'vipshift:dev';

export interface Setup {
  readonly stack: Stack;
  readonly history: History;
  readonly env: NodeJS.ProcessEnv;
  /** Both nodes speak: b stands by, a serves. */
  heard(): Promise<void>;
  readonly events: EventBridgeClient;
  readonly front: BusFront;
  readonly iamFront: IamFront;
  stop(): Promise<void>;
  readonly iam: IAMClient;
  /** By the AWS CLI's names of the services. */
  readonly clients: {
    readonly dynamodb: DynamoDBClient;
    readonly events: EventBridgeClient;
    readonly iam: IAMClient;
    readonly lambda: LambdaClient;
  };
  /** A call of EC2; the answer is what the caller says it is. */
  send<T = unknown>(command: object): Promise<T>;
  table(name: string): string;
  tag(id: string, value: string): Promise<unknown>;
  untag(id: string): Promise<unknown>;
  /** Switches a source/destination check. */
  check(eni: string, on: boolean): Promise<unknown>;
  /** Opens and closes the nodes' security group. */
  allow(rule: object): Promise<unknown>;
  revoke(rule: object): Promise<unknown>;
  /** That of every ENI. */
  readonly group: string;
  /** Takes away all private addresses of an ENI but its first. */
  dropSecondary(eni: string): Promise<unknown>;
}

export async function rightSetup(): Promise<Setup> {
  const stack = await startStack({ schedule: false });
  const access = {
    region: stack.aws.region,
    endpoint: stack.aws.endpoint,
    credentials: { accessKeyId: stack.aws.accountId, secretAccessKey: 'local' },
  };
  const front = await startBusFront(stack.aws.endpoint);
  const iamFront = await startIamFront(stack.aws.endpoint, NODE_ROLE_ID);
  front.policy = busPolicy(stack.deployment.busArn, stack.aws.accountId);
  const { a, b } = stack.vpc.nodes;
  const send = <T>(command: object) => stack.ec2.send(command as never) as unknown as Promise<T>;
  const { NetworkInterfaces } = await send<{ NetworkInterfaces: { Groups: { GroupId: string }[] }[] }>(
    new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [a.serviceEni] }),
  );
  const { GroupId } = NetworkInterfaces[0]!.Groups[0]!;
  const events = new EventBridgeClient(access);
  const iam = new IAMClient(access);
  const dynamodb = new DynamoDBClient(access);
  const began = Date.now();
  const history = historyOf({ aws: stack.aws });
  const setup: Setup = {
    stack,
    send,
    history,
    async heard() {
      // Always the same transitions: a node that goes to and fro is damped.
      await history.repeats(b.instanceId, 'BACKUP', began);
      await history.repeats(a.instanceId, 'MASTER', began);
    },
    env: {
      ...childEnv(stack.aws),
      VIPSHIFT_STAGE: 'dev',
      AWS_ENDPOINT_URL_EVENTBRIDGE: front.url,
      AWS_ENDPOINT_URL_IAM: iamFront.url,
    },
    iamFront,
    front,
    async stop() {
      await front.stop();
      await iamFront.stop();
      await stack.stop();
    },
    ...{ events, iam },
    clients: { dynamodb, events, iam, lambda: new LambdaClient(access) },
    table: (name) => stack.vpc.tables.find((t) => t.name === name)!.routeTableId,
    tag: (id, Value) => send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: TAG, Value }] })),
    untag: (id) => send(new DeleteTagsCommand({ Resources: [id], Tags: [{ Key: TAG }] })),
    check: (NetworkInterfaceId, Value) =>
      send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, SourceDestCheck: { Value } })),
    allow: (rule) =>
      send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] })).catch((error) => {
        // The remedy may have opened it already.
        if ((error as Error).name !== 'InvalidPermission.Duplicate') throw error;
      }),
    group: GroupId,
    async dropSecondary(NetworkInterfaceId) {
      const { NetworkInterfaces: found } = await send<{ NetworkInterfaces: NetworkInterface[] }>(
        new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [NetworkInterfaceId] }),
      );
      const PrivateIpAddresses = (found[0]!.PrivateIpAddresses ?? [])
        .filter((address) => address.Primary !== true)
        .flatMap((address) => address.PrivateIpAddress ?? []);
      if (PrivateIpAddresses.length > 0)
        await send(new UnassignPrivateIpAddressesCommand({ NetworkInterfaceId, PrivateIpAddresses }));
    },
    revoke: (rule) => send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] })),
  };
  for (const name of ['data-a', 'data-b']) await setup.tag(setup.table(name), '-');
  await makeRole(setup.iam, stack.deployment.busArn);
  await guard(dynamodb, new SNSClient(access), stack.deployment);
  await setup.heard();
  await history.reconcile();
  return setup;
}
