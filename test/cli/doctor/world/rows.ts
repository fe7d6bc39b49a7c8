// What operators get wrong, a row each: how it is seeded in a world, and the check that has to name it. Every kind was met in
// practice or tried by hand.
import type { NetworkInterface, Route, RouteTable } from '@aws-sdk/client-ec2';
import { BUS_ARN, EIP, nodes, TAG, TOPIC, V4, V6, VPC, vip, type World } from './world.ts';

export interface Row {
  readonly what: string;
  readonly check: string;
  readonly seed: (world: World) => void;
  /** What a command cannot know or do: the operator's choice, a thing on the node, a new thing. By default it repairs. */
  readonly byHand?: true;
  readonly ports?: true;
}

export const table = (world: World, id: string): RouteTable =>
  world.tables.find((one) => one.RouteTableId === id)!;
export const eni = (world: World, id: string): NetworkInterface =>
  world.enis.find((one) => one.NetworkInterfaceId === id)!;
const eip = (world: World) => world.addresses.find((one) => one.AllocationId === EIP)!;
const group = (world: World) => world.groups[0]!;
const acl = (world: World) => world.acls[0]!;
const rule = (world: World, part: string) => world.rules.find((one) => one.Name.includes(part))!;

function retag(world: World, id: string, value: string | undefined, key: string = TAG): void {
  const tags = value === undefined ? [] : [{ Key: key, Value: value }];
  const at = eni(world, id);
  if (at !== undefined) at.TagSet = tags;
  else if (table(world, id) !== undefined) table(world, id).Tags = tags;
  else world.addresses.find((one) => one.AllocationId === id)!.Tags = tags;
}

const tagged = (what: string, id: string, value: string | undefined, check: string, key?: string): Row => ({
  what,
  check,
  seed: (world) => retag(world, id, value, key),
});

function route(world: World, id: string, over: Route): void {
  const at = table(world, id);
  const same = (one: Route) =>
    one.DestinationCidrBlock === over.DestinationCidrBlock &&
    one.DestinationIpv6CidrBlock === over.DestinationIpv6CidrBlock;
  at.Routes = [...(at.Routes ?? []).filter((one) => !same(one)), { State: 'active', ...over }];
}
function unroute(world: World, id: string, destination: string): void {
  const at = table(world, id);
  at.Routes = (at.Routes ?? []).filter(
    (one) => ![one.DestinationCidrBlock, one.DestinationIpv6CidrBlock].includes(destination),
  );
}

const tags: readonly Row[] = [
  tagged('a table tagged with a blank at the end', 'rtb-clients-a', 'web ', 'table-mislabelled'),
  tagged('a table tagged in the wrong case', 'rtb-clients-a', 'Web', 'table-mislabelled'),
  tagged('a table tagged with letters swapped', 'rtb-clients-a', 'wbe', 'table-mislabelled'),
  tagged(
    'a table with the key in the wrong case',
    'rtb-clients-a',
    'web',
    'table-mislabelled',
    'vipshift:Dev',
  ),
  tagged('a table with the key without a stage', 'rtb-clients-a', 'web', 'table-mislabelled', 'vipshift'),
  tagged('a table with the key with a dash', 'rtb-clients-a', 'web', 'table-mislabelled', 'vipshift-dev'),
  tagged(
    'a table with a key that begins in capitals',
    'rtb-clients-a',
    'web',
    'table-mislabelled',
    'Vipshift:dev',
  ),
  tagged('a service ENI tagged with a blank', 'eni-service-b', 'web ', 'eni-mislabelled'),
  tagged('an EIP ENI tagged in capitals', 'eni-eip-b', 'web:EIP', 'eni-mislabelled'),
  tagged('a service ENI with a mistyped key', 'eni-service-b', 'web', 'eni-mislabelled', 'vipshift'),
  tagged('an EIP tagged in the wrong case', EIP, 'Web', 'eip-mislabelled'),
  tagged('an EIP with a mistyped key', EIP, 'web', 'eip-mislabelled', 'vipshift:DEV'),
  tagged('an EIP without a tag', EIP, undefined, 'eip-untagged'),
  tagged('a client’s table without a tag', 'rtb-clients-b', undefined, 'table-unlabelled'),
  tagged('a service ENI without a tag', 'eni-service-b', undefined, 'eni-unlabelled'),
  tagged('the EIP ENI of the standby without a tag', 'eni-eip-b', undefined, 'eip-eni-untagged'),
  {
    what: 'an EIP with the label that no VIP lists',
    check: 'eip-unused',
    seed: (world) =>
      void world.addresses.push({ AllocationId: 'eipalloc-0more', Tags: [{ Key: TAG, Value: 'web' }] }),
  },
  {
    what: 'the tag on a subnet',
    check: 'tag-unread',
    seed: (world) => {
      world.otherTags['subnet-clients-a'] = ['subnet', 'web'];
    },
  },
  {
    what: 'a table with an unused label in another VPC',
    check: 'table-mislabelled',
    seed: (world) =>
      void world.tables.push({
        ...table(world, 'rtb-data-a'),
        RouteTableId: 'rtb-far',
        VpcId: 'vpc-far',
        Associations: [],
        Tags: [{ Key: TAG, Value: 'old' }],
      }),
  },
];

const routes: readonly Row[] = [
  {
    what: 'a labelled table that serves no subnet',
    check: 'table-unused',
    seed: (world) => {
      table(world, 'rtb-clients-a').Associations = [];
      table(world, 'rtb-main').Tags = [{ Key: TAG, Value: '-' }];
    },
  },
  {
    what: 'a subnet moved to an untagged table',
    check: 'table-unlabelled',
    seed: (world) => {
      const from = table(world, 'rtb-clients-a');
      world.tables.push({ ...from, RouteTableId: 'rtb-new', Tags: [], Routes: [] });
      from.Associations = [];
    },
  },
  {
    what: 'a subnet that falls back to the main table',
    check: 'main-table-unlabelled',
    seed: (world) => {
      table(world, 'rtb-clients-a').Associations = [];
    },
  },
  {
    what: 'one table that points to the standby',
    check: 'route-drift',
    seed: (world) =>
      route(world, 'rtb-clients-b', { DestinationCidrBlock: V4, NetworkInterfaceId: 'eni-service-b' }),
  },
  {
    what: 'a missing route',
    check: 'route-missing',
    seed: (world) => unroute(world, 'rtb-clients-b', V4),
  },
  {
    what: 'a missing route of IPv6',
    check: 'route-missing',
    seed: (world) => unroute(world, 'rtb-nodes-b', V6),
  },
  {
    what: 'a route to a stranger’s ENI',
    check: 'route-foreign',
    byHand: true,
    seed: (world) => {
      world.enis.push({
        ...eni(world, 'eni-primary-a'),
        NetworkInterfaceId: 'eni-foreign',
        TagSet: [],
        Attachment: { InstanceId: 'i-foreign', DeviceIndex: 0 },
      });
      route(world, 'rtb-clients-b', { DestinationCidrBlock: V4, NetworkInterfaceId: 'eni-foreign' });
    },
  },
  {
    what: 'a route to an ENI that is gone: a blackhole',
    check: 'route-drift',
    seed: (world) =>
      route(world, 'rtb-clients-b', { DestinationCidrBlock: V4, NetworkInterfaceId: 'eni-gone' }),
  },
  {
    what: 'a route that a gateway propagates in the VIP’s place',
    check: 'route-missing',
    seed: (world) => {
      unroute(world, 'rtb-clients-b', V4);
      route(world, 'rtb-clients-b', {
        DestinationCidrBlock: V4,
        GatewayId: 'vgw-1',
        Origin: 'EnableVgwRoutePropagation',
      });
    },
  },
  {
    what: 'a broader route over a peering',
    check: 'address-elsewhere',
    byHand: true,
    seed: (world) =>
      route(world, 'rtb-clients-a', {
        DestinationCidrBlock: '192.168.0.0/16',
        VpcPeeringConnectionId: 'pcx-1',
      }),
  },
  {
    what: 'a peering that a table routes to',
    check: 'peering',
    byHand: true,
    seed: (world) =>
      route(world, 'rtb-clients-a', { DestinationCidrBlock: '10.9.0.0/16', VpcPeeringConnectionId: 'pcx-1' }),
  },
  {
    what: 'a transit gateway that a table routes to',
    check: 'transit-gateway',
    byHand: true,
    seed: (world) =>
      route(world, 'rtb-data-a', { DestinationCidrBlock: '172.16.0.0/12', TransitGatewayId: 'tgw-1' }),
  },
  {
    what: 'the VIP over a transit gateway in a table that is left out',
    check: 'table-routed',
    seed: (world) => route(world, 'rtb-data-a', { DestinationCidrBlock: V4, TransitGatewayId: 'tgw-1' }),
  },
  {
    what: 'the VIP to a member in a table that is left out',
    check: 'table-routed',
    seed: (world) =>
      route(world, 'rtb-data-b', { DestinationCidrBlock: V4, NetworkInterfaceId: 'eni-service-a' }),
  },
  {
    what: 'a route of a former address to a member',
    check: 'route-left-over',
    seed: (world) =>
      route(world, 'rtb-data-a', {
        DestinationCidrBlock: '192.168.255.99/32',
        NetworkInterfaceId: 'eni-service-a',
      }),
  },
  {
    what: 'a labelled table in another VPC',
    check: 'table-elsewhere',
    seed: (world) =>
      void world.tables.push({
        ...table(world, 'rtb-clients-a'),
        RouteTableId: 'rtb-far',
        VpcId: 'vpc-far',
        Associations: [],
      }),
  },
  {
    what: 'a labelled gateway table',
    check: 'gateway-table',
    seed: (world) =>
      void world.tables.push({
        ...table(world, 'rtb-clients-a'),
        RouteTableId: 'rtb-edge',
        Routes: [],
        Associations: [{ GatewayId: 'igw-1', Main: false }],
      }),
  },
  {
    what: 'the default route of the standby’s subnet gone',
    check: 'bus-way',
    seed: (world) => unroute(world, 'rtb-nodes-b', '0.0.0.0/0'),
  },
  {
    what: 'the default route of the standby’s subnet to a NAT gateway that failed',
    check: 'bus-way',
    seed: (world) => {
      world.nats.push({
        NatGatewayId: 'nat-1',
        VpcId: VPC,
        SubnetId: 'subnet-data-a',
        State: 'failed',
        ConnectivityType: 'public',
      });
      route(world, 'rtb-nodes-b', { DestinationCidrBlock: '0.0.0.0/0', NatGatewayId: 'nat-1' });
    },
  },
  {
    what: 'a NAT gateway in a subnet without a way to the Internet',
    check: 'bus-way',
    byHand: true,
    seed: (world) => {
      world.nats.push({
        NatGatewayId: 'nat-1',
        VpcId: VPC,
        SubnetId: 'subnet-data-a',
        State: 'available',
        ConnectivityType: 'public',
      });
      route(world, 'rtb-nodes-b', { DestinationCidrBlock: '0.0.0.0/0', NatGatewayId: 'nat-1' });
    },
  },
  {
    what: 'a node without a public address behind an Internet gateway',
    check: 'bus-way',
    byHand: true,
    seed: (world) => {
      world.addresses = world.addresses.filter((one) => one.NetworkInterfaceId !== 'eni-primary-b');
    },
  },
  {
    what: 'an endpoint for EventBridge without private DNS, and no default route',
    check: 'bus-way',
    seed: (world) => {
      unroute(world, 'rtb-nodes-b', '0.0.0.0/0');
      unroute(world, 'rtb-nodes-a', '0.0.0.0/0');
      world.endpoints.push(endpointOf(false));
    },
  },
  {
    what: 'an endpoint for EventBridge whose group lets nothing in',
    check: 'bus-way',
    seed: (world) => {
      world.endpoints.push(endpointOf(true));
      world.groups.push({ ...group(world), GroupId: 'sg-endpoint', IpPermissions: [] });
    },
  },
];

const endpointOf = (PrivateDnsEnabled: boolean) => ({
  ...{ VpcEndpointId: 'vpce-1', VpcId: VPC, ServiceName: 'com.amazonaws.eu-central-1.events' },
  ...({ VpcEndpointType: 'Interface', State: 'Available', PrivateDnsEnabled } as const),
  Groups: [{ GroupId: PrivateDnsEnabled ? 'sg-endpoint' : 'sg-nodes' }],
});

const dropping = (Egress: boolean, over: object = {}) => ({
  ...{ RuleNumber: 10, Protocol: '112', RuleAction: 'deny' as const, CidrBlock: '0.0.0.0/0', Egress },
  ...over,
});
const filters: readonly Row[] = [
  {
    what: 'a network ACL that denies 112 in',
    check: 'acl-vrrp',
    seed: (world) => void acl(world).Entries!.push(dropping(false)),
  },
  {
    what: 'a network ACL that denies 112 out',
    check: 'acl-vrrp',
    seed: (world) => void acl(world).Entries!.push(dropping(true)),
  },
  {
    what: 'a network ACL of TCP alone',
    check: 'acl-vrrp',
    seed: (world) => {
      for (const entry of acl(world).Entries!) if (entry.RuleAction === 'allow') entry.Protocol = '6';
    },
  },
  {
    what: 'a network ACL that drops what clients send',
    check: 'acl-service',
    seed: (world) =>
      void acl(world).Entries!.push(dropping(false, { Protocol: '6', PortRange: { From: 443, To: 443 } })),
  },
  {
    what: 'a network ACL that drops the answers',
    check: 'acl-service',
    seed: (world) =>
      void acl(world).Entries!.push(
        dropping(true, { Protocol: '6', PortRange: { From: 32_768, To: 65_535 } }),
      ),
  },
  {
    what: 'a network ACL that drops the answers over IPv6',
    check: 'acl-service',
    seed: (world) => {
      const { CidrBlock: _four, ...six } = dropping(true, { Protocol: '-1', Ipv6CidrBlock: '::/0' });
      acl(world).Entries!.push(six);
    },
  },
  {
    what: 'no VRRP rule',
    check: 'group-vrrp',
    seed: (world) => void group(world).IpPermissions!.splice(0, 1),
  },
  {
    what: 'VRRP by an IPv6 rule only',
    check: 'group-vrrp',
    seed: (world) => {
      group(world).IpPermissions![0] = { IpProtocol: '112', Ipv6Ranges: [{ CidrIpv6: '::/0' }] };
    },
  },
  {
    what: 'VRRP from one node only',
    check: 'group-vrrp',
    seed: (world) => {
      group(world).IpPermissions![0] = { IpProtocol: '112', IpRanges: [{ CidrIp: '10.0.1.0/24' }] };
    },
  },
  {
    what: 'groups whose egress lacks protocol 112',
    check: 'group-vrrp-out',
    seed: (world) => {
      group(world).IpPermissionsEgress = [
        { IpProtocol: 'tcp', FromPort: 0, ToPort: 65_535, IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
      ];
    },
  },
  {
    what: 'groups whose egress lacks 443',
    check: 'bus-way',
    seed: (world) => {
      group(world).IpPermissionsEgress = [{ IpProtocol: '112', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }];
    },
  },
  {
    what: 'a service port that is open for another port only',
    check: 'group-service',
    ports: true,
    seed: (world) => Object.assign(group(world).IpPermissions![1]!, { FromPort: 80, ToPort: 80 }),
  },
  {
    what: 'a service port that is open for IPv4 only',
    check: 'group-service',
    ports: true,
    seed: (world) => {
      group(world).IpPermissions![1]!.Ipv6Ranges = [];
    },
  },
];

const members: readonly Row[] = [
  {
    what: 'source/destination check on',
    check: 'source-dest-check',
    seed: (world) => {
      eni(world, 'eni-service-b').SourceDestCheck = true;
    },
  },
  {
    what: 'source/destination check on where replies leave',
    check: 'source-dest-check-egress',
    seed: (world) => {
      eni(world, 'eni-primary-b').SourceDestCheck = true;
    },
  },
  {
    what: 'a standby that is stopped',
    check: 'node-not-running',
    seed: (world) => {
      world.instances[1]!.State = { Name: 'stopped' };
    },
  },
  {
    what: 'a standby that is terminated',
    check: 'node-not-running',
    byHand: true,
    seed: (world) => void world.instances.splice(1, 1),
  },
  {
    what: 'a labelled ENI that is attached to nothing',
    check: 'eni-unattached',
    seed: (world) => {
      const { Attachment: _attachment, ...loose } = eni(world, 'eni-service-b');
      world.enis.push({ ...loose, NetworkInterfaceId: 'eni-loose' });
    },
  },
  {
    what: 'an ENI that is being detached',
    check: 'eni-unready',
    byHand: true,
    seed: (world) => {
      eni(world, 'eni-service-b').Attachment!.Status = 'detaching';
    },
  },
  {
    what: 'an instance in a third VPC',
    check: 'table-elsewhere',
    seed: (world) =>
      void world.enis.push({
        ...eni(world, 'eni-service-b'),
        NetworkInterfaceId: 'eni-far',
        VpcId: 'vpc-far',
        Attachment: { InstanceId: 'i-far', DeviceIndex: 1 },
      }),
  },
  {
    what: 'two labelled ENIs on a node',
    check: 'eni-twice',
    seed: (world) => retag(world, 'eni-primary-b', 'web'),
  },
  {
    what: 'both nodes in one zone',
    check: 'one-zone',
    byHand: true,
    seed: (world) => {
      for (const one of world.enis) one.AvailabilityZone = 'eu-central-1a';
      const [web] = world.vips;
      const all = Object.fromEntries(
        Object.entries(web!.members).map(([node, m]) => [node, { ...m, zone: 'eu-central-1a' }]),
      );
      world.vips[0] = { ...web!, members: all };
    },
  },
  {
    what: 'a standby that withdrew',
    check: 'node-unfit',
    byHand: true,
    seed: (world) => {
      const [web] = world.vips;
      world.vips[0] = {
        ...web!,
        claims: { ...web!.claims, [nodes.b]: { ...web!.claims[nodes.b]!, state: 'FAULT' } },
      };
    },
  },
  {
    what: 'a standby that is not heard',
    check: 'shim-silent',
    byHand: true,
    seed: (world) => {
      const [web] = world.vips;
      world.vips[0] = {
        ...web!,
        claims: { ...web!.claims, [nodes.b]: { ...web!.claims[nodes.b]!, seenMs: 0 } },
      };
    },
  },
  {
    what: 'a shim that is too old',
    check: 'shim-old',
    byHand: true,
    seed: (world) => {
      world.shims[nodes.b] = '0.9.1';
    },
  },
  {
    what: 'a table without room for the VIP’s routes',
    check: 'table-full',
    byHand: true,
    seed: (world) => {
      unroute(world, 'rtb-clients-a', V4);
      for (let n = 0; n < 500; n++)
        route(world, 'rtb-clients-a', {
          DestinationCidrBlock: `172.16.${n >> 8}.${n & 255}/32`,
          GatewayId: 'vgw-1',
        });
    },
  },
];

const at = (world: World, ENI: string | undefined, address?: string) => {
  delete eip(world).NetworkInterfaceId;
  delete eip(world).PrivateIpAddress;
  if (ENI !== undefined) Object.assign(eip(world), { NetworkInterfaceId: ENI, PrivateIpAddress: address });
};
const eips: readonly Row[] = [
  {
    what: 'an EIP on a NAT gateway',
    check: 'eip-foreign',
    byHand: true,
    seed: (world) => {
      const { Attachment: _attachment, ...nat } = eni(world, 'eni-primary-a');
      world.enis.push({
        ...nat,
        NetworkInterfaceId: 'eni-nat',
        InterfaceType: 'natGateway',
        TagSet: [],
        PrivateIpAddress: '10.0.1.99',
        PrivateIpAddresses: [],
      });
      at(world, 'eni-nat', '10.0.1.99');
    },
  },
  {
    what: 'an EIP on a stranger’s instance',
    check: 'eip-foreign',
    seed: (world) => {
      world.enis.push({
        ...eni(world, 'eni-primary-a'),
        NetworkInterfaceId: 'eni-foreign',
        TagSet: [],
        PrivateIpAddress: '10.0.1.98',
        Attachment: { InstanceId: 'i-foreign', DeviceIndex: 0, Status: 'attached' },
      });
      at(world, 'eni-foreign', '10.0.1.98');
    },
  },
  {
    what: 'an EIP on the primary ENI',
    check: 'eip-on-primary',
    seed: (world) => {
      eni(world, 'eni-primary-a').PrivateIpAddresses!.push({ PrivateIpAddress: '10.0.1.11', Primary: false });
      at(world, 'eni-primary-a', '10.0.1.11');
    },
  },
  {
    what: 'an EIP that is associated with nothing',
    check: 'eip-drift',
    seed: (world) => at(world, undefined),
  },
  { what: 'an EIP at the standby', check: 'eip-drift', seed: (world) => at(world, 'eni-eip-b', '10.0.2.30') },
  {
    what: 'an EIP that is gone',
    check: 'eip-gone',
    seed: (world) => {
      world.addresses = world.addresses.filter((one) => one.AllocationId !== EIP);
    },
  },
  {
    what: 'a second VIP’s EIP on the same ENIs, of one address each',
    check: 'eip-no-room',
    seed: (world) => {
      world.addresses.push({
        AllocationId: 'eipalloc-0pub',
        NetworkBorderGroup: 'eu-central-1',
        Tags: [{ Key: TAG, Value: 'pub' }],
      });
      const { members, claims, heard } = world.vips[0]!;
      world.vips.push({ ...vip('pub', { addresses: [], eips: ['eipalloc-0pub'] }), members, claims, heard });
      world.viewsAtMs.pub = world.viewsAtMs.web;
      delete (world.vips[1] as { owner?: string }).owner;
    },
  },
  {
    what: 'a foreign EIP on the standby’s only address',
    check: 'eip-no-room',
    seed: (world) =>
      void world.addresses.push({
        AllocationId: 'eipalloc-0foreign',
        PublicIp: '203.0.113.99',
        NetworkInterfaceId: 'eni-eip-b',
        PrivateIpAddress: '10.0.2.30',
      }),
  },
  {
    what: 'an EIP ENI without IPv4',
    check: 'eip-no-room',
    byHand: true,
    seed: (world) =>
      Object.assign(eni(world, 'eni-eip-b'), { PrivateIpAddress: undefined, PrivateIpAddresses: [] }),
  },
  {
    what: 'an EIP of another network border group',
    check: 'eip-border-group',
    byHand: true,
    seed: (world) => {
      eip(world).NetworkBorderGroup = 'eu-central-1-ham-1';
    },
  },
  {
    what: 'the EIP ENI of the standby in a subnet without an Internet gateway',
    check: 'eip-way',
    seed: (world) => {
      world.subnets.push({
        ...world.subnets.find((one) => one.SubnetId === 'subnet-nodes-b')!,
        SubnetId: 'subnet-eip-b',
        CidrBlock: '10.0.32.0/24',
      });
      world.tables.push({
        ...table(world, 'rtb-data-b'),
        RouteTableId: 'rtb-eip-b',
        Associations: [{ SubnetId: 'subnet-eip-b', Main: false }],
      });
      acl(world).Associations!.push({ SubnetId: 'subnet-eip-b' });
      eni(world, 'eni-eip-b').SubnetId = 'subnet-eip-b';
    },
  },
];

const off = (what: string, part: string): Row => ({
  what,
  check: 'rule-disabled',
  seed: (world) => {
    rule(world, part).State = 'DISABLED';
  },
});
const service: readonly Row[] = [
  off('the rule of claims disabled', 'ClaimRule'),
  off('the rule of notices disabled', 'NoticeRule'),
  off('the schedule of reconcile disabled', 'Reconcile'),
  off('the hints of instances disabled', 'InstanceHints'),
  {
    what: 'the rule of claims gone',
    check: 'rule-missing',
    seed: (world) => {
      world.rules = world.rules.filter((one) => !one.Name.includes('ClaimRule'));
    },
  },
  {
    what: 'the rule of claims without a target',
    check: 'rule-target',
    seed: (world) => {
      rule(world, 'ClaimRule').targets = [];
    },
  },
  {
    what: 'a rule of claims that matches something else',
    check: 'rule-pattern',
    seed: (world) => Object.assign(rule(world, 'ClaimRule'), { EventPattern: '{"detail-type":["vrrp"]}' }),
  },
  {
    what: 'failover with a reserved concurrency of 0',
    check: 'function-concurrency',
    seed: (world) => {
      world.functions.failover!.reserved = 0;
    },
  },
  {
    what: 'reconcile with a reserved concurrency of 0',
    check: 'function-concurrency',
    seed: (world) => {
      world.functions.reconcile!.reserved = 0;
    },
  },
  {
    what: 'a function that is gone',
    check: 'function-state',
    seed: (world) => {
      world.functions.runbook = undefined;
    },
  },
  {
    what: 'a function that reads another table',
    check: 'function-settings',
    seed: (world) => {
      world.functions.failover!.config.Environment.Variables.VIPSHIFT_VIPS_TABLE = 'other';
    },
  },
  {
    what: 'a function that EventBridge may not invoke',
    check: 'function-permission',
    seed: (world) => {
      world.functions.failover!.policy = [];
    },
  },
  {
    what: 'the bus without its policy',
    check: 'bus-policy',
    seed: (world) => {
      world.bus!.Policy = '';
    },
  },
  {
    what: 'the bus gone',
    check: 'bus-probe',
    seed: (world) => {
      world.bus = undefined;
    },
  },
  {
    what: 'the record without TTL',
    check: 'storage-ttl',
    seed: (world) => {
      world.dynamo['vipshift-dev-timeline']!.ttl = undefined;
    },
  },
  {
    what: 'the registry with TTL',
    check: 'storage-ttl',
    seed: (world) => {
      world.dynamo['vipshift-dev-vips']!.ttl = 'expiresAtS';
    },
  },
  {
    what: 'deletion protection off',
    check: 'storage-protection',
    seed: (world) => {
      world.dynamo['vipshift-dev-vips']!.isProtected = false;
    },
  },
  {
    what: 'point-in-time recovery off',
    check: 'storage-recovery',
    seed: (world) => {
      world.dynamo['vipshift-dev-vips']!.recovers = false;
    },
  },
  {
    what: 'a dead-letter queue that is not empty',
    check: 'dead-letters',
    seed: (world) => {
      world.queues['https://sqs/rule-dead-letters'] = 3;
    },
  },
  {
    what: 'the notices without a subscriber',
    check: 'notices-unheard',
    byHand: true,
    seed: (world) => {
      world.subscriptions = [];
    },
  },
  {
    what: 'the notices with a subscriber who did not confirm',
    check: 'notices-unheard',
    byHand: true,
    seed: (world) => {
      world.subscriptions = ['PendingConfirmation'];
    },
  },
  { what: 'an alarm that is gone', check: 'alarm-missing', seed: (world) => void world.alarms.splice(0, 1) },
  {
    what: 'an alarm whose actions are disabled',
    check: 'alarm-mute',
    seed: (world) => {
      world.alarms[0]!.ActionsEnabled = false;
    },
  },
  {
    what: 'an alarm without an action',
    check: 'alarm-mute',
    seed: (world) => {
      world.alarms[2]!.AlarmActions = [`${TOPIC}-other`];
    },
  },
  {
    what: 'the dead man’s alarm raised',
    check: 'alarm-raised',
    byHand: true,
    seed: (world) => {
      world.alarms[0]!.StateValue = 'ALARM';
    },
  },
  {
    what: 'a view that reconcile does not confirm any more',
    check: 'view-old',
    byHand: true,
    seed: (world) => {
      world.viewsAtMs.web! -= 3_600_000;
    },
  },
  {
    what: 'a stack that could not be rolled back',
    check: 'stack-state',
    byHand: true,
    seed: (world) => {
      world.stack!.StackStatus = 'UPDATE_ROLLBACK_FAILED';
    },
  },
];

const statement = (Effect: string, Action: string, Resource = '*') =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect, Action, Resource }] });
const identities: readonly Row[] = [
  {
    what: 'a role that may not PutEvents',
    check: 'role-put-events',
    seed: (world) => {
      world.attached = [];
    },
  },
  {
    what: 'a role that may do anything',
    check: 'role-wide',
    byHand: true,
    seed: (world) => {
      world.inline.all = statement('Allow', '*');
    },
  },
  {
    what: 'a role with an explicit Deny',
    check: 'role-put-events',
    seed: (world) => {
      world.inline.no = statement('Deny', 'events:*');
    },
  },
  {
    what: 'a role with an explicit Deny in a policy that has more',
    check: 'role-put-events',
    seed: (world) => {
      const { Statement } = JSON.parse(statement('Deny', 'events:PutEvents', BUS_ARN)) as {
        Statement: object[];
      };
      const more = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };
      world.inline.mixed = JSON.stringify({ Version: '2012-10-17', Statement: [...Statement, more] });
    },
  },
  {
    what: 'a node without a role',
    check: 'role-put-events',
    byHand: true,
    seed: (world) => {
      world.profileOf[nodes.b] = undefined;
    },
  },
  {
    what: 'a trust policy that is open to the account',
    check: 'role-trust',
    seed: (world) => {
      world.role.AssumeRolePolicyDocument = JSON.stringify({
        Statement: {
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::111122223333:root' },
          Action: 'sts:AssumeRole',
        },
      });
    },
  },
  {
    what: 'a role that was made anew',
    check: 'role-id',
    seed: (world) => {
      world.role.RoleId = 'AROANEWANEWANEWANEW1';
    },
  },
];

const addresses: readonly Row[] = [
  {
    what: 'an address inside the VPC’s CIDR',
    check: 'inside-cidr',
    byHand: true,
    seed: (world) => {
      world.vips[0] = { ...world.vips[0]!, addresses: [V4, V6, '10.0.77.7/32'] };
    },
  },
  {
    what: 'a secondary CIDR over the VIP',
    check: 'inside-secondary-cidr',
    byHand: true,
    seed: (world) =>
      Object.assign(world.vpcs[0]!, {
        CidrBlockAssociationSet: [{ CidrBlock: '192.168.255.0/24', CidrBlockState: { State: 'associated' } }],
      }),
  },
  {
    what: 'a prefix list with an entry inside the CIDR',
    check: 'prefix-list',
    byHand: true,
    seed: (world) => {
      world.prefixLists['pl-01234567'] = ['10.0.8.0/24'];
      world.vips[0] = { ...world.vips[0]!, addresses: [V4, V6, 'pl-01234567'] };
    },
  },
  {
    what: 'a prefix list that is deleted',
    check: 'prefix-list',
    byHand: true,
    seed: (world) => {
      world.vips[0] = { ...world.vips[0]!, addresses: [V4, V6, 'pl-01234567'] };
    },
  },
];

export const rows: readonly Row[] = [
  ...[...tags, ...routes, ...filters, ...members],
  ...[...eips, ...service, ...identities, ...addresses],
];
