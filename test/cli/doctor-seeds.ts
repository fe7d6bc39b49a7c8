// The faults that the doctor has to find, each with what seeds it on the local AWS and what takes it back.
import {
  AcceptVpcPeeringConnectionCommand,
  AssociateAddressCommand,
  AssociateRouteTableCommand,
  AssociateVpcCidrBlockCommand,
  AttachNetworkInterfaceCommand,
  CreateNetworkAclEntryCommand,
  CreateNetworkInterfaceCommand,
  CreateRouteTableCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  CreateVpcPeeringConnectionCommand,
  DeleteNetworkAclEntryCommand,
  DeleteNetworkInterfaceCommand,
  DeleteRouteCommand,
  DeleteRouteTableCommand,
  DeleteSubnetCommand,
  DeleteVpcPeeringConnectionCommand,
  DescribeNetworkAclsCommand,
  DescribeRouteTablesCommand,
  DetachNetworkInterfaceCommand,
  DisassociateRouteTableCommand,
  DisassociateVpcCidrBlockCommand,
  ReplaceRouteCommand,
} from '@aws-sdk/client-ec2';
import type { Vip } from '../../shared/vip.ts';
import { https, type Setup, vrrp } from './doctor-setup.ts';

export interface Seed {
  readonly fault: string;
  readonly check: string;
  readonly remedy: RegExp;
  /** Seeds it; returns what the finding is about, and what takes it back. */
  seed(s: Setup): Promise<{ readonly subject: string; undo(): Promise<unknown> }>;
  /** Sends the event end to end. */
  readonly probe?: boolean;
}

type Seeded = ReturnType<Seed['seed']>;

const b = (s: Setup) => s.stack.vpc.nodes.b;
const a = (s: Setup) => s.stack.vpc.nodes.a;

/** The VIP's item, changed behind the controller's back. */
async function item(s: Setup, subject: string, change: (vip: Vip) => Partial<Vip>): Seeded {
  const before = (await s.stack.vips.read('web'))!;
  await s.stack.vips.write(before, { ...before, ...change(before) });
  return {
    subject,
    async undo() {
      const now = (await s.stack.vips.read('web'))!;
      await s.stack.vips.write(now, { ...before, rev: now.rev });
    },
  };
}

async function newEni(s: Setup, label: string): Promise<string> {
  const { NetworkInterface: eni } = await s.send<{ NetworkInterface: { NetworkInterfaceId: string } }>(
    new CreateNetworkInterfaceCommand({ SubnetId: a(s).subnetId }),
  );
  await s.tag(eni.NetworkInterfaceId, label);
  return eni.NetworkInterfaceId;
}
const dropEni = (s: Setup, NetworkInterfaceId: string) =>
  s.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));

async function otherVpc(s: Setup): Promise<string> {
  const { Vpc } = await s.send<{ Vpc: { VpcId: string } }>(
    new CreateVpcCommand({ CidrBlock: '10.9.0.0/16' }),
  );
  return Vpc.VpcId;
}

const eniSeeds: readonly Seed[] = [
  {
    fault: 'source/dest check on at a service ENI',
    check: 'source-dest-check',
    remedy: /modify-network-interface-attribute .* --no-source-dest-check/,
    async seed(s) {
      await s.check(b(s).serviceEni, true);
      return { subject: b(s).serviceEni, undo: () => s.check(b(s).serviceEni, false) };
    },
  },
  {
    fault: 'source/dest check on at the ENI by which replies leave',
    check: 'source-dest-check-egress',
    remedy: /--no-source-dest-check/,
    async seed(s) {
      await s.check(a(s).primaryEni, true);
      return { subject: a(s).primaryEni, undo: () => s.check(a(s).primaryEni, false) };
    },
  },
  {
    fault: 'a labelled ENI that is attached to nothing',
    check: 'eni-unattached',
    remedy: /attach-network-interface --network-interface-id eni-/,
    async seed(s) {
      const eni = await newEni(s, 'web');
      return { subject: eni, undo: () => dropEni(s, eni) };
    },
  },
  {
    fault: 'a node’s ENI without label',
    check: 'eni-unlabelled',
    remedy: /create-tags --resources eni-\w+ --tags Key=vipshift:dev,Value=web/,
    async seed(s) {
      await s.untag(b(s).serviceEni);
      return { subject: b(s).instanceId, undo: () => s.tag(b(s).serviceEni, 'web') };
    },
  },
  {
    fault: 'two labelled ENIs on one node',
    check: 'eni-twice',
    remedy: /delete-tags --resources eni-/,
    async seed(s) {
      await s.tag(a(s).primaryEni, 'web');
      return { subject: a(s).instanceId, undo: () => s.untag(a(s).primaryEni) };
    },
  },
  {
    fault: 'both nodes in one zone',
    check: 'one-zone',
    remedy: /another zone/,
    async seed(s) {
      await s.untag(b(s).serviceEni);
      const NetworkInterfaceId = await newEni(s, 'web');
      const { AttachmentId } = await s.send<{ AttachmentId: string }>(
        new AttachNetworkInterfaceCommand({
          NetworkInterfaceId,
          InstanceId: b(s).instanceId,
          DeviceIndex: 5,
        }),
      );
      return {
        subject: 'web',
        async undo() {
          await s.send(new DetachNetworkInterfaceCommand({ AttachmentId }));
          await dropEni(s, NetworkInterfaceId);
          await s.tag(b(s).serviceEni, 'web');
        },
      };
    },
  },
  {
    fault: 'an EIP on the primary ENI',
    check: 'eip-on-primary',
    remedy: /associate-address --allocation-id/,
    async seed(s) {
      const { allocationId: AllocationId } = s.stack.vpc.eip;
      const put = (NetworkInterfaceId: string, id = AllocationId) =>
        s.send(
          new AssociateAddressCommand({ AllocationId: id, NetworkInterfaceId, AllowReassociation: true }),
        );
      await put(b(s).primaryEni);
      return {
        subject: AllocationId,
        async undo() {
          await put(a(s).eipEni);
          await put(b(s).primaryEni, b(s).publicAllocationId);
        },
      };
    },
  },
  {
    fault: 'an EIP without tag',
    check: 'eip-untagged',
    remedy: /create-tags --resources eipalloc-\w+ .*Value=web/,
    async seed(s) {
      const { allocationId } = s.stack.vpc.eip;
      await s.untag(allocationId);
      return { subject: allocationId, undo: () => s.tag(allocationId, 'web') };
    },
  },
  {
    fault: 'an EIP that is gone',
    check: 'eip-gone',
    remedy: /vipshift vip set web --eip/,
    seed: (s) =>
      item(s, 'eipalloc-0000000000000dead', (vip) => ({ eips: [...vip.eips, 'eipalloc-0000000000000dead'] })),
  },
];

const networkSeeds: readonly Seed[] = [
  {
    fault: 'a VIP inside the CIDR',
    check: 'inside-cidr',
    remedy: /vipshift vip set web --address/,
    seed: (s) => item(s, '10.0.77.7/32', (vip) => ({ addresses: [...vip.addresses, '10.0.77.7/32'] })),
  },
  {
    fault: 'a VIP inside a secondary CIDR that came later',
    check: 'inside-secondary-cidr',
    remedy: /vipshift vip set web --address/,
    async seed(s) {
      const { CidrBlockAssociation } = await s.send<{ CidrBlockAssociation: { AssociationId: string } }>(
        new AssociateVpcCidrBlockCommand({ VpcId: s.stack.vpc.vpcId, CidrBlock: '192.168.255.0/24' }),
      );
      const { AssociationId } = CidrBlockAssociation;
      return {
        subject: s.stack.vpc.vip.ipv4,
        undo: () => s.send(new DisassociateVpcCidrBlockCommand({ AssociationId })),
      };
    },
  },
  {
    fault: 'a security group without protocol 112',
    check: 'group-vrrp',
    remedy: /authorize-security-group-ingress .*IpProtocol=112/,
    async seed(s) {
      await s.revoke(vrrp);
      return { subject: a(s).instanceId, undo: () => s.allow(vrrp) };
    },
  },
  {
    fault: 'a security group without the service’s port',
    check: 'group-service',
    remedy: /authorize-security-group-ingress .*--protocol tcp --port 443/,
    async seed(s) {
      await s.revoke(https);
      return { subject: a(s).serviceEni, undo: () => s.allow(https) };
    },
  },
  {
    fault: 'a network ACL that drops protocol 112',
    check: 'acl-vrrp',
    remedy: /create-network-acl-entry .*--protocol 112 --rule-action allow/,
    async seed(s) {
      const { NetworkAcls } = await s.send<{ NetworkAcls: { NetworkAclId: string }[] }>(
        new DescribeNetworkAclsCommand({ Filters: [{ Name: 'vpc-id', Values: [s.stack.vpc.vpcId] }] }),
      );
      const rule = { NetworkAclId: NetworkAcls[0]!.NetworkAclId, RuleNumber: 10, Egress: false };
      const deny = { ...rule, Protocol: '112', RuleAction: 'deny', CidrBlock: '0.0.0.0/0' } as const;
      await s.send(new CreateNetworkAclEntryCommand(deny));
      return { subject: rule.NetworkAclId, undo: () => s.send(new DeleteNetworkAclEntryCommand(rule)) };
    },
  },
  {
    fault: 'a peering, which does not carry the VIP',
    check: 'peering',
    remedy: /NLB/,
    async seed(s) {
      const { VpcPeeringConnection } = await s.send<{
        VpcPeeringConnection: { VpcPeeringConnectionId: string };
      }>(
        new CreateVpcPeeringConnectionCommand({
          VpcId: s.stack.vpc.vpcId,
          PeerVpcId: await otherVpc(s),
        }),
      );
      const { VpcPeeringConnectionId } = VpcPeeringConnection;
      await s.send(new AcceptVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
      return {
        subject: VpcPeeringConnectionId,
        undo: () => s.send(new DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId })),
      };
    },
  },
];

const tableSeeds: readonly Seed[] = [
  {
    fault: 'a subnet’s table without label',
    check: 'table-unlabelled',
    remedy: /create-tags --resources rtb-\w+ .*Value=web \(or Value=- to leave it out\)/,
    async seed(s) {
      await s.untag(s.table('clients-a'));
      return { subject: s.table('clients-a'), undo: () => s.tag(s.table('clients-a'), 'web') };
    },
  },
  {
    fault: 'the main table serving clients, unlabelled',
    check: 'main-table-unlabelled',
    remedy: /create-tags --resources rtb-/,
    async seed(s) {
      const { vpcId: VpcId } = s.stack.vpc;
      const { Subnet } = await s.send<{ Subnet: { SubnetId: string } }>(
        new CreateSubnetCommand({ VpcId, CidrBlock: '10.0.99.0/24' }),
      );
      const filters = [
        { Name: 'vpc-id', Values: [VpcId] },
        { Name: 'association.main', Values: ['true'] },
      ];
      const { RouteTables } = await s.send<{ RouteTables: { RouteTableId: string }[] }>(
        new DescribeRouteTablesCommand({ Filters: filters }),
      );
      const { SubnetId } = Subnet;
      return {
        subject: RouteTables[0]!.RouteTableId,
        undo: () => s.send(new DeleteSubnetCommand({ SubnetId })),
      };
    },
  },
  {
    fault: 'a labelled gateway table',
    check: 'gateway-table',
    remedy: /delete-tags --resources rtb-/,
    async seed(s) {
      const RouteTableId = s.table('clients-b');
      const { AssociationId } = await s.send<{ AssociationId: string }>(
        new AssociateRouteTableCommand({ RouteTableId, GatewayId: s.stack.vpc.internetGatewayId }),
      );
      return {
        subject: RouteTableId,
        undo: () => s.send(new DisassociateRouteTableCommand({ AssociationId })),
      };
    },
  },
  {
    fault: 'a labelled table in another VPC',
    check: 'table-elsewhere',
    remedy: /delete-tags --resources rtb-/,
    async seed(s) {
      const { RouteTable } = await s.send<{ RouteTable: { RouteTableId: string } }>(
        new CreateRouteTableCommand({ VpcId: await otherVpc(s) }),
      );
      const { RouteTableId } = RouteTable;
      await s.tag(RouteTableId, 'web');
      return { subject: RouteTableId, undo: () => s.send(new DeleteRouteTableCommand({ RouteTableId })) };
    },
  },
  {
    fault: 'a missing route',
    check: 'route-missing',
    remedy: /create-route --route-table-id rtb-\w+ --destination-cidr-block 192/,
    async seed(s) {
      const cell = { RouteTableId: s.table('nodes-b'), DestinationCidrBlock: s.stack.vpc.vip.ipv4 };
      await s.send(new DeleteRouteCommand(cell));
      return {
        subject: `${cell.RouteTableId} ${cell.DestinationCidrBlock}`,
        undo: () => s.history.reconcile(),
      };
    },
  },
  {
    fault: 'a route to a foreign target',
    check: 'route-foreign',
    remedy: /vipshift vip adopt/,
    async seed(s) {
      const cell = { RouteTableId: s.table('clients-b'), DestinationCidrBlock: s.stack.vpc.vip.ipv4 };
      await s.send(new ReplaceRouteCommand({ ...cell, GatewayId: s.stack.vpc.internetGatewayId }));
      return {
        subject: `${cell.RouteTableId} ${cell.DestinationCidrBlock}`,
        undo: () => s.send(new ReplaceRouteCommand({ ...cell, NetworkInterfaceId: a(s).serviceEni })),
      };
    },
  },
];

export const networkFaults: readonly Seed[] = [...eniSeeds, ...networkSeeds, ...tableSeeds];
export { item };
