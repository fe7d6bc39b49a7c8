// Faults of route tables and routes, seeded for the doctor.
import {
  AssociateRouteTableCommand,
  CreateSubnetCommand,
  DeleteRouteCommand,
  DeleteSubnetCommand,
  DescribeRouteTablesCommand,
  DisassociateRouteTableCommand,
  ReplaceRouteCommand,
} from '@aws-sdk/client-ec2';
import { a, type Seed } from './seeds.ts';

export const tableFaults: readonly Seed[] = [
  {
    fault: 'a subnet’s table without label',
    check: 'table-unlabelled',
    remedy:
      /create-tags --resources rtb-\w+ .*Value=web --region eu-central-1 {4}# or Value=- to leave it out/,
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
        async undo() {
          await s.send(new DisassociateRouteTableCommand({ AssociationId }));
          await s.tag(RouteTableId, 'web');
        },
      };
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
