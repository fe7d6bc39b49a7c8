// What AWS answers of a world: each command that the doctor and the controller's observation send, filtered as it is asked for.
import type { Address, Filter, NetworkInterface, RouteTable, Tag } from '@aws-sdk/client-ec2';
import { marshall } from '@aws-sdk/util-dynamodb';
import { ROLE } from '../../../../lab/aws/whole/policies.ts';
import { RETENTION_DAYS, TAG } from './names.ts';
import type { World } from './world.ts';

type Input = Readonly<Record<string, unknown>>;
type Tags = readonly Tag[] | undefined;

/** Thrown as the SDK throws it. */
export const refusal = (name: string, message = 'no'): Error => Object.assign(new Error(message), { name });

/** Every filter has one of its values. */
function filtered<T>(
  things: readonly T[],
  filters: unknown,
  of: (thing: T, name: string) => readonly string[],
): T[] {
  return things.filter((thing) =>
    ((filters ?? []) as Filter[]).every(({ Name = '', Values = [] }) =>
      of(thing, Name).some((value) => Values.includes(value)),
    ),
  );
}

const tagValues = (tags: Tags, name: string): readonly string[] =>
  name === 'tag-key'
    ? (tags ?? []).map((tag) => tag.Key ?? '')
    : (tags ?? []).filter((tag) => name === `tag:${tag.Key}`).map((tag) => tag.Value ?? '');

const inVpc = (thing: { readonly VpcId?: string | undefined }, name: string): readonly string[] =>
  name === 'vpc-id' ? [thing.VpcId ?? ''] : [];

/** A route to what is not there any more is a blackhole (VPC guide, "Route tables"). */
export function tableNow(world: World, table: RouteTable): RouteTable {
  const gone = (id: string | undefined) =>
    id !== undefined &&
    !world.enis.some((eni) => eni.NetworkInterfaceId === id && eni.Attachment !== undefined);
  const lost = (id: string | undefined) =>
    id !== undefined && !world.nats.some((nat) => nat.NatGatewayId === id && nat.State === 'available');
  return {
    ...table,
    Routes: (table.Routes ?? []).map((route) =>
      gone(route.NetworkInterfaceId) || lost(route.NatGatewayId) ? { ...route, State: 'blackhole' } : route,
    ),
  };
}

/** With the public address of each private one, and the status that follows from the attachment. */
export function eniNow(world: World, eni: NetworkInterface): NetworkInterface {
  const of = (privateAddress: string | undefined) => {
    const at = world.addresses.find(
      (a) => a.NetworkInterfaceId === eni.NetworkInterfaceId && a.PrivateIpAddress === privateAddress,
    );
    if (at === undefined) return {};
    const { AllocationId, PublicIp } = at as Required<Pick<Address, 'AllocationId' | 'PublicIp'>>;
    return { Association: { AllocationId, PublicIp } };
  };
  return {
    ...eni,
    Status: eni.Status === 'in-use' && eni.Attachment === undefined ? 'available' : eni.Status!,
    ...of(eni.PrivateIpAddress),
    PrivateIpAddresses: (eni.PrivateIpAddresses ?? []).map((one) => ({
      ...one,
      ...of(one.PrivateIpAddress),
    })),
  };
}

type Answers = Readonly<Record<string, (world: World, input: Input) => object>>;

const ec2: Answers = {
  DescribeVpcs: ({ vpcs }, { VpcIds }) => {
    const Vpcs = vpcs.filter((vpc) => (VpcIds as string[]).includes(vpc.VpcId));
    if (Vpcs.length === 0) throw refusal('InvalidVpcID.NotFound');
    return { Vpcs };
  },
  DescribeVpcAttribute: ({ dns }, { Attribute }) => ({
    [Attribute === 'enableDnsSupport' ? 'EnableDnsSupport' : 'EnableDnsHostnames']: {
      Value: dns[String(Attribute)],
    },
  }),
  DescribeAvailabilityZones: ({ zones }) => ({ AvailabilityZones: zones }),
  DescribeSubnets: ({ subnets }, { Filters }) => ({ Subnets: filtered(subnets, Filters, inVpc) }),
  DescribeRouteTables: (world, { Filters }) => ({
    RouteTables: filtered(
      world.tables.map((table) => tableNow(world, table)),
      Filters,
      (table, name) => [...inVpc(table, name), ...tagValues(table.Tags, name)],
    ),
  }),
  DescribeNetworkInterfaces: (world, { Filters }) => ({
    NetworkInterfaces: filtered(
      world.enis.map((eni) => eniNow(world, eni)),
      Filters,
      (eni, name) => [...inVpc(eni, name), ...tagValues(eni.TagSet, name)],
    ),
  }),
  DescribeAddresses: ({ addresses }, { Filters }) => ({
    Addresses: filtered(addresses, Filters, (one, name) => tagValues(one.Tags, name)),
  }),
  DescribeSecurityGroups: ({ groups }, { Filters }) => ({ SecurityGroups: filtered(groups, Filters, inVpc) }),
  DescribeNetworkAcls: ({ acls }, { Filters }) => ({ NetworkAcls: filtered(acls, Filters, inVpc) }),
  DescribeVpcEndpoints: ({ endpoints }, { Filters }) => ({
    VpcEndpoints: filtered(endpoints, Filters, inVpc),
  }),
  DescribeNatGateways: ({ nats }, { Filter: filters }) => ({ NatGateways: filtered(nats, filters, inVpc) }),
  DescribeInstances: ({ instances, profileOf }, { Filters }) => ({
    Reservations: filtered(instances, Filters, (one, name) =>
      name === 'instance-id' ? [one.InstanceId ?? ''] : [],
    ).map((one) => {
      const profile = profileOf[one.InstanceId ?? ''];
      return {
        Instances: [
          {
            ...one,
            ...(profile === undefined ? {} : { IamInstanceProfile: { Arn: `arn:profile/${profile}` } }),
          },
        ],
      };
    }),
  }),
  DescribeInstanceStatus: ({ scheduled }, { Filters }) => ({
    InstanceStatuses: filtered(scheduled, Filters, (one, name) =>
      name === 'event.code' ? (one.Events ?? []).map(({ Code = '' }) => Code) : [],
    ),
  }),
  DescribeTags: ({ otherTags }) => ({
    Tags: Object.entries(otherTags).map(([ResourceId, [ResourceType, Value]]) => ({
      ...{ ResourceId, ResourceType, Key: TAG, Value },
    })),
  }),
  GetManagedPrefixListEntries: ({ prefixLists }, { PrefixListId }) => {
    const found = prefixLists[String(PrefixListId)];
    if (found === undefined) throw refusal('InvalidPrefixListID.NotFound');
    return { Entries: found.map((Cidr) => ({ Cidr })) };
  },
};

const missing = (what: unknown) => refusal('ResourceNotFoundException', `${String(what)} does not exist`);

const events: Answers = {
  DescribeEventBus: ({ bus }) => {
    if (bus === undefined) throw missing('the bus');
    return bus;
  },
  ListRules: ({ rules }, { EventBusName }) => ({
    Rules: rules
      .filter((rule) => rule.EventBusName === EventBusName)
      .map(({ targets: _targets, ...rule }) => rule),
  }),
  ListTargetsByRule: ({ rules, inputs }, { Rule }) => ({
    Targets: rules
      .find((rule) => rule.Name === Rule)!
      .targets.map((Arn) => ({ Id: 't', Arn, ...inputs[String(Rule)] })),
  }),
};

const functionOf = ({ functions }: World, { FunctionName }: Input) => {
  const found = functions[String(FunctionName).replace('vipshift-dev-', '')];
  if (found === undefined) throw missing(FunctionName);
  return found;
};

const service: Answers = {
  DescribeStacks: ({ stack }) => {
    if (stack === undefined) throw refusal('ValidationError', 'Stack with id vipshift-dev does not exist');
    return {
      Stacks: [
        {
          StackStatus: stack.StackStatus,
          Parameters: Object.entries(stack.Parameters).map(([ParameterKey, ParameterValue]) => ({
            ...{ ParameterKey, ParameterValue },
          })),
          Outputs: Object.entries(stack.Outputs).map(([OutputKey, OutputValue]) => ({
            OutputKey,
            OutputValue,
          })),
        },
      ],
    };
  },
  GetFunctionConfiguration: (world, input) => functionOf(world, input).config,
  GetFunctionConcurrency: (world, input) => {
    const { reserved } = functionOf(world, input);
    return reserved === undefined ? {} : { ReservedConcurrentExecutions: reserved };
  },
  GetFunctionUrlConfig: ({ url }) => {
    if (url === undefined) throw missing('the function URL');
    return { AuthType: url };
  },
  DescribeAlarms: ({ alarms }) => ({ MetricAlarms: alarms }),
  ListSubscriptionsByTopic: ({ subscriptions }) => ({
    Subscriptions: subscriptions.map((SubscriptionArn) => ({ SubscriptionArn })),
  }),
  GetQueueAttributes: ({ queues }, { QueueUrl }) => {
    const waiting = queues[String(QueueUrl)];
    if (waiting === undefined) throw refusal('QueueDoesNotExist');
    return { Attributes: { ApproximateNumberOfMessages: String(waiting) } };
  },
  DescribeTable: (world, input) => {
    const { status, isProtected } = dynamoOf(world, input);
    return { Table: { TableStatus: status, DeletionProtectionEnabled: isProtected } };
  },
  DescribeTimeToLive: (world, input) => {
    const { ttl } = dynamoOf(world, input);
    return {
      TimeToLiveDescription:
        ttl === undefined
          ? { TimeToLiveStatus: 'DISABLED' }
          : { TimeToLiveStatus: 'ENABLED', AttributeName: ttl },
    };
  },
  DescribeContinuousBackups: (world, input) => ({
    ContinuousBackupsDescription: {
      PointInTimeRecoveryDescription: {
        PointInTimeRecoveryStatus: dynamoOf(world, input).recovers ? 'ENABLED' : 'DISABLED',
      },
    },
  }),
  BatchGetItem: ({ viewsAtMs }, { RequestItems }) => {
    const [[table, { Keys }]] = Object.entries(
      RequestItems as Record<string, { Keys: { vip: { S: string } }[] }>,
    ) as [[string, { Keys: { vip: { S: string } }[] }]];
    const items = Keys.flatMap(({ vip: { S: vip } }) => {
      const at = viewsAtMs[vip.slice('view/'.length)];
      return at === undefined
        ? []
        : [marshall({ vip, expiresAtS: Math.floor(at / 1000) + RETENTION_DAYS * 86_400 })];
    });
    return { Responses: { [table]: items } };
  },
};

const dynamoOf = ({ dynamo }: World, { TableName }: Input) => {
  const found = dynamo[String(TableName)];
  if (found === undefined) throw missing(TableName);
  return found;
};

const iam: Answers = {
  GetInstanceProfile: () => ({ InstanceProfile: { Roles: [{ RoleName: ROLE }] } }),
  GetRole: ({ role }) => ({ Role: role }),
  ListRolePolicies: ({ inline }) => ({ PolicyNames: Object.keys(inline) }),
  GetRolePolicy: ({ inline }, { PolicyName }) => ({ PolicyDocument: inline[String(PolicyName)] }),
  ListAttachedRolePolicies: ({ attached }) => ({
    AttachedPolicies: attached.map((PolicyArn) => ({ PolicyArn })),
  }),
  GetPolicyVersion: ({ managed }, { PolicyArn }) => ({
    PolicyVersion: { Document: managed[String(PolicyArn)] },
  }),
  GetAccountAuthorizationDetails: ({ otherRoles }) => ({
    RoleDetailList: Object.entries(otherRoles).map(([Arn, PolicyDocument]) => ({
      Arn,
      Path: '/',
      RolePolicyList: [{ PolicyDocument }],
    })),
    UserDetailList: [],
    GroupDetailList: [],
    Policies: [],
  }),
};

const all: Answers = { ...ec2, ...events, ...service, ...iam };

/** `GetPolicy` is IAM's and Lambda's. */
export function answerOf(world: World, command: string, input: Input): object {
  if (command === 'GetPolicy' && 'FunctionName' in input)
    return { Policy: JSON.stringify({ Statement: functionOf(world, input).policy }) };
  if (command === 'GetPolicy') return { Policy: { DefaultVersionId: 'v1', Arn: input.PolicyArn } };
  const answer = all[command];
  if (answer === undefined) throw new Error(`the world does not know ${command}`);
  return structuredClone(answer(world, input));
}
