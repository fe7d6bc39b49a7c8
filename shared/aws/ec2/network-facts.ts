// What the doctor reads from EC2 beyond what the controller observes. Read-only; every list to its last page.
//
// Invariant: the number of calls depends on the VPCs, the prefix lists and the pages, not on the number of VIPs: what several
// VIPs have in common is described once and divided here. EC2's Describe budget is the controller's, too.
import type { EipFact, EniFact, NetworkFacts, PrefixLists, TaggedThing } from '../../doctor/facts.ts';
import { toleratedFault } from '../../fault.ts';
import type { Observation } from '../../network/observation.ts';
import { defined } from '../../optional.ts';
import { isPrefixList } from '../../registry/ip-range.ts';
import { EIP_SUFFIX } from '../../vip/member.ts';
import type { Vip } from '../../vip/vip.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { eipsIn, enisIn, taggedElsewhere } from './eni-facts.ts';
import { aclsOf, groupFact, groupsIn, listsNamed, listsOf } from './filter-facts.ts';
import { type Ec2Reader, vpcSeen } from './vpc.ts';
import { borderGroupsOf, routingOf, wayOf } from './vpc-facts.ts';

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
  /** Of all VIPs that are asked about; by default this one's. */
  readonly vpcs?: readonly string[];
}

export interface DescribedNetwork {
  /** Without what is known from elsewhere. */
  readonly facts: Omit<NetworkFacts, 'place' | 'others' | 'survey' | 'mislabelled' | 'strayRoutes' | 'hosts'>;
  /** All ENIs and EIPs, and things with the tag where nothing reads it. */
  readonly everything: Everything;
  readonly unchecked: readonly { readonly what: string; readonly why: string }[];
}
export interface Everything {
  readonly enis: readonly EniFact[];
  readonly eips: readonly EipFact[];
  readonly tagged: readonly TaggedThing[];
}

/** Throws a Fault when the VPC itself cannot be described; `unchecked` lists what else could not be. */
export async function describeNetwork(
  access: Ec2Reader,
  { vip, seen, tag, caller, vpcs = [vip.vpc] }: NetworkQuery,
  remember: Once = once(),
): Promise<DescribedNetwork> {
  const unchecked: { what: string; why: string }[] = [];
  const tried = async <T, Without>(
    what: string,
    described: Promise<T>,
    without: Without,
  ): Promise<T | Without> => {
    try {
      return await described;
    } catch (error) {
      unchecked.push({ what, why: toleratedFault(faultFromSdkError(error, 'describing')).message });
      return without;
    }
  };
  const ofVpc = <T>(what: string, describe: (reader: Ec2Reader, vpc: string) => Promise<T>): Promise<T> =>
    remember(`${what} of ${vip.vpc}`, () => describe(access, vip.vpc));
  const none: readonly never[] = [];
  const [vpc, enis, routing, acls, eips, groups, way, tagged, borderGroups] = await Promise.all([
    ofVpc('itself', vpcSeen),
    tried(
      'ENIs',
      remember('ENIs', () => enisIn(access, vpcs, tag)),
      none,
    ),
    tried(
      'route tables',
      ofVpc('tables', (reader, id) => routingOf(reader, id, tag)),
      undefined,
    ),
    tried('network ACLs', ofVpc('acls', aclsOf), none),
    tried(
      'Elastic IPs',
      remember('EIPs', () => eipsIn(access, tag)),
      undefined,
    ),
    tried('security groups', ofVpc('groups', groupsIn), none),
    tried('the way out of the VPC', ofVpc('way', wayOf), undefined),
    tried(
      'tags',
      remember('tags', () => taggedElsewhere(access, tag)),
      none,
    ),
    vip.eips.length === 0
      ? undefined
      : tried(
          'zones',
          remember('zones', () => borderGroupsOf(access)),
          undefined,
        ),
  ]);
  const found = vip.eips.map((eip) => eips?.find((known) => known.eip === eip) ?? { eip });
  const own = concerning(vip, seen, enis, found);
  const used = new Set([...own.flatMap((e) => e.groups), ...(way?.endpoints ?? []).flatMap((e) => e.groups)]);
  const usedGroups = groups.filter((group) => used.has(group.GroupId ?? ''));
  const list = (id: string) => remember(`list ${id}`, async () => (await listsOf(access, [id])).get(id));
  const listsFor = async (ids: readonly string[]): Promise<PrefixLists> =>
    new Map(await Promise.all(ids.map(async (id) => [id, await list(id)] as const)));
  const [inRules, prefixLists] = await Promise.all([
    tried('prefix lists in security groups', listsFor(listsNamed(usedGroups)), undefined),
    tried('prefix lists', listsFor(vip.addresses.filter(isPrefixList)), new Map()),
  ]);
  return {
    facts: {
      vip,
      tag,
      ...defined({ caller }),
      vpc: vpc ?? { vpc: vip.vpc, account: vip.account, cidrs: [] },
      seen,
      enis: own,
      tables: routing?.tables ?? [],
      // Without the lists a rule would seem to let nothing in.
      groups: inRules === undefined ? [] : usedGroups.map((group) => groupFact(group, inRules)),
      acls,
      eips: eips === undefined ? [] : found,
      prefixLists,
      ...defined({ way, borderGroups, subnets: routing?.subnets }),
    },
    everything: { enis, eips: eips ?? [], tagged },
    unchecked: vpc === undefined ? [...unchecked, { what: vip.vpc, why: 'there is no such VPC' }] : unchecked,
  };
}

/** ENIs with the VIP's label, those of its nodes, and those that its EIPs are on. */
function concerning(
  vip: Vip,
  seen: Observation,
  enis: readonly EniFact[],
  eips: readonly EipFact[],
): readonly EniFact[] {
  const places = new Set(eips.flatMap(({ found }) => found?.eni ?? []));
  const nodes = new Set([
    ...Object.keys(vip.members),
    ...Object.keys(vip.claims),
    ...seen.enis.flatMap((e) => e.node ?? []),
  ]);
  const labels = new Set([...vip.nodeLabels, ...vip.nodeLabels.map((l) => l + EIP_SUFFIX)]);
  return enis.filter(
    (eni) =>
      (eni.node !== undefined && nodes.has(eni.node)) ||
      (eni.label !== undefined && labels.has(eni.label)) ||
      places.has(eni.eni),
  );
}
