// Faults of addresses, packet filters and what surrounds the VPC, seeded for the doctor.
import {
  AcceptVpcPeeringConnectionCommand,
  AssociateVpcCidrBlockCommand,
  CreateManagedPrefixListCommand,
  CreateRouteCommand,
  CreateTransitGatewayCommand,
  CreateTransitGatewayVpcAttachmentCommand,
  CreateVpcPeeringConnectionCommand,
  DeleteRouteCommand,
  DeleteTransitGatewayVpcAttachmentCommand,
  DeleteVpcPeeringConnectionCommand,
  DisassociateVpcCidrBlockCommand,
} from '@aws-sdk/client-ec2';
import { https, vrrp } from '../../../../lab/aws/stack/vpc.ts';
import { a, item, otherVpc, type Seed } from './seeds.ts';

export const networkFaults: readonly Seed[] = [
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
    remedy: /authorize-security-group-ingress .*--protocol 112 .*--source-group sg-/,
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
    fault: 'a peering with a route, which does not carry the VIP',
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
      const cell = { RouteTableId: s.table('data-a'), DestinationCidrBlock: '10.9.0.0/16' };
      await s.send(new CreateRouteCommand({ ...cell, VpcPeeringConnectionId }));
      return {
        subject: VpcPeeringConnectionId,
        async undo() {
          await s.send(new DeleteRouteCommand(cell));
          await s.send(new DeleteVpcPeeringConnectionCommand({ VpcPeeringConnectionId }));
        },
      };
    },
  },
  {
    fault: 'a transit gateway with a route, whose routes are not moved',
    check: 'transit-gateway',
    remedy: /static route for 192\.168\.255\.10\/32/,
    async seed(s) {
      const { TransitGateway } = await s.send<{ TransitGateway: { TransitGatewayId: string } }>(
        new CreateTransitGatewayCommand({}),
      );
      const { TransitGatewayId } = TransitGateway;
      const { TransitGatewayVpcAttachment: made } = await s.send<{
        TransitGatewayVpcAttachment: { TransitGatewayAttachmentId: string };
      }>(
        new CreateTransitGatewayVpcAttachmentCommand({
          TransitGatewayId,
          VpcId: s.stack.vpc.vpcId,
          SubnetIds: [a(s).subnetId],
        }),
      );
      const { TransitGatewayAttachmentId } = made;
      const cell = { RouteTableId: s.table('data-a'), DestinationCidrBlock: '172.16.0.0/12' };
      await s.send(new CreateRouteCommand({ ...cell, TransitGatewayId }));
      return {
        subject: TransitGatewayId,
        async undo() {
          await s.send(new DeleteRouteCommand(cell));
          await s.send(new DeleteTransitGatewayVpcAttachmentCommand({ TransitGatewayAttachmentId }));
        },
      };
    },
  },
  {
    fault: 'a prefix list of the VIP that has come to reach into the CIDR',
    check: 'prefix-list',
    remedy:
      /modify-managed-prefix-list --prefix-list-id pl-\w+ --current-version \$\(aws ec2 describe-managed-prefix-lists .*\) --remove-entries Cidr=/,
    async seed(s) {
      const { PrefixList } = await s.send<{ PrefixList: { PrefixListId: string } }>(
        new CreateManagedPrefixListCommand({
          PrefixListName: 'vips',
          MaxEntries: 5,
          AddressFamily: 'IPv4',
          Entries: [{ Cidr: '10.0.8.0/24' }],
        }),
      );
      const { PrefixListId } = PrefixList;
      return item(s, PrefixListId, (vip) => ({ addresses: [...vip.addresses, PrefixListId] }));
    },
  },
  {
    fault: 'more calls than EC2’s bucket gives at once',
    check: 'bucket',
    remedy: /ec2Rates=ReplaceRoute=/,
    async seed(s) {
      const more = Array.from({ length: 14 }, (_, i) => `192.168.254.${i + 1}/32`);
      return item(s, 'eu-central-1a', (vip) => ({ addresses: [...vip.addresses, ...more] }));
    },
  },
];
