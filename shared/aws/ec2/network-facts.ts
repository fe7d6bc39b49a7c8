// What the doctor reads from EC2 beyond what the controller observes: the VPC's tables and filters, and all ENIs of the
// nodes. Read-only; every list to its last page.
import {
  type NetworkInterface,
  paginateDescribeInstances,
  paginateDescribeNetworkInterfaces,
  paginateDescribeRouteTables,
  paginateDescribeSubnets,
  paginateDescribeTransitGatewayVpcAttachments,
  paginateDescribeVpcPeeringConnections,
  type Route,
} from '@aws-sdk/client-ec2';
import type { EipFact, EniFact, NetworkFacts, TableFact } from '../../doctor/facts.ts';
import { toleratedFault } from '../../fault.ts';
import type { Observation } from '../../network/observation.ts';
import { defined } from '../../optional.ts';
import { isPrefixList } from '../../registry/ip-range.ts';
import { EIP_SUFFIX } from '../../vip/member.ts';
import type { Vip } from '../../vip/vip.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';
import { filter } from './filter.ts';
import { aclsOf, groupsOf, listsOf } from './filter-facts.ts';
import { type Ec2Reader, eipsFound, vpcSeen } from './vpc.ts';

/** Describes a thing the first time and gives the same answer from then on, a failure included. */
export type Once = <T>(key: string, describe: () => Promise<T>) => Promise<T>;

export function once(): Once {
  const known = new Map<string, Promise<unknown>>();
  return <T>(key: string, describe: () => Promise<T>): Promise<T> => {
    if (!known.has(key)) known.set(key, describe());
    return known.get(key) as Promise<T>;
  };
}

export interface NetworkQuery {
  readonly vip: Vip;
  readonly seen: Observation;
  readonly tag: string;
  /** The account that asks, where it is known. */
  readonly caller: string | undefined;
}

export interface DescribedNetwork {
  /** Without what is described once for all VIPs. */
  readonly facts: Omit<NetworkFacts, 'others' | 'survey' | 'mislabelled'>;
  readonly unchecked: readonly { readonly what: string; readonly why: string }[];
}

/** Throws a Fault when the VPC itself cannot be described; `unchecked` lists what else could not be. */
export async function describeNetwork(
  access: Ec2Reader,
  { vip, seen, tag, caller }: NetworkQuery,
  remember: Once = once(),
): Promise<DescribedNetwork> {
  const unchecked: { what: string; why: string }[] = [];
  const tried = async <T>(what: string, described: Promise<T>, without: T): Promise<T> => {
    try {
      return await described;
    } catch (error) {
      unchecked.push({ what, why: toleratedFault(faultFromSdkError(error, 'describing')).message });
      return without;
    }
  };
  const ofVpc = <T>(what: string, describe: (reader: Ec2Reader, vpc: string) => Promise<T>): Promise<T> =>
    remember(`${what} of ${vip.vpc}`, () => describe(access, vip.vpc));
  const [vpc, enis, tables, acls, eips, transitGateways, peerings] = await Promise.all([
    ofVpc('itself', vpcSeen),
    tried('ENIs', enisOf(access, vip, seen, tag), []),
    tried(
      'route tables',
      ofVpc('tables', (reader, vpc) => tablesOf(reader, vpc, tag)),
      [],
    ),
    tried('network ACLs', ofVpc('acls', aclsOf), []),
    tried<readonly EipFact[]>('Elastic IPs', eipsOf(access, vip, tag), []),
    tried('transit gateways', ofVpc('gateways', gatewaysOf), []),
    tried('peerings', ofVpc('peerings', peeringsOf), []),
  ]);
  const groupIds = [...new Set(enis.flatMap((e) => e.groups))].sort();
  const [groups, prefixLists] = await Promise.all([
    tried(
      'security groups',
      remember(`groups ${groupIds.join()}`, () => groupsOf(access, groupIds)),
      [],
    ),
    tried('prefix lists', listsOf(access, vip.addresses.filter(isPrefixList)), new Map()),
  ]);
  return {
    facts: {
      vip,
      tag,
      ...defined({ caller }),
      vpc: vpc ?? { vpc: vip.vpc, account: vip.account, cidrs: [] },
      seen,
      enis,
      tables,
      groups,
      acls,
      eips,
      prefixLists,
      transitGateways,
      peerings,
    },
    unchecked: vpc === undefined ? [...unchecked, { what: vip.vpc, why: 'there is no such VPC' }] : unchecked,
  };
}

async function enisOf(
  access: Ec2Reader,
  vip: Vip,
  seen: Observation,
  tag: string,
): Promise<readonly EniFact[]> {
  const nodes = new Set([
    ...Object.keys(vip.members),
    ...Object.keys(vip.claims),
    ...seen.enis.flatMap((e) => e.node ?? []),
  ]);
  const labels = [...vip.nodeLabels, ...vip.nodeLabels.map((l) => l + EIP_SUFFIX)];
  const by = (filters: ReturnType<typeof filter>) =>
    collect(
      paginateDescribeNetworkInterfaces(
        { client: access.reader, pageSize: 500 },
        { Filters: filters },
        { abortSignal: access.signal },
      ),
      (page) => page.NetworkInterfaces,
    );
  const [attached, labelled] = await Promise.all([
    nodes.size === 0 ? [] : by(filter('attachment.instance-id', [...nodes])),
    by(filter(`tag:${tag}`, labels)),
  ]);
  const byId = new Map([...labelled, ...attached].map((eni) => [eni.NetworkInterfaceId!, eni]));
  return [...byId.values()].map((eni) => eniFact(eni, tag));
}

function eniFact(eni: NetworkInterface, tag: string): EniFact {
  const label = eni.TagSet?.find((t) => t.Key === tag)?.Value;
  const node = eni.Attachment?.InstanceId;
  return {
    eni: eni.NetworkInterfaceId!,
    ...defined({ node }),
    primary: eni.Attachment?.DeviceIndex === 0,
    ...defined({ label }),
    sourceDestCheck: eni.SourceDestCheck ?? true,
    subnet: eni.SubnetId ?? '',
    address: eni.PrivateIpAddress ?? '',
    groups: (eni.Groups ?? []).flatMap((g) => g.GroupId ?? []),
  };
}

async function tablesOf(access: Ec2Reader, vpc: string, tag: string): Promise<readonly TableFact[]> {
  const config = { client: access.reader };
  const abort = { abortSignal: access.signal };
  const [tables, subnets] = await Promise.all([
    collect(
      paginateDescribeRouteTables({ ...config, pageSize: 100 }, { Filters: filter('vpc-id', [vpc]) }, abort),
      (page) => page.RouteTables,
    ),
    collect(
      paginateDescribeSubnets(config, { Filters: filter('vpc-id', [vpc]) }, abort),
      (page) => page.Subnets,
    ),
  ]);
  const taken = new Set(tables.flatMap((t) => (t.Associations ?? []).flatMap((a) => a.SubnetId ?? [])));
  const left = subnets.flatMap((s) => (taken.has(s.SubnetId!) ? [] : s.SubnetId!)).sort();
  return tables.map((t) => {
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
}

function outwardFrom(route: Route): TableFact['outward'] {
  const destination = route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock;
  const target =
    route.TransitGatewayId ??
    route.VpcPeeringConnectionId ??
    route.GatewayId ??
    route.NatGatewayId ??
    route.NetworkInterfaceId ??
    'another target';
  return destination === undefined || target === 'local' ? [] : [{ destination, target }];
}

async function eipsOf(access: Ec2Reader, vip: Vip, tag: string): Promise<readonly EipFact[]> {
  const found = await eipsFound(access, vip.eips, tag);
  return vip.eips.map((eip, i) => (found[i] === undefined ? { eip } : { eip, found: found[i] }));
}

async function gatewaysOf(access: Ec2Reader, vpc: string): Promise<readonly string[]> {
  const attachments = await collect(
    paginateDescribeTransitGatewayVpcAttachments(
      { client: access.reader },
      { Filters: filter('vpc-id', [vpc]) },
      { abortSignal: access.signal },
    ),
    (page) => page.TransitGatewayVpcAttachments,
  );
  return attachments
    .filter((a) => !['deleted', 'deleting', 'failed', 'rejected'].includes(a.State ?? ''))
    .flatMap((a) => a.TransitGatewayAttachmentId ?? []);
}

async function peeringsOf(access: Ec2Reader, vpc: string): Promise<readonly string[]> {
  const ends = ['requester-vpc-info.vpc-id', 'accepter-vpc-info.vpc-id'].map((end) =>
    collect(
      paginateDescribeVpcPeeringConnections(
        { client: access.reader },
        { Filters: filter(end, [vpc]) },
        { abortSignal: access.signal },
      ),
      (page) => page.VpcPeeringConnections,
    ),
  );
  return (await Promise.all(ends))
    .flat()
    .filter((p) => p.Status?.Code === 'active' || p.Status?.Code === 'provisioning')
    .flatMap((p) => p.VpcPeeringConnectionId ?? []);
}

export interface NodeProfile {
  readonly node: string;
  /** ARN of its instance profile; undefined when it has none. */
  readonly profile?: string;
}

/** EC2 user guide, "List and filter": of one filter. */
const VALUES_MAX = 200;

/** Nodes that EC2 does not show are left out. */
export async function profilesOf(
  access: Ec2Reader,
  nodes: readonly string[],
): Promise<readonly NodeProfile[]> {
  const profiles: NodeProfile[] = [];
  try {
    for (let from = 0; from < nodes.length; from += VALUES_MAX) {
      const pages = paginateDescribeInstances(
        { client: access.reader },
        { Filters: filter('instance-id', nodes.slice(from, from + VALUES_MAX)) },
        { abortSignal: access.signal },
      );
      for (const { Instances = [] } of await collect(pages, (page) => page.Reservations))
        for (const { InstanceId, IamInstanceProfile } of Instances)
          profiles.push({ node: InstanceId!, ...defined({ profile: IamInstanceProfile?.Arn }) });
    }
    return profiles;
  } catch (error) {
    throw faultFromSdkError(error, 'looking up instances');
  }
}
