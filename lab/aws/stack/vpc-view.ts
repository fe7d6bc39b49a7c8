/** What EC2 says about a lab's network, as plain data: for printing in the demo and for comparing in tests. A query, it never acts. */
import {
  type Address,
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  type EC2Client,
  paginateDescribeRouteTables,
  type Route,
} from '@aws-sdk/client-ec2';
import type { LabVpc } from './vpc.ts';

export interface RouteView {
  readonly destination: string;
  /** An id as EC2 has it: eni-…, igw-…, local. */
  readonly target: string;
  readonly state: string;
}

export interface TableView {
  readonly name: string;
  readonly routeTableId: string;
  readonly labelled: boolean;
  /** Where the VIP's addresses go; undefined where there is no route. */
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
  readonly others: readonly RouteView[];
}

export interface AddressView {
  readonly name: string;
  readonly publicIp: string;
  readonly allocationId: string;
  readonly eni: string | undefined;
  readonly privateIp: string | undefined;
}

export interface VpcView {
  readonly tables: readonly TableView[];
  /** The VIP's EIP. */
  readonly eip: AddressView;
  /** Each node's own public address. */
  readonly own: { readonly a: AddressView; readonly b: AddressView };
  readonly sourceDestCheck: Readonly<Record<string, boolean>>;
}

export async function describeVpc(ec2: EC2Client, vpc: LabVpc): Promise<VpcView> {
  const { a, b } = vpc.nodes;
  const allocations = [vpc.eip.allocationId, a.publicAllocationId, b.publicAllocationId];
  const enis = [a.serviceEni, b.serviceEni];
  const [tables, addresses, interfaces] = await Promise.all([
    describeTables(ec2, vpc),
    ec2.send(new DescribeAddressesCommand({ AllocationIds: allocations })),
    ec2.send(new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: enis })),
  ]);
  const address = (id: string) =>
    addressView(addresses.Addresses!.find(({ AllocationId }) => AllocationId === id)!);
  const checks = interfaces.NetworkInterfaces!.map((eni) => [
    eni.NetworkInterfaceId!,
    eni.SourceDestCheck ?? true,
  ]);
  return {
    tables,
    eip: address(vpc.eip.allocationId),
    own: { a: address(a.publicAllocationId), b: address(b.publicAllocationId) },
    sourceDestCheck: Object.fromEntries(checks) as Record<string, boolean>,
  };
}

/** `node-a service` for eni-…, where the id is one of the lab's; for people. */
export function nameOf(vpc: LabVpc, id: string | undefined): string {
  if (id === undefined) return '-';
  for (const node of [vpc.nodes.a, vpc.nodes.b]) {
    if (id === node.serviceEni) return `node-${node.name}`;
    if (id === node.eipEni) return `node-${node.name} (eip)`;
    if (id === node.primaryEni) return `node-${node.name} (primary)`;
  }
  return id;
}

async function describeTables(ec2: EC2Client, vpc: LabVpc): Promise<TableView[]> {
  const byId = new Map<string, Route[]>();
  const input = { Filters: [{ Name: 'vpc-id', Values: [vpc.vpcId] }] };
  for await (const page of paginateDescribeRouteTables({ client: ec2 }, input)) {
    for (const table of page.RouteTables ?? []) byId.set(table.RouteTableId!, table.Routes ?? []);
  }
  return vpc.tables.map(({ name, routeTableId, labelled }) => {
    const routes = (byId.get(routeTableId) ?? []).map(routeView);
    const to = (destination: string) => routes.find((route) => route.destination === destination)?.target;
    const vips: readonly string[] = [vpc.vip.ipv4, vpc.vip.ipv6];
    const others = routes.filter(({ destination }) => !vips.includes(destination));
    return { name, routeTableId, labelled, ipv4: to(vpc.vip.ipv4), ipv6: to(vpc.vip.ipv6), others };
  });
}

function routeView(route: Route): RouteView {
  return {
    destination:
      route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock ?? route.DestinationPrefixListId ?? '?',
    target:
      route.NetworkInterfaceId ?? route.GatewayId ?? route.NatGatewayId ?? route.TransitGatewayId ?? '?',
    state: route.State ?? '?',
  };
}

function addressView(address: Address): AddressView {
  return {
    name: address.Tags?.find(({ Key }) => Key === 'Name')?.Value ?? address.PublicIp!,
    publicIp: address.PublicIp!,
    allocationId: address.AllocationId!,
    // moto says "" where EC2 says nothing.
    eni: address.NetworkInterfaceId || undefined,
    privateIp: address.PrivateIpAddress || undefined,
  };
}
