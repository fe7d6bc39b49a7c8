// The doctor on security groups: VRRP between the nodes (IP protocol 112), in and out, and the service's ports.
//
// Limit: which ENI keepalived speaks by is in its own file; a node passes when one of its ENIs lets VRRP through. That a port
// is open is checked, not to whom.

import { awsCommand, type Place } from '../../place.ts';
import { isPrefixList, rangeFrom } from '../../registry/ip-range.ts';
import { EIP_SUFFIX } from '../../vip/member.ts';
import type { EniFact, FilterRule, NetworkFacts } from '../facts.ts';
import { type Finding, fault } from '../finding.ts';
import { clientSubnets, covers, numberOf, rulesOf, type ServicePort, speaks, VRRP } from './rules.ts';

const vrrp = { protocol: VRRP } as const;

/** Of these nodes: VRRP between each of them and every other member, and the service at each. */
export const filterFindings = (
  facts: NetworkFacts,
  ports: readonly ServicePort[],
  nodes: readonly string[],
): readonly Finding[] => [
  ...vrrpThrough(facts, nodes, 'ingress'),
  ...vrrpThrough(facts, nodes, 'egress'),
  ...serviceIn(facts, nodes, ports),
  ...clientsIn(facts, nodes, ports),
];

/** The other end of each pair of which one of these nodes is part. */
export const peersOf = ({ vip }: NetworkFacts, nodes: readonly string[], node: string): readonly string[] =>
  Object.keys(vip.members)
    .sort()
    .filter((peer) => peer !== node && (nodes.includes(node) || nodes.includes(peer)));

/** ENIs by which VRRP may come: all but those for EIPs. */
export const enisOfNode = ({ enis, vip }: NetworkFacts, node: string): readonly EniFact[] =>
  enis.filter((e) => e.node === node && !vip.nodeLabels.some((label) => e.label === label + EIP_SUFFIX));

/** By a group's rule the far end is meant with its group, or with its address. */
const admits = (rule: FilterRule, far: EniFact): boolean =>
  speaks(rule, vrrp) &&
  (covers(rule, far.address === '' ? (far.ipv6?.[0] ?? '') : far.address) ||
    rule.groups.some((g) => far.groups.includes(g)));

/** One finding for nodes with the same groups: one rule fixes them all. */
function vrrpThrough(
  facts: NetworkFacts,
  nodes: readonly string[],
  way: 'ingress' | 'egress',
): readonly Finding[] {
  const shut = new Map<string, { at: string[]; far: Set<string>; groups: string }>();
  for (const node of Object.keys(facts.vip.members).sort()) {
    const own = enisOfNode(facts, node);
    const cut = peersOf(facts, nodes, node).filter(
      (peer) => !passes(facts, way, own, enisOfNode(facts, peer)),
    );
    if (own.length === 0 || cut.length === 0) continue;
    const groups = [...new Set(own.flatMap((e) => e.groups))].join(', ');
    const far = enisOfNode(facts, cut[0]!)[0]!.groups[0] ?? 'GROUP';
    const group = own[0]!.groups[0] ?? 'GROUP';
    const remedy =
      way === 'ingress'
        ? openTo(facts.place, group, '--protocol 112 --port -1', `--source-group ${far}`)
        : awsCommand(
            `ec2 authorize-security-group-egress --group-id ${group} --ip-permissions IpProtocol=112,FromPort=-1,ToPort=-1,UserIdGroupPairs='[{GroupId=${far}}]'`,
            facts.place,
          );
    const known = shut.get(remedy) ?? { at: [], far: new Set<string>(), groups };
    known.at.push(node);
    for (const peer of cut) known.far.add(peer);
    shut.set(remedy, known);
  }
  const [preposition, check] =
    way === 'ingress' ? (['in from', 'group-vrrp'] as const) : (['out to', 'group-vrrp-out'] as const);
  return [...shut].map(([remedy, { at, far, groups }]) =>
    fault(check, {
      vips: [facts.vip.name],
      subject: at.join(', '),
      found: `no security group (${groups}) lets protocol 112 ${preposition} ${[...far].sort().join(', ')}`,
      expected: `protocol 112 ${way === 'ingress' ? 'from' : 'to'} the other nodes: else both become master`,
      remedy: { command: remedy },
    }),
  );
}

/** A peer of which no ENI is known, or a group that is not known, is not judged. */
const passes = (
  facts: NetworkFacts,
  way: 'ingress' | 'egress',
  own: readonly EniFact[],
  peer: readonly EniFact[],
): boolean =>
  peer.length === 0 ||
  own.some((eni) => {
    const rules = rulesOf(facts, eni, way);
    return rules === undefined || peer.some((far) => rules.some((rule) => admits(rule, far)));
  });

const openTo = (place: Place, group: string, what: string, from: string): string =>
  awsCommand(`ec2 authorize-security-group-ingress --group-id ${group} ${what} ${from}`, place);

/** One finding for ENIs with the same groups and the same purpose: one rule fixes them all. */
function serviceIn(
  facts: NetworkFacts,
  nodes: readonly string[],
  ports: readonly ServicePort[],
): readonly Finding[] {
  const shut = new Map<string, { enis: string[]; missing: readonly Opening[]; groups: string }>();
  for (const node of nodes) {
    for (const eni of targetsOn(facts, node)) {
      const missing = missingAt(facts, eni, ports);
      if (missing.length === 0) continue;
      const groups = eni.groups.join(', ');
      const key = [groups, ...missing.flatMap((m) => [m.text, m.from])].join('\n');
      const known = shut.get(key);
      if (known === undefined) shut.set(key, { enis: [eni.eni], missing, groups });
      else known.enis.push(eni.eni);
    }
  }
  return [...shut.values()].map(({ enis, missing, groups }) =>
    fault('group-service', {
      vips: [facts.vip.name],
      subject: enis.join(', '),
      found: `no security group of it (${groups}) lets ${missing.map((m) => m.text).join(', ')} in`,
      expected:
        'the ports that clients use (a rule that names their group does not match the VIP as a target)',
      remedy: {
        command: missing
          .map((m) => openTo(facts.place, groups.split(', ')[0] || 'GROUP', ...sourceOf(m)))
          .join(' && '),
      },
    }),
  );
}

/** Open, but for none of the subnets whose tables have the label; that some are left out may be meant. */
function clientsIn(
  facts: NetworkFacts,
  nodes: readonly string[],
  ports: readonly ServicePort[],
): readonly Finding[] {
  return nodes.flatMap((node) =>
    targetsOn(facts, node).flatMap((eni) =>
      ports.flatMap((port) => [
        ...(eni.eni === facts.vip.members[node]?.eni ? familiesOf(facts) : []).flatMap((family) =>
          shutOut(facts, eni, { ...port, family }),
        ),
        ...(eni.eni === facts.vip.members[node]?.eipEni ? shutOutside(facts, eni, port) : []),
      ]),
    ),
  );
}

/** An Elastic IP is for clients on the Internet, though perhaps for a few of them only. */
function shutOutside(facts: NetworkFacts, eni: EniFact, { protocol, port }: ServicePort): readonly Finding[] {
  const traffic = { protocol: numberOf[protocol], port };
  const open = (rulesOf(facts, eni, 'ingress') ?? []).filter(
    (rule) => speaks(rule, traffic) && isOf(rule, 4),
  );
  if (facts.vip.eips.length === 0 || open.length === 0) return [];
  if (open.some((rule) => covers(rule, { internet: 4 }))) return [];
  return [
    fault('group-clients', {
      vips: [facts.vip.name],
      subject: eni.eni,
      found: `its security groups (${eni.groups.join(', ')}) let ${port}/${protocol} in, but from no address of the Internet`,
      expected: 'clients of the Elastic IP',
      remedy: {
        command: openTo(
          facts.place,
          eni.groups[0] ?? 'GROUP',
          `--protocol ${protocol} --port ${port}`,
          '--cidr 0.0.0.0/0',
        ),
      },
    }),
  ];
}

const familiesOf = ({ vip }: NetworkFacts): readonly (4 | 6)[] => [
  ...new Set(vip.addresses.filter((a) => !isPrefixList(a)).map((a): 4 | 6 => (a.includes(':') ? 6 : 4))),
];

function shutOut(
  facts: NetworkFacts,
  eni: EniFact,
  { protocol, port, family }: ServicePort & { readonly family: 4 | 6 },
): readonly Finding[] {
  const traffic = { protocol: numberOf[protocol], port };
  const open = (rulesOf(facts, eni, 'ingress') ?? []).filter((rule) => speaks(rule, traffic));
  const ranges = clientSubnets(facts).flatMap(({ cidrs }) =>
    cidrs.filter((cidr) => cidr.includes(':') === (family === 6)),
  );
  const shut =
    open.some((rule) => isOf(rule, family)) &&
    ranges.length > 0 &&
    !open.some((rule) => rule.groups.length > 0 || ranges.some((cidr) => covers(rule, cidr)));
  if (!shut) return [];
  const from = clientsOf(facts, eni, family);
  return [
    fault('group-clients', {
      vips: [facts.vip.name],
      subject: eni.eni,
      found: `its security groups (${eni.groups.join(', ')}) let ${port}/${protocol} in over IPv${family}, but from none of the subnets whose tables have the label`,
      expected: 'clients of at least one of them',
      remedy: {
        command: openTo(
          facts.place,
          eni.groups[0] ?? 'GROUP',
          ...sourceOf({ protocol, port, family, from, text: '' }),
        ),
      },
    }),
  ];
}

/** Where clients' packets arrive. */
export const targetsOn = ({ enis, vip }: NetworkFacts, node: string): readonly EniFact[] =>
  enis.filter(
    (e) =>
      e.node === node &&
      (e.eni === vip.members[node]?.eni || (vip.eips.length > 0 && e.eni === vip.members[node]?.eipEni)),
  );

interface Opening extends ServicePort {
  readonly family: 4 | 6;
  /** Where clients are, as a CIDR. */
  readonly from: string;
  readonly text: string;
  /** Not known: the operator's to fill in. */
  readonly any?: true;
}

const clientsOf = ({ vip, vpc }: NetworkFacts, eni: EniFact, family: 4 | 6): string => {
  if (eni.node !== undefined && eni.eni === vip.members[eni.node]?.eipEni)
    return family === 4 ? '0.0.0.0/0' : '::/0';
  return vpc.cidrs.find((cidr) => cidr.includes(':') === (family === 6)) ?? 'CLIENTS';
};

/** The AWS CLI has short options for IPv4 only. */
function sourceOf({ protocol, port, any, family, from }: Opening): readonly [string, string] {
  const ports = any === true ? 'PORT' : String(port);
  return family === 4
    ? [`--protocol ${protocol} --port ${ports}`, `--cidr ${from}`]
    : [
        '--ip-permissions',
        `IpProtocol=${protocol},FromPort=${ports},ToPort=${ports},Ipv6Ranges='[{CidrIpv6=${from}}]'`,
      ];
}

/** By family: those of the VIP's addresses at the service ENI, IPv4 at the one for Elastic IPs. */
function familiesAt({ vip, vpc, subnets }: NetworkFacts, eni: EniFact): readonly (4 | 6)[] {
  const own = vip.members[eni.node!];
  const at = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4);
  const families = eni.eni === own?.eni ? vip.addresses.filter((a) => !isPrefixList(a)).map(at) : [];
  // Without an IPv6 range no client of the VPC has an IPv6 address.
  const ranges = subnets === undefined ? vpc.cidrs : [...subnets.values()].flat();
  const known = families.filter((family) => family === 4 || ranges.some((cidr) => cidr.includes(':')));
  const eips: readonly 4[] = eni.eni === own?.eipEni && vip.eips.length > 0 ? [4] : [];
  return [...new Set([...known, ...eips])].sort((a, b) => a - b);
}

function missingAt(facts: NetworkFacts, eni: EniFact, ports: readonly ServicePort[]): readonly Opening[] {
  const rules = rulesOf(facts, eni, 'ingress');
  if (rules === undefined) return [];
  const carrying = rules.filter((rule) => !['112', '1', '58'].includes(rule.protocol));
  const families = familiesAt(facts, eni);
  return families.flatMap((family): readonly Opening[] => {
    const over = families.length > 1 || family === 6 ? ` over IPv${family}` : '';
    const from = clientsOf(facts, eni, family);
    const own = carrying.filter((rule) => isOf(rule, family));
    if (ports.length === 0)
      return own.length > 0
        ? []
        : [{ protocol: 'tcp', port: 0, family, from, any: true, text: `any service port${over}` }];
    return ports
      .filter(({ protocol, port }) => !own.some((r) => speaks(r, { protocol: numberOf[protocol], port })))
      .map((p) => ({ ...p, family, from, text: `${p.port}/${p.protocol}${over}` }));
  });
}

/** A rule that names a group, or an empty prefix list, is of no family: it may stand for clients all the same. */
const isOf = (rule: FilterRule, family: 4 | 6): boolean =>
  rule.cidrs.length === 0 || rule.cidrs.some((cidr) => rangeFrom(cidr)?.family === family);
