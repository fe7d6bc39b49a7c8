// Makes the local AWS what a world says: each difference becomes the calls that a person would make. What no API sets (a state of
// AWS's own, an instance's profile, a zone) is said to be out of reach.
import {
  DeleteAlarmsCommand,
  DisableAlarmActionsCommand,
  EnableAlarmActionsCommand,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import {
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  AssociateAddressCommand,
  AssociateRouteTableCommand,
  AttachNetworkInterfaceCommand,
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateNetworkAclEntryCommand,
  CreateRouteCommand,
  CreateTagsCommand,
  DeleteNetworkAclEntryCommand,
  DeleteRouteCommand,
  DeleteTagsCommand,
  DetachNetworkInterfaceCommand,
  DisassociateAddressCommand,
  DisassociateRouteTableCommand,
  type IpPermission,
  ModifyNetworkInterfaceAttributeCommand,
  type NetworkAclEntry,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
  type Route,
  StartInstancesCommand,
  StopInstancesCommand,
  type Tag,
} from '@aws-sdk/client-ec2';
import {
  DisableRuleCommand,
  EnableRuleCommand,
  ListTargetsByRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  type Target,
} from '@aws-sdk/client-eventbridge';
import { PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  DeleteFunctionConcurrencyCommand,
  PutFunctionConcurrencyCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { SubscribeCommand, UnsubscribeCommand } from '@aws-sdk/client-sns';
import { ROLE } from '../policies.ts';
import type { World } from '../world/world.ts';
import { idOf, type Local } from './local-world.ts';

/** No API sets it, or the emulator does not keep it. */
export class OutOfReach extends Error {}

const key = (value: unknown): string => JSON.stringify(value);
const differ = (a: unknown, b: unknown): boolean => key(a) !== key(b);

/** Those of `from` that `to` has not, and the other way round. */
const apart = <T>(from: readonly T[] = [], to: readonly T[] = []) => ({
  gone: from.filter((one) => !to.some((other) => !differ(one, other))),
  came: to.filter((one) => !from.some((other) => !differ(one, other))),
});

/** Throws OutOfReach where the local AWS cannot be brought to it; changes nothing. */
export function requireReach(local: Local, from: World, to: World): Promise<void> {
  const none = { send: async () => ({}) };
  const { front, iamFront } = local.setup;
  const setup = {
    ...{ ...local.setup, ...none, check: async () => ({}), events: none, iam: none },
    ...{ clients: { dynamodb: none, lambda: none }, front: { ...front }, iamFront: { ...iamFront } },
  };
  return realize({ ...local, setup, alarms: none, sns: none } as unknown as Local, from, to);
}

/** From what is to what the world says. */
export async function realize(local: Local, from: World, to: World): Promise<void> {
  await tables(local, from, to);
  await enis(local, from, to);
  await addresses(local, from, to);
  await groups(local, from, to);
  await acls(local, from, to);
  await instances(local, from, to);
  await rules(local, from, to);
  await functions(local, from, to);
  await watching(local, from, to);
  await storage(local, from, to);
  await identities(local, from, to);
}

type Part = (local: Local, from: World, to: World) => Promise<void>;

async function retag(
  { setup, names }: Local,
  name: string,
  from: readonly Tag[],
  to: readonly Tag[],
): Promise<void> {
  const Resources = [idOf(names, name)];
  const { gone, came } = apart(from, to);
  if (gone.length > 0)
    await setup.send(new DeleteTagsCommand({ Resources, Tags: gone.map(({ Key }) => ({ Key })) }));
  if (came.length > 0) await setup.send(new CreateTagsCommand({ Resources, Tags: came }));
}

const tables: Part = async (local, from, to) => {
  const { setup, names } = local;
  for (const was of from.tables) {
    const is = to.tables.find((one) => one.RouteTableId === was.RouteTableId);
    const RouteTableId = idOf(names, was.RouteTableId!);
    if (is === undefined) throw new OutOfReach('a route table that is gone');
    await retag(local, was.RouteTableId!, was.Tags ?? [], is.Tags ?? []);
    const routes = apart(was.Routes?.map(bare), is.Routes?.map(bare));
    if ([...routes.gone, ...routes.came].some(({ GatewayId }) => GatewayId === 'local'))
      throw new OutOfReach('the local route');
    for (const { NetworkInterfaceId: _eni, GatewayId: _gateway, ...cell } of routes.gone)
      await setup.send(new DeleteRouteCommand({ RouteTableId, ...cell }));
    for (const { NetworkInterfaceId, GatewayId, ...cell } of routes.came)
      await setup.send(
        new CreateRouteCommand({
          ...{ RouteTableId, ...cell },
          ...(NetworkInterfaceId === undefined
            ? {}
            : { NetworkInterfaceId: idOf(names, NetworkInterfaceId) }),
          ...(GatewayId === undefined ? {} : { GatewayId: idOf(names, GatewayId) }),
        }),
      );
    const subnets = (table: World['tables'][0]) =>
      (table.Associations ?? []).flatMap(({ SubnetId }) => SubnetId ?? []);
    const { gone, came } = apart(subnets(was), subnets(is));
    for (const subnet of gone) {
      const { RouteTableAssociationId: AssociationId } = was.Associations!.find(
        (one) => one.SubnetId === subnet,
      )!;
      await setup.send(new DisassociateRouteTableCommand({ AssociationId }));
    }
    for (const subnet of came)
      await setup.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId: idOf(names, subnet) }));
  }
};

/** Where it goes, and to what. */
function bare(route: Route): Route {
  const { DestinationCidrBlock, DestinationIpv6CidrBlock, NetworkInterfaceId, GatewayId, State } = route;
  if (State === 'blackhole') throw new OutOfReach('a blackhole, which moto does not show');
  return JSON.parse(
    JSON.stringify({
      ...(DestinationCidrBlock ? { DestinationCidrBlock } : { DestinationIpv6CidrBlock }),
      ...(NetworkInterfaceId ? { NetworkInterfaceId } : { GatewayId }),
    }),
  ) as Route;
}

const enis: Part = async (local, from, to) => {
  const { setup, names } = local;
  for (const was of from.enis) {
    const is = to.enis.find((one) => one.NetworkInterfaceId === was.NetworkInterfaceId);
    if (is === undefined) throw new OutOfReach('an ENI that is deleted');
    const NetworkInterfaceId = idOf(names, was.NetworkInterfaceId!);
    await retag(local, was.NetworkInterfaceId!, was.TagSet ?? [], is.TagSet ?? []);
    if (differ(was.SourceDestCheck, is.SourceDestCheck))
      await setup.check(NetworkInterfaceId, is.SourceDestCheck === true);
    const groupsOf = ({ Groups = [] }: typeof was) => Groups.map(({ GroupId }) => GroupId);
    if (differ(groupsOf(was), groupsOf(is))) {
      if (groupsOf(is).length === 0) throw new OutOfReach('an ENI without a group');
      const Groups = groupsOf(is).map((group) => idOf(names, group!));
      await setup.send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, Groups }));
    }
    if (was.Attachment !== undefined && is.Attachment === undefined)
      await setup.send(new DetachNetworkInterfaceCommand({ AttachmentId: was.Attachment.AttachmentId }));
    else if (was.Attachment === undefined && is.Attachment !== undefined) {
      const { InstanceId = '', DeviceIndex = 1 } = is.Attachment;
      await setup.send(
        new AttachNetworkInterfaceCommand({
          NetworkInterfaceId,
          InstanceId: idOf(names, InstanceId),
          DeviceIndex,
        }),
      );
    } else if (was.Attachment?.Status !== is.Attachment?.Status)
      throw new OutOfReach('an ENI that is being detached');
  }
};

const addresses: Part = async (local, from, to) => {
  const { setup, names } = local;
  for (const was of from.addresses) {
    const is = to.addresses.find((one) => one.AllocationId === was.AllocationId);
    if (is === undefined) throw new OutOfReach('an Elastic IP that is released');
    if (differ(was.NetworkBorderGroup, is.NetworkBorderGroup)) throw new OutOfReach('a network border group');
    await retag(local, was.AllocationId!, was.Tags ?? [], is.Tags ?? []);
    const at = ({ NetworkInterfaceId, PrivateIpAddress }: typeof was) => [
      NetworkInterfaceId || undefined,
      PrivateIpAddress || undefined,
    ];
    if (!differ(at(was), at(is))) continue;
    const [eni, PrivateIpAddress] = at(is);
    if (eni === undefined) await setup.send(new DisassociateAddressCommand({ PublicIp: was.PublicIp }));
    else
      await setup.send(
        new AssociateAddressCommand({
          AllocationId: idOf(names, was.AllocationId!),
          NetworkInterfaceId: idOf(names, eni),
          PrivateIpAddress,
          AllowReassociation: true,
        }),
      );
  }
};

const groups: Part = async ({ setup, names }, from, to) => {
  const GroupId = setup.group;
  const real = (permissions: readonly IpPermission[]): IpPermission[] =>
    permissions.map(({ UserIdGroupPairs = [], ...permission }) => ({
      ...permission,
      ...(UserIdGroupPairs.length === 0
        ? {}
        : { UserIdGroupPairs: UserIdGroupPairs.map((pair) => ({ GroupId: idOf(names, pair.GroupId!) })) }),
    }));
  const [was, is] = [from.groups[0]!, to.groups[0]!];
  const inward = apart(was.IpPermissions, is.IpPermissions);
  const outward = apart(was.IpPermissionsEgress, is.IpPermissionsEgress);
  const calls = [
    [inward.gone, RevokeSecurityGroupIngressCommand],
    [outward.gone, RevokeSecurityGroupEgressCommand],
    [inward.came, AuthorizeSecurityGroupIngressCommand],
    [outward.came, AuthorizeSecurityGroupEgressCommand],
  ] as const;
  for (const [permissions, Command] of calls)
    if (permissions.length > 0) {
      const Sent = Command as new (input: object) => object;
      await setup.send(new Sent({ GroupId, IpPermissions: real(permissions) }));
    }
};

const acls: Part = async ({ setup, names }, from, to) => {
  const [was, is] = [from.acls[0]!, to.acls[0]!];
  const subnets = ({ Associations = [] }: typeof was) => Associations.map(({ SubnetId }) => SubnetId);
  if (differ(subnets(was), subnets(is))) throw new OutOfReach('a subnet without a network ACL');
  const NetworkAclId = idOf(names, 'acl-1');
  const { gone, came } = apart<NetworkAclEntry>(was.Entries, is.Entries);
  if ([...gone, ...came].some(({ RuleNumber = 0 }) => RuleNumber > 32_766))
    throw new OutOfReach('the last entry of an ACL');
  for (const { RuleNumber, Egress } of gone)
    await setup.send(new DeleteNetworkAclEntryCommand({ NetworkAclId, RuleNumber, Egress }));
  for (const entry of came)
    await setup.send(
      new CreateNetworkAclEntryCommand({
        ...entry,
        NetworkAclId,
        RuleNumber: entry.RuleNumber,
        Egress: entry.Egress,
        Protocol: entry.Protocol,
        RuleAction: entry.RuleAction,
      }),
    );
};

const instances: Part = async ({ setup, names }, from, to) => {
  for (const was of from.instances) {
    const is = to.instances.find((one) => one.InstanceId === was.InstanceId);
    const [before, after] = [was.State?.Name, is?.State?.Name];
    if (before === after) continue;
    const InstanceIds = [idOf(names, was.InstanceId!)];
    if (after === 'stopped') await setup.send(new StopInstancesCommand({ InstanceIds }));
    else if (after === 'running') await setup.send(new StartInstancesCommand({ InstanceIds }));
    else throw new OutOfReach(`an instance that is ${after ?? 'gone'} and comes back`);
  }
};

/** Targets of rules that have lost them. */
const kept = new Map<string, Target[]>();

const rules: Part = async ({ setup, names }, from, to) => {
  const { events } = setup;
  for (const was of from.rules) {
    const is = to.rules.find((one) => one.Name === was.Name);
    if (is === undefined) throw new OutOfReach('a rule that is deleted, with its permissions');
    const [Name, EventBusName] = [idOf(names, was.Name), was.EventBusName];
    const how = (rule: typeof was) => {
      const { EventPattern, ScheduleExpression } = rule as {
        EventPattern?: string;
        ScheduleExpression?: string;
      };
      return { EventPattern, ScheduleExpression };
    };
    if (differ(how(was), how(is))) {
      if (how(was).ScheduleExpression) throw new OutOfReach('the schedule, which is off in the tests');
      await events.send(new PutRuleCommand({ Name, EventBusName, EventPattern: how(is).EventPattern }));
    }
    if (was.State !== is.State) {
      if (how(was).ScheduleExpression) setup.front.schedule = is.State === 'ENABLED';
      else if (is.State === 'DISABLED') await events.send(new DisableRuleCommand({ Name, EventBusName }));
      else await events.send(new EnableRuleCommand({ Name, EventBusName }));
    }
    if (differ(was.targets, is.targets)) {
      const { Targets = [] } = await events.send(new ListTargetsByRuleCommand({ Rule: Name, EventBusName }));
      if (is.targets.length === 0) {
        if (Targets.length > 0) kept.set(Name, Targets);
        await events.send(
          new RemoveTargetsCommand({ Rule: Name, EventBusName, Ids: Targets.flatMap(({ Id }) => Id ?? []) }),
        );
      } else if (kept.has(Name))
        await events.send(new PutTargetsCommand({ Rule: Name, EventBusName, Targets: kept.get(Name) }));
      else throw new OutOfReach('a target that does not exist');
    }
  }
};

const functions: Part = async ({ setup }, from, to) => {
  const { lambda } = setup.clients;
  for (const [name, was] of Object.entries(from.functions)) {
    const is = to.functions[name];
    const FunctionName = `vipshift-dev-${name}`;
    if (was === undefined || is === undefined)
      throw new OutOfReach('a function that is deleted, with its code');
    const state = ({ config }: typeof was) => [config.State, config.LastUpdateStatus];
    if (differ(state(was), state(is))) throw new OutOfReach('a state that Lambda gives');
    if (differ(was.policy, is.policy))
      throw new OutOfReach('a permission, which the emulator asks for at other times');
    if (was.reserved !== is.reserved)
      await (is.reserved === undefined
        ? lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }))
        : lambda.send(
            new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: is.reserved }),
          ));
    if (differ([was.config.Timeout, was.config.Environment], [is.config.Timeout, is.config.Environment]))
      await lambda.send(
        new UpdateFunctionConfigurationCommand({
          ...{ FunctionName, Timeout: is.config.Timeout },
          Environment: { Variables: is.config.Environment.Variables },
        }),
      );
  }
};

const watching: Part = async (local, from, to) => {
  const { names, alarms, sns } = local;
  const topic = idOf(names, from.alarms[0]!.AlarmActions![0]!);
  if (differ(from.queues, to.queues)) throw new OutOfReach('what waits in a queue');
  for (const was of from.alarms) {
    const is = to.alarms.find((one) => one.AlarmName === was.AlarmName);
    const AlarmNames = [was.AlarmName!];
    if (is === undefined) {
      await alarms.send(new DeleteAlarmsCommand({ AlarmNames }));
      continue;
    }
    if (differ(was.AlarmActions, is.AlarmActions)) await alarms.send(putOf(is, local));
    if (was.ActionsEnabled !== is.ActionsEnabled)
      await alarms.send(
        is.ActionsEnabled === true
          ? new EnableAlarmActionsCommand({ AlarmNames })
          : (new DisableAlarmActionsCommand({ AlarmNames }) as EnableAlarmActionsCommand),
      );
    if (was.StateValue !== is.StateValue)
      await alarms.send(
        new SetAlarmStateCommand({
          AlarmName: was.AlarmName,
          StateValue: is.StateValue,
          StateReason: 'seeded',
        }),
      );
  }
  for (const is of to.alarms)
    if (!from.alarms.some((one) => one.AlarmName === is.AlarmName)) await alarms.send(putOf(is, local));
  const { gone, came } = apart(from.subscriptions, to.subscriptions);
  for (const SubscriptionArn of gone)
    await sns.send(
      new UnsubscribeCommand({
        SubscriptionArn: idOf(names, SubscriptionArn).replace(/^.*(?=:\w{8}-)/, topic),
      }),
    );
  if (came.some((one) => one.endsWith('x'))) throw new OutOfReach('a subscription with another ARN');
  if (came.length > 0)
    await sns.send(
      new SubscribeCommand({ TopicArn: topic, Protocol: 'sqs', Endpoint: topic.replace('sns', 'sqs') }),
    );
};

function putOf({ AlarmName, AlarmActions = [] }: World['alarms'][0], { names, definitions }: Local) {
  const made = definitions.find((one) => one.AlarmName === AlarmName) as Record<string, unknown> | undefined;
  const input = Object.fromEntries(
    Object.entries(made ?? {}).filter(
      ([name]) => !/^(State|Alarm(Arn|ConfigurationUpdated)|EvaluationState)/.test(name),
    ),
  );
  return new PutMetricAlarmCommand({
    ...input,
    AlarmActions: AlarmActions.map((one) => idOf(names, one)),
  } as never);
}

const storage: Part = async ({ setup }, from, to) => {
  const { dynamodb } = setup.clients;
  for (const [TableName, was] of Object.entries(from.dynamo)) {
    const is = to.dynamo[TableName];
    if (was === undefined || is === undefined) throw new OutOfReach('a table that is deleted');
    if (was.status !== is.status) throw new OutOfReach('a state that DynamoDB gives');
    if (was.isProtected !== is.isProtected)
      await dynamodb.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: is.isProtected }));
    if (was.recovers !== is.recovers)
      await dynamodb.send(
        new UpdateContinuousBackupsCommand({
          ...{ TableName },
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: is.recovers },
        }),
      );
    if (was.ttl !== is.ttl)
      await dynamodb.send(
        new UpdateTimeToLiveCommand({
          ...{ TableName },
          TimeToLiveSpecification: { Enabled: is.ttl !== undefined, AttributeName: is.ttl ?? was.ttl },
        }),
      );
  }
};

const identities: Part = async ({ setup }, from, to) => {
  if (differ(from.profileOf, to.profileOf))
    throw new OutOfReach('an instance profile, which the lab has none of');
  setup.front.policy = to.bus?.Policy === '' ? '{"Statement":[]}' : to.bus?.Policy;
  setup.iamFront.roleId = to.role.RoleId;
  if (differ(from.inline, to.inline))
    await setup.iam.send(
      new PutRolePolicyCommand({
        ...{ RoleName: ROLE, PolicyName: 'vipshift' },
        PolicyDocument: to.inline.vipshift ?? '{"Version":"2012-10-17","Statement":[]}',
      }),
    );
};
