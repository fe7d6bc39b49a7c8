/**
 * What must hold in EC2 at the end of a scenario: the VIP's tables and EIP are the owner's, and every other route, table and
 * address is as it was when the lab began.
 */
import {
  type Address,
  DescribeAddressesCommand,
  DescribeRouteTablesCommand,
  type EC2Client,
  type RouteTable,
} from '@aws-sdk/client-ec2';
import type { LabVpc } from '../../aws/stack/vpc.ts';
import type { NodeLabel } from './topology.ts';

export interface VpcCheck {
  /** One sentence for everything in EC2 that is not where it should be when this node is the owner. */
  misplaced(owner: NodeLabel): Promise<string[]>;
}

interface Picture {
  readonly tables: readonly RouteTable[];
  readonly addresses: readonly Address[];
}

export async function checkOf(ec2: EC2Client, vpc: LabVpc): Promise<VpcCheck> {
  const before = othersOf(vpc, await describe(ec2, vpc));
  return {
    async misplaced(owner) {
      const now = await describe(ec2, vpc);
      const others = othersOf(vpc, now);
      return [
        ...wrongRoutes(vpc, now, owner),
        ...wrongEip(vpc, now, owner),
        ...before
          .filter((was) => !others.includes(was))
          .map((was) => `gone, though it is not the VIP's: ${was}`),
        ...others.filter((is) => !before.includes(is)).map((is) => `new, though it is not the VIP's: ${is}`),
      ];
    },
  };
}

async function describe(ec2: EC2Client, { vpcId }: LabVpc): Promise<Picture> {
  const [tables, addresses] = await Promise.all([
    ec2.send(new DescribeRouteTablesCommand({ Filters: [{ Name: 'vpc-id', Values: [vpcId] }] })),
    ec2.send(new DescribeAddressesCommand({})),
  ]);
  return { tables: tables.RouteTables ?? [], addresses: addresses.Addresses ?? [] };
}

function wrongRoutes(vpc: LabVpc, { tables }: Picture, owner: NodeLabel): string[] {
  const wanted = vpc.nodes[owner].serviceEni;
  return vpc.tables
    .filter(({ labelled }) => labelled)
    .flatMap(({ name, routeTableId }) => {
      const routes = tables.find(({ RouteTableId }) => RouteTableId === routeTableId)?.Routes ?? [];
      const found = routes.find(({ DestinationCidrBlock }) => DestinationCidrBlock === vpc.vip.ipv4);
      const target = found?.NetworkInterfaceId ?? 'no one';
      return target === wanted
        ? []
        : [`table ${name} sends ${vpc.vip.ipv4} to ${target}, expected ${wanted}`];
    });
}

function wrongEip(vpc: LabVpc, { addresses }: Picture, owner: NodeLabel): string[] {
  const wanted = vpc.nodes[owner].eipEni;
  const found = addresses.find(({ AllocationId }) => AllocationId === vpc.eip.allocationId);
  const at = found?.NetworkInterfaceId ?? 'nothing';
  return at === wanted ? [] : [`the EIP is at ${at}, expected ${wanted}`];
}

/** Everything that no failover may touch, one line each. */
function othersOf(vpc: LabVpc, { tables, addresses }: Picture): string[] {
  const labelled = new Set(vpc.tables.filter((table) => table.labelled).map((table) => table.routeTableId));
  const routes = tables.flatMap(({ RouteTableId = '', Routes = [] }) =>
    Routes.filter(
      ({ DestinationCidrBlock }) => !(labelled.has(RouteTableId) && DestinationCidrBlock === vpc.vip.ipv4),
    ).map((route) => {
      const destination = route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock;
      return `${RouteTableId} ${destination} → ${route.NetworkInterfaceId ?? route.GatewayId ?? ''}`;
    }),
  );
  const eips = addresses
    .filter(({ AllocationId }) => AllocationId !== vpc.eip.allocationId)
    .map(({ PublicIp, NetworkInterfaceId }) => `${PublicIp} → ${NetworkInterfaceId ?? ''}`);
  return [...routes, ...eips];
}
