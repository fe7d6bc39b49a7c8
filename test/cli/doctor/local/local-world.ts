// The deployed local AWS as a world: what its APIs answer, under the names that the world in memory has, so that the same generator
// changes it and the same oracle judges it.
import { CloudWatchClient, DescribeAlarmsCommand, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  type Address,
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeNetworkAclsCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  type Instance,
  type NetworkAcl,
  type NetworkInterface,
  type RouteTable,
  type SecurityGroup,
  type Subnet,
} from '@aws-sdk/client-ec2';
import {
  DescribeEventBusCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
} from '@aws-sdk/client-eventbridge';
import { GetRoleCommand, GetRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
} from '@aws-sdk/client-lambda';
import { ListSubscriptionsByTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import { ROLE } from '../../../../lab/aws/whole/policies.ts';
import type { Vip } from '../../../../shared/vip/vip.ts';
import type { Setup } from '../setup.ts';
import { EIP, nodes, TOPIC, VPC } from '../world/names.ts';
import type { World } from '../world/world.ts';

/** Each id of the local AWS and its name in a world. */
export type Names = readonly (readonly [id: string, name: string])[];

export interface Local {
  readonly setup: Setup;
  readonly names: Names;
  readonly alarms: CloudWatchClient;
  readonly sns: SNSClient;
  /** As they were made. */
  readonly definitions: readonly MetricAlarm[];
}

export async function localOf(setup: Setup): Promise<Local> {
  const { vpc, aws, deployment } = setup.stack;
  const access = {
    region: aws.region,
    endpoint: aws.endpoint,
    credentials: { accessKeyId: aws.accountId, secretAccessKey: 'local' },
  };
  const sides = (['a', 'b'] as const).flatMap((side) => {
    const node = vpc.nodes[side];
    return [
      [node.instanceId, nodes[side]],
      [node.primaryEni, `eni-primary-${side}`],
      [node.serviceEni, `eni-service-${side}`],
      [node.eipEni, `eni-eip-${side}`],
      [node.publicAllocationId, `eipalloc-${side === 'a' ? '0' : '00'}node-${side}`],
    ] as const;
  });
  const rules = (await rulesOf(setup)).map(({ Name = '' }) => [Name, Name.replace(/-[^-]+$/, '-X')] as const);
  const acls = await acl(setup);
  const tables = await setup.send<{ RouteTables: RouteTable[] }>(
    new DescribeRouteTablesCommand(inVpc(setup)),
  );
  const main = tables.RouteTables.find(({ Associations = [] }) =>
    Associations.some(({ Main }) => Main === true),
  );
  const names: Names = [
    ...sides,
    ...vpc.tables.map(({ name, routeTableId }) => [routeTableId, `rtb-${name}`] as const),
    ...Object.entries(vpc.subnets).map(([name, id]) => [id, `subnet-${name}`] as const),
    ...rules,
    [main?.RouteTableId ?? '', 'rtb-main'],
    [acls.NetworkAclId ?? '', 'acl-1'],
    [vpc.vpcId, VPC],
    [vpc.internetGatewayId, 'igw-1'],
    [vpc.eip.allocationId, EIP],
    [setup.group, 'sg-nodes'],
    [deployment.outputs.NoticesTopicArn!, TOPIC],
    [deployment.outputs.RuleDeadLettersUrl!, 'https://sqs/rule-dead-letters'],
    [deployment.outputs.FunctionFailuresUrl!, 'https://sqs/function-failures'],
  ];
  const alarms = new CloudWatchClient(access);
  const made = await alarms.send(new DescribeAlarmsCommand({ AlarmNamePrefix: 'vipshift-dev-' }));
  return {
    setup,
    names: names.filter(([id]) => id !== ''),
    alarms,
    definitions: made.MetricAlarms ?? [],
    sns: new SNSClient(access),
  };
}

const inVpc = ({ stack }: Setup) => ({ Filters: [{ Name: 'vpc-id', Values: [stack.vpc.vpcId] }] });

const acl = async (setup: Setup) =>
  (await setup.send<{ NetworkAcls: NetworkAcl[] }>(new DescribeNetworkAclsCommand(inVpc(setup))))
    .NetworkAcls[0]!;

async function rulesOf({ events, stack }: Setup) {
  const found = await Promise.all(
    [stack.deployment.busName, 'default'].map((EventBusName) =>
      events.send(new ListRulesCommand({ EventBusName, NamePrefix: 'vipshift-dev' })),
    ),
  );
  const rules = found.flatMap(({ Rules = [] }) => Rules);
  return Promise.all(
    rules.map(async (rule) => {
      const { Targets = [] } = await events.send(
        new ListTargetsByRuleCommand({ Rule: rule.Name, EventBusName: rule.EventBusName ?? 'default' }),
      );
      return {
        ...rule,
        EventBusName: rule.EventBusName ?? 'default',
        targets: Targets.map(({ Arn }) => Arn!),
      };
    }),
  );
}

/** In the order of the right world in memory, on which the generator depends. */
function inOrder<T>(
  things: readonly T[],
  of: (thing: T) => string | undefined,
  order: readonly string[],
): T[] {
  const at = (thing: T) => {
    const found = order.indexOf(of(thing) ?? '');
    return found === -1 ? order.length : found;
  };
  return [...things].sort((a, b) => at(a) - at(b));
}

const ENIS = ['a', 'b'].flatMap((side) => ['primary', 'service', 'eip'].map((role) => `eni-${role}-${side}`));

type Network = Pick<World, 'tables' | 'enis' | 'addresses' | 'groups' | 'acls' | 'instances' | 'subnets'>;

/** What a failover changes, and what decides whether its packets arrive. */
export async function networkOf({ setup, names }: Local): Promise<Network> {
  const send = <T>(command: object) => setup.send<T>(command);
  const [tables, enis, addresses, groups, acls, instances, subnets] = await Promise.all([
    send<{ RouteTables: RouteTable[] }>(new DescribeRouteTablesCommand(inVpc(setup))),
    send<{ NetworkInterfaces: NetworkInterface[] }>(new DescribeNetworkInterfacesCommand(inVpc(setup))),
    send<{ Addresses: Address[] }>(new DescribeAddressesCommand({})),
    send<{ SecurityGroups: SecurityGroup[] }>(new DescribeSecurityGroupsCommand(inVpc(setup))),
    send<{ NetworkAcls: NetworkAcl[] }>(new DescribeNetworkAclsCommand(inVpc(setup))),
    send<{ Reservations: { Instances: Instance[] }[] }>(new DescribeInstancesCommand({})),
    send<{ Subnets: Subnet[] }>(new DescribeSubnetsCommand(inVpc(setup))),
  ]);
  const known = [EIP, 'eipalloc-0node-a', 'eipalloc-00node-b'];
  const found = named(
    {
      tables: tables.RouteTables,
      enis: enis.NetworkInterfaces.map(picked),
      addresses: addresses.Addresses,
      groups: groups.SecurityGroups.filter(({ GroupId }) => GroupId === setup.group),
      acls: acls.NetworkAcls,
      instances: instances.Reservations.flatMap(({ Instances }) => Instances).map(
        ({ InstanceId, State }) => ({
          InstanceId,
          State: { Name: State?.Name },
        }),
      ),
      subnets: subnets.Subnets.map(({ SubnetId, VpcId, CidrBlock, AvailabilityZone }) => ({
        ...{ SubnetId, VpcId, CidrBlock, AvailabilityZone },
      })),
    },
    names,
  ) as Network;
  return {
    ...found,
    enis: inOrder(found.enis, (one) => one.NetworkInterfaceId, ENIS),
    addresses: inOrder(found.addresses, (one) => one.AllocationId, known),
  };
}

/** What the controller and the doctor read of it. */
function picked(eni: NetworkInterface): NetworkInterface {
  const { NetworkInterfaceId, VpcId, OwnerId, InterfaceType, SubnetId, AvailabilityZone } = eni;
  const { SourceDestCheck, Attachment, Status, PrivateIpAddress, PrivateIpAddresses, Groups, TagSet } = eni;
  return {
    ...{ NetworkInterfaceId, VpcId, OwnerId, InterfaceType, SubnetId, AvailabilityZone, SourceDestCheck },
    ...(Attachment?.InstanceId ? { Attachment } : {}),
    ...{ Status, PrivateIpAddress, PrivateIpAddresses, Groups, TagSet },
  } as NetworkInterface;
}

/** With names for ids; without what the SDK and the emulators add. */
function named(value: unknown, names: Names): unknown {
  const text = names.reduce((all, [id, name]) => all.replaceAll(id, name), JSON.stringify(value));
  return JSON.parse(text);
}

const FUNCTIONS = ['failover', 'reconcile', 'runbook'] as const;

export async function worldOf(local: Local): Promise<World> {
  const { setup, names, alarms, sns } = local;
  const { stack, iam, events, clients, front } = setup;
  const { outputs } = stack.deployment;
  const [network, web, rules, functions, watching, subscriptions, dynamo, bus, role, policy] =
    await Promise.all([
      networkOf(local),
      stack.vips.read('web'),
      rulesOf(setup),
      Promise.all(FUNCTIONS.map(async (name) => [name, await functionOf(setup, name)] as const)),
      alarms.send(new DescribeAlarmsCommand({ AlarmNamePrefix: 'vipshift-dev-' })),
      sns.send(new ListSubscriptionsByTopicCommand({ TopicArn: outputs.NoticesTopicArn })),
      Promise.all(['vips', 'timeline'].map((table) => dynamoOf(clients.dynamodb, `vipshift-dev-${table}`))),
      events.send(new DescribeEventBusCommand({ Name: 'vipshift-dev' })),
      iam.send(new GetRoleCommand({ RoleName: ROLE })),
      iam.send(new GetRolePolicyCommand({ RoleName: ROLE, PolicyName: 'vipshift' })).catch(() => undefined),
    ]);
  const { RoleName = ROLE, Arn = '', AssumeRolePolicyDocument = '' } = role.Role ?? {};
  const text = (document: string) => (document.startsWith('%') ? decodeURIComponent(document) : document);
  const inline = policy?.PolicyDocument === undefined ? {} : { vipshift: text(policy.PolicyDocument) };
  const service = {
    vips: [web as Vip],
    rules: rules.map((rule) => ({
      ...rule,
      // The schedule is off, lest it repairs what is seeded.
      State: rule.ScheduleExpression && front.schedule ? 'ENABLED' : rule.State,
    })),
    functions: Object.fromEntries(functions),
    queues: { [outputs.RuleDeadLettersUrl!]: 0, [outputs.FunctionFailuresUrl!]: 0 },
    subscriptions: (subscriptions.Subscriptions ?? []).map(({ SubscriptionArn }) => SubscriptionArn),
    alarms: (watching.MetricAlarms ?? []).map(({ AlarmName, StateValue, ActionsEnabled, AlarmActions }) => ({
      ...{ AlarmName, StateValue: StateValue === 'ALARM' ? 'ALARM' : 'OK', ActionsEnabled, AlarmActions },
    })),
    dynamo: Object.fromEntries(dynamo),
    bus: { Arn: bus.Arn, Policy: front.policy ?? '' },
    role: {
      ...{ RoleName, Arn, RoleId: setup.iamFront.roleId },
      AssumeRolePolicyDocument: text(AssumeRolePolicyDocument),
    },
    ...{ inline, attached: [], managed: {} },
    profileOf: { [stack.vpc.nodes.a.instanceId]: ROLE, [stack.vpc.nodes.b.instanceId]: ROLE },
  };
  return {
    ...network,
    ...(named(service, names) as typeof service),
    ...{ vpcs: [], dns: {}, zones: [], endpoints: [], nats: [], prefixLists: {}, otherTags: {} },
    stack: { StackStatus: 'UPDATE_COMPLETE', Parameters: {}, Outputs: {} },
    ...{ viewsAtMs: {}, shims: {} },
  } as unknown as World;
}

async function functionOf({ clients }: Setup, name: (typeof FUNCTIONS)[number]) {
  const FunctionName = `vipshift-dev-${name}`;
  const [config, { ReservedConcurrentExecutions }, policy] = await Promise.all([
    clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName })),
    clients.lambda.send(new GetFunctionConcurrencyCommand({ FunctionName })),
    clients.lambda.send(new GetPolicyCommand({ FunctionName })).catch(() => undefined),
  ]);
  const { FunctionArn, Timeout, Environment } = config;
  const { Statement = [] } = JSON.parse(policy?.Policy ?? '{}') as { Statement?: object[] };
  return {
    config: { FunctionArn, State: 'Active', LastUpdateStatus: 'Successful', Timeout, Environment },
    reserved: ReservedConcurrentExecutions,
    policy: Statement,
  };
}

async function dynamoOf(client: Setup['clients']['dynamodb'], TableName: string) {
  const [table, backups, ttl] = await Promise.all([
    client.send(new DescribeTableCommand({ TableName })),
    client.send(new DescribeContinuousBackupsCommand({ TableName })),
    client.send(new DescribeTimeToLiveCommand({ TableName })),
  ]);
  const { PointInTimeRecoveryDescription } = backups.ContinuousBackupsDescription ?? {};
  const { TimeToLiveStatus, AttributeName } = ttl.TimeToLiveDescription ?? {};
  return [
    TableName,
    {
      status: table.Table?.TableStatus,
      isProtected: table.Table?.DeletionProtectionEnabled === true,
      recovers: PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus === 'ENABLED',
      ttl: TimeToLiveStatus === 'ENABLED' ? AttributeName : undefined,
    },
  ] as const;
}

/** The id behind a name. */
export const idOf = (names: Names, name: string): string =>
  names.find(([, one]) => one === name)?.[0] ?? name;
