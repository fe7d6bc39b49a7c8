// A whole deployment as AWS's APIs show it, in memory: two nodes in two zones, their network, the stack, its identities. What is
// in it are the SDK's own shapes, so that the doctor's adapters read it as they read AWS, and a test can spoil any field.
//
// Invariant: `rightWorld()` has nothing wrong. Limit: what AWS derives (an ENI's Association, a route's blackhole) is derived in
// answers.ts from what it is derived from, so a test does not make a world that cannot be.
import type {
  Address,
  Instance,
  InstanceStatus,
  NatGateway,
  NetworkAcl,
  NetworkInterface,
  RouteTable,
  SecurityGroup,
  Subnet,
  VpcEndpoint,
} from '@aws-sdk/client-ec2';
import { VERSION } from '../../../../shared/version.ts';
import { windowOf } from '../../../../shared/vip/liveness.ts';
import { nodeStateFrom } from '../../../../shared/vip/node-state.ts';
import { newVip, type Vip } from '../../../../shared/vip/vip.ts';
import { claimOf } from '../../../support/world.ts';
import { ACCOUNT, EIP, NOW, nodes, REGION, TAG, tags, V4, V6, VPC } from './names.ts';
import { identities, service } from './service.ts';

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
    /** Of those that EC2 has scheduled something for. */
    scheduled: [] as InstanceStatus[],
    endpoints: [] as VpcEndpoint[],
    nats: [] as NatGateway[],
    prefixLists: {} as Record<string, readonly string[] | undefined>,
    /** The tag on other things, by id. */
    otherTags: {} as Record<string, readonly [kind: string, value: string]>,
    ...service(),
    ...identities(),
    vips: [vip()],
    viewsAtMs: { web: NOW - 60_000 } as Record<string, number | undefined>,
    shims: { [nodes.a]: VERSION, [nodes.b]: VERSION } as Record<string, string>,
  };
}
export type World = ReturnType<typeof rightWorld>;
