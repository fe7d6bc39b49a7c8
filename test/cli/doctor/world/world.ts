// A whole deployment as AWS's APIs show it, in memory: two nodes in two zones, their network, the stack, its identities. What is
// in it are the SDK's own shapes, so that the doctor's adapters read it as they read AWS, and a test can spoil any field.
//
// Invariant: `rightWorld()` has nothing wrong. Limit: what AWS derives (an ENI's Association, a route's blackhole) is derived in
// answers.ts from what it is derived from, so a test does not make a world that cannot be.
import type { MetricAlarm } from '@aws-sdk/client-cloudwatch';
import type {
  Address,
  Instance,
  NatGateway,
  NetworkAcl,
  NetworkInterface,
  RouteTable,
  SecurityGroup,
  Subnet,
  VpcEndpoint,
} from '@aws-sdk/client-ec2';
import { alarmNames } from '../../../../shared/doctor/service/watch.ts';
import { patterns, SCHEDULE } from '../../../../shared/doctor/service/wiring.ts';
import { type EpochMs, epochMs } from '../../../../shared/time.ts';
import { windowOf } from '../../../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../../../shared/vip/node-state.ts';
import { newVip, type Vip } from '../../../../shared/vip/vip.ts';
import { claimOf } from '../../../support/world.ts';
import { busPolicy, ROLE, trust } from '../policies.ts';

export const NOW: EpochMs = epochMs(Date.UTC(2026, 10, 22, 14, 0, 0));
export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';
export const VPC = 'vpc-0a';
export const TAG = 'vipshift:dev';
export const V4 = '192.168.255.10/32';
export const V6 = 'fd77:7669:7073::10/128';
export const EIP = 'eipalloc-0web';
export const ROLE_ID = 'AROADEMOROLE00000001';
export const RETENTION_DAYS = 400;

export const arn = (service: string, what: string): string =>
  `arn:aws:${service}:${REGION}:${ACCOUNT}:${what}`;
export const BUS_ARN = arn('events', 'event-bus/vipshift-dev');
export const TOPIC = arn('sns', 'vipshift-dev-notices');
const tags = (pairs: Readonly<Record<string, string>>) =>
  Object.entries(pairs).map(([Key, Value]) => ({ Key, Value }));

export const nodes = { a: 'i-00000000000000a', b: 'i-00000000000000b' } as const;
const zones = { a: `${REGION}a`, b: `${REGION}b` } as const;
type Side = keyof typeof nodes;
const sides: readonly Side[] = ['a', 'b'];
const third = { a: 1, b: 2 } as const;

function subnet(name: string, side: Side, n: number): Subnet {
  return {
    ...{ SubnetId: `subnet-${name}-${side}`, VpcId: VPC, CidrBlock: `10.0.${n}.0/24` },
    AvailabilityZone: zones[side],
    Ipv6CidrBlockAssociationSet: [
      { Ipv6CidrBlock: `2001:db8:0:${n}::/64`, Ipv6CidrBlockState: { State: 'associated' } },
    ],
  };
}

function table(name: string, side: Side, label: string | undefined): RouteTable {
  const owner = `eni-service-a`;
  const own = [
    { DestinationCidrBlock: V4, NetworkInterfaceId: owner, State: 'active', Origin: 'CreateRoute' },
    { DestinationIpv6CidrBlock: V6, NetworkInterfaceId: owner, State: 'active', Origin: 'CreateRoute' },
  ] as const;
  return {
    ...{ RouteTableId: `rtb-${name}-${side}`, VpcId: VPC, OwnerId: ACCOUNT },
    Tags: tags({ Name: name, ...(label === undefined ? {} : { [TAG]: label }) }),
    Associations: [{ SubnetId: `subnet-${name}-${side}`, Main: false }],
    Routes: [
      { DestinationCidrBlock: '10.0.0.0/16', GatewayId: 'local', State: 'active' },
      ...(name === 'nodes'
        ? [{ DestinationCidrBlock: '0.0.0.0/0', GatewayId: 'igw-1', State: 'active' as const }]
        : []),
      ...(label === 'web' ? own : []),
    ],
  };
}

function enis(side: Side): readonly NetworkInterface[] {
  const at = `10.0.${third[side]}`;
  const one = (role: string, index: number, last: number, label?: string): NetworkInterface => ({
    ...{
      NetworkInterfaceId: `eni-${role}-${side}`,
      VpcId: VPC,
      OwnerId: ACCOUNT,
      InterfaceType: 'interface',
    },
    ...{ SubnetId: `subnet-nodes-${side}`, AvailabilityZone: zones[side], SourceDestCheck: false },
    Attachment: { InstanceId: nodes[side], DeviceIndex: index, Status: 'attached' },
    Status: 'in-use',
    PrivateIpAddress: `${at}.${last}`,
    PrivateIpAddresses: [{ PrivateIpAddress: `${at}.${last}`, Primary: true }],
    Groups: [{ GroupId: 'sg-nodes' }],
    TagSet: tags(label === undefined ? { Name: role } : { Name: role, [TAG]: label }),
  });
  return [one('primary', 0, 10), one('service', 1, 20, 'web'), one('eip', 2, 30, 'web:eip')];
}

const address = (id: string, eni: string, privateAddress: string, label?: string): Address => ({
  ...{ AllocationId: id, PublicIp: `203.0.113.${id.length}`, Domain: 'vpc', NetworkBorderGroup: REGION },
  ...{ NetworkInterfaceId: eni, PrivateIpAddress: privateAddress },
  Tags: tags(label === undefined ? {} : { [TAG]: label }),
});

const group = (): SecurityGroup => ({
  ...{ GroupId: 'sg-nodes', VpcId: VPC },
  IpPermissions: [
    { IpProtocol: '112', FromPort: -1, ToPort: -1, UserIdGroupPairs: [{ GroupId: 'sg-nodes' }] },
    {
      ...{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443 },
      IpRanges: [{ CidrIp: '0.0.0.0/0' }],
      Ipv6Ranges: [{ CidrIpv6: '::/0' }],
    },
    { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '10.0.0.0/16' }] },
  ],
  IpPermissionsEgress: [
    { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }], Ipv6Ranges: [{ CidrIpv6: '::/0' }] },
  ],
});

const acl = (subnets: readonly Subnet[]): NetworkAcl => ({
  ...{ NetworkAclId: 'acl-1', VpcId: VPC },
  Associations: subnets.map(({ SubnetId }) => ({ ...(SubnetId === undefined ? {} : { SubnetId }) })),
  Entries: [true, false].flatMap((Egress) => [
    { RuleNumber: 100, Protocol: '-1', RuleAction: 'allow' as const, Egress, CidrBlock: '0.0.0.0/0' },
    { RuleNumber: 101, Protocol: '-1', RuleAction: 'allow' as const, Egress, Ipv6CidrBlock: '::/0' },
    { RuleNumber: 32_767, Protocol: '-1', RuleAction: 'deny' as const, Egress, CidrBlock: '0.0.0.0/0' },
    { RuleNumber: 32_768, Protocol: '-1', RuleAction: 'deny' as const, Egress, Ipv6CidrBlock: '::/0' },
  ]),
});

/** As node a said MASTER a while ago and node b BACKUP, and both just now. */
export function vip(name = 'web', over: Partial<Vip> = {}): Vip {
  const state = (side: Side) => ({
    ...nodeStateFrom(
      claimOf(nodes[side], { state: side === 'a' ? 'MASTER' : 'BACKUP', priority: side === 'a' ? 254 : 253 }),
      NOW,
    ),
    seenMs: NOW - 5000,
    slot: windowOf(NOW - 5000),
  });
  const member = (side: Side) => ({
    ...{ node: nodes[side], eni: `eni-service-${side}`, eipEni: `eni-eip-${side}`, zone: zones[side] },
  });
  return {
    ...newVip({
      ...{ name, addresses: [V4, V6], eips: [EIP], vpc: VPC, account: ACCOUNT },
      ...{ tableLabels: ['web'], nodeLabels: ['web'], hold: 'both' },
    }),
    owner: nodes.a,
    members: { [nodes.a]: member('a'), [nodes.b]: member('b') },
    claims: { [nodes.a]: state('a'), [nodes.b]: state('b') },
    heard: [windowOf(NOW - 5000)],
    tablesSeen: 4,
    ...over,
  };
}

const NODE_POLICY = arn('iam', 'policy/vipshift-dev-NodePolicy').replace(REGION, '');

function service() {
  const name = (what: string) => `vipshift-dev-${what}`;
  const functionArn = (what: string) => arn('lambda', `function:${name(what)}`);
  const rule = (what: string, bus: string, starts: string, more: object) => ({
    Name: `${name(what)}-X`,
    EventBusName: bus,
    Arn: arn('events', bus === 'default' ? `rule/${name(what)}-X` : `rule/${bus}/${name(what)}-X`),
    State: 'ENABLED',
    ...more,
    targets: [starts],
  });
  const pattern = (of: object) => ({ EventPattern: JSON.stringify(of) });
  const rules = [
    rule('ClaimRule', 'vipshift-dev', functionArn('failover'), pattern(patterns.claims)),
    rule(
      'NoticeRule',
      'vipshift-dev',
      arn('states', `stateMachine:${name('notice')}`),
      pattern(patterns.notices),
    ),
    rule('InstanceHints', 'default', functionArn('reconcile'), pattern(patterns.instances)),
    rule(
      'ChangeHints',
      'default',
      functionArn('reconcile'),
      pattern({ ...patterns.changes, detail: { eventSource: ['ec2.amazonaws.com'] } }),
    ),
    rule('ReconcileEventsRuleSchedule1', 'default', functionArn('reconcile'), {
      ScheduleExpression: SCHEDULE,
    }),
  ];
  const starting = {
    failover: ['ClaimRule'],
    reconcile: ['InstanceHints', 'ChangeHints', 'Reconcile'],
    runbook: [],
  };
  const lambda = (what: keyof typeof starting) => ({
    config: {
      ...{ FunctionArn: functionArn(what), State: 'Active', LastUpdateStatus: 'Successful', Timeout: 300 },
      Environment: {
        Variables: {
          ...{ VIPSHIFT_STAGE: 'dev', VIPSHIFT_BUS: 'vipshift-dev', VIPSHIFT_NODE_IDENTITY: 'source' },
          ...{ VIPSHIFT_VIPS_TABLE: name('vips'), VIPSHIFT_TIMELINE_TABLE: name('timeline') },
          ...{ VIPSHIFT_NODE_ROLE_ID: ROLE_ID, VIPSHIFT_RETENTION_DAYS: String(RETENTION_DAYS) },
        } as Record<string, string>,
      },
    },
    reserved: undefined as number | undefined,
    policy: rules
      .filter((one) => starting[what].some((part) => one.Name.includes(part)))
      .map((one) => ({
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'lambda:InvokeFunction',
        Condition: { ArnLike: { 'AWS:SourceArn': one.Arn } },
      })),
  });
  const tableState = { status: 'ACTIVE', isProtected: true, recovers: true };
  return {
    stack: {
      StackStatus: 'UPDATE_COMPLETE',
      Parameters: { NodeRoleId: ROLE_ID, ReservedConcurrency: '0' } as Record<string, string>,
      Outputs: {
        ...{ NoticesTopicArn: TOPIC, NoticeMachineArn: arn('states', `stateMachine:${name('notice')}`) },
        ...{
          RuleDeadLettersUrl: 'https://sqs/rule-dead-letters',
          FunctionFailuresUrl: 'https://sqs/function-failures',
        },
        ...{
          RedriveMachineArn: arn('states', `stateMachine:${name('redrive')}`),
          NodePolicyArn: NODE_POLICY,
        },
      } as Record<string, string>,
    },
    rules,
    functions: {
      failover: lambda('failover'),
      reconcile: lambda('reconcile'),
      runbook: lambda('runbook'),
    } as Record<string, ReturnType<typeof lambda> | undefined>,
    queues: { 'https://sqs/rule-dead-letters': 0, 'https://sqs/function-failures': 0 } as Record<
      string,
      number | undefined
    >,
    subscriptions: [`${TOPIC}:1`],
    alarms: alarmNames.map(
      (alarm): MetricAlarm => ({
        ...{ AlarmName: name(alarm), StateValue: 'OK', ActionsEnabled: true, AlarmActions: [TOPIC] },
      }),
    ),
    dynamo: {
      [name('vips')]: { ...tableState, ttl: undefined as string | undefined },
      [name('timeline')]: { ...tableState, ttl: 'expiresAtS' as string | undefined },
    } as Record<string, (typeof tableState & { ttl: string | undefined }) | undefined>,
  };
}

function identities() {
  const allow = {
    ...{ Effect: 'Allow', Action: 'events:PutEvents', Resource: BUS_ARN },
    Condition: {
      'ForAllValues:StringEquals': {
        'events:source': 'vipshift.notify/${aws:userid}',
        'events:detail-type': 'VRRP State Change',
      },
      Null: { 'events:source': 'false' },
    },
  };
  return {
    bus: { Arn: BUS_ARN, Policy: busPolicy(BUS_ARN, ACCOUNT) } as { Arn: string; Policy: string } | undefined,
    role: {
      RoleName: ROLE,
      Arn: `arn:aws:iam::${ACCOUNT}:role/${ROLE}`,
      RoleId: ROLE_ID,
      AssumeRolePolicyDocument: trust('ec2.amazonaws.com'),
    },
    inline: {} as Record<string, string>,
    attached: [NODE_POLICY],
    managed: {
      [NODE_POLICY]: JSON.stringify({ Version: '2012-10-17', Statement: [allow] }),
    } as Record<string, string>,
    profileOf: { [nodes.a]: 'nodes', [nodes.b]: 'nodes' } as Record<string, string | undefined>,
  };
}

export function rightWorld() {
  const subnets = sides.flatMap((side) => [
    subnet('nodes', side, third[side]),
    subnet('clients', side, third[side] + 10),
    subnet('data', side, third[side] + 20),
  ]);
  return {
    vpcs: [
      {
        ...{ VpcId: VPC, OwnerId: ACCOUNT, CidrBlock: '10.0.0.0/16' },
        Ipv6CidrBlockAssociationSet: [
          { Ipv6CidrBlock: '2001:db8::/56', Ipv6CidrBlockState: { State: 'associated' } },
        ],
      },
    ],
    dns: { enableDnsSupport: true, enableDnsHostnames: true } as Record<string, boolean>,
    zones: sides.map((side) => ({ ZoneName: zones[side], NetworkBorderGroup: REGION })),
    subnets,
    tables: [
      ...sides.flatMap((side) => [
        table('nodes', side, 'web'),
        table('clients', side, 'web'),
        table('data', side, '-'),
      ]),
      {
        ...{ RouteTableId: 'rtb-main', VpcId: VPC, OwnerId: ACCOUNT, Tags: [] },
        Associations: [{ Main: true }],
        Routes: [{ DestinationCidrBlock: '10.0.0.0/16', GatewayId: 'local', State: 'active' }],
      },
    ] as RouteTable[],
    enis: sides.flatMap(enis),
    addresses: [
      address(EIP, 'eni-eip-a', '10.0.1.30', 'web'),
      address('eipalloc-0node-a', 'eni-primary-a', '10.0.1.10'),
      address('eipalloc-00node-b', 'eni-primary-b', '10.0.2.10'),
    ],
    groups: [group()],
    acls: [acl(subnets)],
    instances: sides.map((side): Instance => ({ InstanceId: nodes[side], State: { Name: 'running' } })),
    endpoints: [] as VpcEndpoint[],
    nats: [] as NatGateway[],
    prefixLists: {} as Record<string, readonly string[] | undefined>,
    /** The tag on other things, by id. */
    otherTags: {} as Record<string, readonly [kind: string, value: string]>,
    ...service(),
    ...identities(),
    vips: [vip()],
    viewsAtMs: { web: NOW - 60_000 } as Record<string, number | undefined>,
    shims: { [nodes.a]: '1.0.0', [nodes.b]: '1.0.0' } as Record<string, string>,
  };
}
export type World = ReturnType<typeof rightWorld>;
