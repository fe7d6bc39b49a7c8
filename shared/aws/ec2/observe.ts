// One observation: the labelled route tables and ENIs, and the Elastic IPs, in parallel and to the last page.
//
// By tag only. A filter on the destination would hide the very tables whose route is missing, and whole tables come
// back anyway (DescribeRouteTables API reference).
import {
  type Address,
  DescribeAddressesCommand,
  type NetworkInterface,
  paginateDescribeNetworkInterfaces,
  paginateDescribeRouteTables,
  type Route,
  type RouteTable,
} from '@aws-sdk/client-ec2';
import {
  type EipSeen,
  type EniSeen,
  isAddress,
  type Observation,
  type RouteSeen,
  type TableSeen,
} from '../../network/observation.ts';
import { defined } from '../../optional.ts';
import { EIP_SUFFIX } from '../../vip/member.ts';
import type { Scope } from '../../vip/vip.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';
import type { Ec2Access } from './access.ts';

/** The most that DescribeRouteTables gives at once. */
export const TABLES_PER_PAGE = 100;
export const ENIS_PER_PAGE = 1000;

export async function observe(access: Ec2Access, scope: Scope): Promise<Observation> {
  const beganAtMs = access.clock.now();
  const nodeLabels = [...scope.nodeLabels, ...scope.nodeLabels.map((label) => label + EIP_SUFFIX)];
  try {
    const [tables, enis, eips] = await Promise.all([
      tablesOf(access, scope.tableLabels),
      enisOf(access, nodeLabels),
      eipsOf(access, [...new Set([scope.name, ...nodeLabels])]),
    ]);
    const seen = eips.map(eipFrom);
    return {
      source: 'ec2',
      beganAtMs,
      endedAtMs: access.clock.now(),
      tables: tables.map((table) => tableFrom(table, access.tag)),
      enis: enis.map((eni) => eniFrom(eni, access.tag, seen)),
      eips: seen,
    };
  } catch (error) {
    throw faultFromSdkError(error, `observing ${scope.name}`);
  }
}

const byTag = (access: Ec2Access, labels: readonly string[]) => [
  { Name: `tag:${access.tag}`, Values: [...labels] },
];

async function tablesOf(access: Ec2Access, labels: readonly string[]): Promise<RouteTable[]> {
  const pages = paginateDescribeRouteTables(
    { client: access.reader, pageSize: TABLES_PER_PAGE },
    { Filters: byTag(access, labels) },
    { abortSignal: access.signal },
  );
  return collect(pages, (page) => page.RouteTables);
}

async function enisOf(access: Ec2Access, labels: readonly string[]): Promise<NetworkInterface[]> {
  const pages = paginateDescribeNetworkInterfaces(
    { client: access.reader, pageSize: ENIS_PER_PAGE },
    { Filters: byTag(access, labels) },
    { abortSignal: access.signal },
  );
  return collect(pages, (page) => page.NetworkInterfaces);
}

/** DescribeAddresses knows no pages. */
async function eipsOf(access: Ec2Access, labels: readonly string[]): Promise<Address[]> {
  const command = new DescribeAddressesCommand({ Filters: byTag(access, labels) });
  const reply = await access.reader.send(command, { abortSignal: access.signal });
  return reply.Addresses ?? [];
}

export function tableFrom(table: RouteTable, tag: string): TableSeen {
  const routes: Record<string, RouteSeen> = {};
  for (const route of table.Routes ?? []) {
    const destination =
      route.DestinationCidrBlock || route.DestinationIpv6CidrBlock || route.DestinationPrefixListId || '';
    if (!isAddress(destination)) continue;
    const seen = routeFrom(route);
    // Beside a static route to the same destination a propagated one has no effect (VPC guide, "Route priority").
    if (!seen.propagated || routes[destination] === undefined) routes[destination] = seen;
  }
  return {
    table: table.RouteTableId!,
    label: table.Tags?.find((t) => t.Key === tag)?.Value ?? '',
    vpc: table.VpcId!,
    account: table.OwnerId ?? '',
    edge: (table.Associations ?? []).some((a) => a.GatewayId !== undefined),
    total: table.Routes?.length ?? 0,
    routes,
  };
}

export const routeFrom = (route: Route): RouteSeen => ({
  target:
    route.NetworkInterfaceId ??
    route.GatewayId ??
    route.TransitGatewayId ??
    route.NatGatewayId ??
    route.VpcPeeringConnectionId ??
    route.EgressOnlyInternetGatewayId ??
    route.LocalGatewayId ??
    route.CarrierGatewayId ??
    route.CoreNetworkArn ??
    route.InstanceId ??
    'unknown',
  state: route.State === 'blackhole' ? 'blackhole' : 'active',
  propagated: route.Origin === 'EnableVgwRoutePropagation',
});

export function eniFrom(eni: NetworkInterface, tag: string, eips: readonly EipSeen[]): EniSeen {
  const node = eni.Attachment?.InstanceId;
  const addresses = [...(eni.PrivateIpAddresses ?? [])].sort(
    (a, b) => Number(b.Primary ?? false) - Number(a.Primary ?? false),
  );
  return {
    eni: eni.NetworkInterfaceId!,
    label: eni.TagSet?.find((t) => t.Key === tag)?.Value ?? '',
    vpc: eni.VpcId!,
    account: eni.OwnerId ?? '',
    zone: eni.AvailabilityZone ?? '',
    ...defined({ node }),
    primary: eni.Attachment?.DeviceIndex === 0,
    sourceDestCheck: eni.SourceDestCheck ?? true,
    addresses: addresses.map((address) => {
      const privateAddress = address.PrivateIpAddress!;
      const own = eips.find((e) => e.eni === eni.NetworkInterfaceId && e.privateAddress === privateAddress);
      // A public address that AWS assigned has no allocation; it must not be thrown off either.
      const eip =
        address.Association?.AllocationId ?? own?.eip ?? (address.Association?.PublicIp || undefined);
      return { privateAddress, ...defined({ eip }) };
    }),
  };
}

/** An absent id may come as an empty element. */
export const eipFrom = (address: Address): EipSeen => ({
  eip: address.AllocationId!,
  publicAddress: address.PublicIp ?? '',
  ...defined({
    eni: address.NetworkInterfaceId || undefined,
    privateAddress: address.PrivateIpAddress || undefined,
  }),
});
