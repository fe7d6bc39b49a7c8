// What the doctor reads of a VPC: its route tables with the subnets that use them, how packets leave it, and the zones.
import {
  DescribeAvailabilityZonesCommand,
  DescribeVpcAttributeCommand,
  paginateDescribeNatGateways,
  paginateDescribeRouteTables,
  paginateDescribeSubnets,
  paginateDescribeVpcEndpoints,
  type Route,
  type Subnet,
  type VpcAttributeName,
} from '@aws-sdk/client-ec2';
import type { TableFact, WayFacts } from '../../doctor/facts.ts';
import { policyFrom } from '../../doctor/service/iam-policy.ts';
import { defined } from '../../optional.ts';
import { collect } from '../pages.ts';
import { filter } from './access.ts';
import { routeFrom, TABLES_PER_PAGE } from './observe.ts';
import type { Ec2Reader } from './vpc.ts';

export interface Routing {
  readonly tables: readonly TableFact[];
  readonly subnets: ReadonlyMap<string, readonly string[]>;
}

export async function routingOf(access: Ec2Reader, vpc: string, tag: string): Promise<Routing> {
  const config = { client: access.reader };
  const abort = { abortSignal: access.signal };
  const ofVpc = { Filters: filter('vpc-id', [vpc]) };
  const [tables, subnets] = await Promise.all([
    collect(
      paginateDescribeRouteTables({ ...config, pageSize: TABLES_PER_PAGE }, ofVpc, abort),
      (page) => page.RouteTables,
    ),
    collect(paginateDescribeSubnets(config, ofVpc, abort), (page) => page.Subnets),
  ]);
  const taken = new Set(tables.flatMap((t) => (t.Associations ?? []).flatMap((a) => a.SubnetId ?? [])));
  const left = subnets.flatMap((s) => (taken.has(s.SubnetId!) ? [] : s.SubnetId!)).sort();
  const facts = tables.map((t): TableFact => {
    const main = (t.Associations ?? []).some((a) => a.Main === true);
    const label = t.Tags?.find((x) => x.Key === tag)?.Value;
    return {
      table: t.RouteTableId!,
      main,
      ...defined({ label }),
      subnets: (t.Associations ?? []).flatMap((a) => a.SubnetId ?? []).sort(),
      implicitSubnets: main ? left : [],
      outward: (t.Routes ?? []).flatMap(outwardFrom),
    };
  });
  return { tables: facts, subnets: new Map(subnets.map((s) => [s.SubnetId!, cidrsOf(s)])) };
}

const cidrsOf = ({ CidrBlock, Ipv6CidrBlockAssociationSet = [] }: Subnet): readonly string[] =>
  [
    CidrBlock,
    ...Ipv6CidrBlockAssociationSet.filter((a) => a.Ipv6CidrBlockState?.State !== 'disassociated').map(
      (a) => a.Ipv6CidrBlock,
    ),
  ].filter((cidr): cidr is string => cidr !== undefined && cidr !== '');

function outwardFrom(route: Route): TableFact['outward'] {
  const destination = route.DestinationCidrBlock || route.DestinationIpv6CidrBlock;
  const { target, state } = routeFrom(route);
  return destination === undefined || target === 'local' ? [] : [{ destination, target, state }];
}

const services = ['events', 'sts'] as const;

export async function wayOf(access: Ec2Reader, vpc: string): Promise<WayFacts> {
  const config = { client: access.reader };
  const abort = { abortSignal: access.signal };
  const ofVpc = filter('vpc-id', [vpc]);
  const isOn = async (Attribute: VpcAttributeName) => {
    const reply = await access.reader.send(new DescribeVpcAttributeCommand({ VpcId: vpc, Attribute }), abort);
    return (reply.EnableDnsSupport ?? reply.EnableDnsHostnames)?.Value ?? false;
  };
  const [region, endpoints, nats, support, hostnames] = await Promise.all([
    access.reader.config.region(),
    collect(paginateDescribeVpcEndpoints(config, { Filters: ofVpc }, abort), (page) => page.VpcEndpoints),
    collect(paginateDescribeNatGateways(config, { Filter: ofVpc }, abort), (page) => page.NatGateways),
    isOn('enableDnsSupport'),
    isOn('enableDnsHostnames'),
  ]);
  return {
    region,
    endpoints: endpoints
      .filter((e) => e.VpcEndpointType === 'Interface')
      .flatMap((e) => {
        const service = services.find((name) => e.ServiceName?.endsWith(`.${region}.${name}`));
        return service === undefined ? [] : [{ e, service }];
      })
      .map(({ e, service }) => ({
        endpoint: e.VpcEndpointId!,
        service,
        ...defined({ policy: policyFrom(e.PolicyDocument) }),
        // The API reference writes `available`, the SDK `Available`.
        state: (e.State ?? 'unknown').toLowerCase(),
        privateDns: e.PrivateDnsEnabled ?? false,
        groups: (e.Groups ?? []).flatMap((g) => g.GroupId ?? []),
        enis: e.NetworkInterfaceIds ?? [],
      })),
    nats: nats.map((nat) => ({
      nat: nat.NatGatewayId!,
      state: nat.State ?? 'unknown',
      subnet: nat.SubnetId ?? '',
      isPublic: nat.ConnectivityType !== 'private',
    })),
    dns: support && hostnames,
    dnsSupport: support,
  };
}

/** The network border group of each zone: an Elastic IP of one cannot be associated in another. */
export async function borderGroupsOf(access: Ec2Reader): Promise<ReadonlyMap<string, string>> {
  const reply = await access.reader.send(new DescribeAvailabilityZonesCommand({}), {
    abortSignal: access.signal,
  });
  return new Map(
    (reply.AvailabilityZones ?? []).flatMap(({ ZoneName, NetworkBorderGroup }) =>
      ZoneName === undefined || NetworkBorderGroup === undefined
        ? []
        : [[ZoneName, NetworkBorderGroup] as const],
    ),
  );
}
