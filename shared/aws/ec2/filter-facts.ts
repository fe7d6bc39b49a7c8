// What the doctor reads about packet filters: security groups and network ACLs, with the prefix lists in their rules
// resolved.
import {
  type IpPermission,
  type NetworkAclEntry,
  paginateDescribeNetworkAcls,
  paginateDescribeSecurityGroups,
  type SecurityGroup,
} from '@aws-sdk/client-ec2';
import type { AclFact, AclRule, FilterRule, GroupFact, PrefixLists } from '../../doctor/facts.ts';
import { defined } from '../../optional.ts';
import { collect } from '../pages.ts';
import { filter } from './access.ts';
import { type Ec2Reader, prefixListEntries } from './vpc.ts';

export const groupsIn = (access: Ec2Reader, vpc: string): Promise<readonly SecurityGroup[]> =>
  collect(
    paginateDescribeSecurityGroups(
      { client: access.reader },
      { Filters: filter('vpc-id', [vpc]) },
      { abortSignal: access.signal },
    ),
    (page) => page.SecurityGroups,
  );

const rulesOf = ({ IpPermissions = [], IpPermissionsEgress = [] }: SecurityGroup) => [
  ...IpPermissions,
  ...IpPermissionsEgress,
];

/** The prefix lists that their rules name. */
export const listsNamed = (groups: readonly SecurityGroup[]): readonly string[] => [
  ...new Set(
    groups
      .flatMap(rulesOf)
      .flatMap((rule) => rule.PrefixListIds ?? [])
      .flatMap((list) => list.PrefixListId ?? []),
  ),
];

/** A rule that names a prefix list means what is in the list. */
export function groupFact(group: SecurityGroup, lists: PrefixLists): GroupFact {
  const rule = (permission: IpPermission) => ruleFrom(permission, lists);
  return {
    group: group.GroupId!,
    ingress: (group.IpPermissions ?? []).map(rule),
    egress: (group.IpPermissionsEgress ?? []).map(rule),
  };
}

/** What each prefix list holds; undefined where there is none of that id. */
export async function listsOf(access: Ec2Reader, ids: readonly string[]): Promise<PrefixLists> {
  const entries = ids.map(async (id) => [id, await prefixListEntries(access, id)] as const);
  return new Map(await Promise.all(entries));
}

const names: Readonly<Record<string, string>> = { tcp: '6', udp: '17', icmp: '1', icmpv6: '58', all: '-1' };
const protocolOf = (text: string | undefined): string => names[text ?? ''] ?? text ?? '-1';

const ruleFrom = (permission: IpPermission, lists: PrefixLists): FilterRule => ({
  protocol: protocolOf(permission.IpProtocol),
  ...defined({ fromPort: permission.FromPort, toPort: permission.ToPort }),
  cidrs: [
    ...(permission.IpRanges ?? []).flatMap((r) => r.CidrIp ?? []),
    ...(permission.Ipv6Ranges ?? []).flatMap((r) => r.CidrIpv6 ?? []),
    ...(permission.PrefixListIds ?? []).flatMap((l) => lists.get(l.PrefixListId ?? '') ?? []),
  ],
  groups: (permission.UserIdGroupPairs ?? []).flatMap((p) => p.GroupId ?? []),
});

export async function aclsOf(access: Ec2Reader, vpc: string): Promise<readonly AclFact[]> {
  const acls = await collect(
    paginateDescribeNetworkAcls(
      { client: access.reader },
      { Filters: filter('vpc-id', [vpc]) },
      { abortSignal: access.signal },
    ),
    (page) => page.NetworkAcls,
  );
  return acls.map((acl) => ({
    acl: acl.NetworkAclId!,
    subnets: (acl.Associations ?? []).flatMap((a) => a.SubnetId ?? []),
    rules: (acl.Entries ?? []).map(aclRule),
  }));
}

const aclRule = (entry: NetworkAclEntry): AclRule => ({
  protocol: protocolOf(entry.Protocol),
  cidrs: [entry.CidrBlock, entry.Ipv6CidrBlock].filter((c): c is string => c !== undefined && c !== ''),
  groups: [],
  ...defined({ fromPort: entry.PortRange?.From, toPort: entry.PortRange?.To }),
  number: entry.RuleNumber ?? 0,
  allow: entry.RuleAction === 'allow',
  egress: entry.Egress ?? false,
});
