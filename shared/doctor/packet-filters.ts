// The doctor on packet filters: security groups and network ACLs, for VRRP between the nodes (IP protocol 112) and for
// the service's ports.
//
// Limit: which ENI keepalived speaks by is in its own file; a node passes when one of its ENIs lets VRRP in. That a port
// is open is checked, not to whom.
// The doctor on network ACLs: VRRP (IP protocol 112) between the nodes' subnets. An ACL keeps no state, so both ways count
// at both ends; the lowest number that matches decides.

import { overlaps, rangeFrom } from '../registry/ip-range.ts';
import { EIP_SUFFIX } from '../vip/member.ts';
import type { AclFact, AclRule, EniFact, FilterRule, NetworkFacts } from './facts.ts';
import { type Finding, fault } from './finding.ts';

/** Of a rule that lets VRRP in where nothing forbids it: below the numbers that people give. */
const NUMBER = 50;

export function aclFindings(facts: NetworkFacts): readonly Finding[] {
  const nodes = Object.keys(facts.vip.members).sort();
  const found = new Map<string, Finding>();
  for (const node of nodes) {
    for (const eni of enisOfNode(facts, node)) {
      const acl = facts.acls.find((a) => a.subnets.includes(eni.subnet));
      if (acl === undefined) continue;
      const peers = nodes
        .filter((n) => n !== node)
        .flatMap((n) => enisOfNode(facts, n))
        .filter((peer) => peer.subnet !== eni.subnet);
      for (const egress of [false, true]) {
        const dropped = peers.map((p) => p.address).filter((a) => deciding(acl, egress, a)?.allow !== true);
        if (dropped.length === 0) continue;
        found.set(
          `${acl.acl} ${egress}`,
          fault('acl-vrrp', {
            vips: [facts.vip.name],
            subject: acl.acl,
            found: `drops protocol 112 ${egress ? 'out to' : 'in from'} ${[...new Set(dropped)].join(', ')} at ${eni.subnet}`,
            expected: 'protocol 112 between the nodes’ subnets, in both directions',
            remedy: { command: letIn(facts, acl, egress, dropped[0]!) },
          }),
        );
      }
    }
  }
  return [...found.values()];
}

/** The first rule that matches; without one it is dropped. */
const deciding = (acl: AclFact, egress: boolean, address: string): AclRule | undefined =>
  acl.rules
    .filter((r) => r.egress === egress && speaks(r, VRRP) && covers(r, address))
    .sort((a, b) => a.number - b.number)[0];

/** Before the rule that drops it, under a free number; where there is none before it, that rule has to go. */
function letIn({ vpc }: NetworkFacts, acl: AclFact, egress: boolean, address: string): string {
  const way = egress ? '--egress' : '--ingress';
  const taken = new Set(acl.rules.filter((r) => r.egress === egress).map((r) => r.number));
  const denies = deciding(acl, egress, address)?.number ?? Number.POSITIVE_INFINITY;
  let number = Math.min(NUMBER, denies - 1);
  while (number > 0 && taken.has(number)) number--;
  if (number === 0)
    return `aws ec2 delete-network-acl-entry --network-acl-id ${acl.acl} ${way} --rule-number ${denies}`;
  const cidr =
    vpc.cidrs.find((c) => covers({ protocol: VRRP, cidrs: [c], groups: [] }, address)) ?? `${address}/32`;
  return `aws ec2 create-network-acl-entry --network-acl-id ${acl.acl} ${way} --rule-number ${number} --protocol 112 --rule-action allow --cidr-block ${cidr}`;
}

export interface ServicePort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

export const VRRP = '112';
const numbers = { tcp: '6', udp: '17' } as const;

export function filterFindings(facts: NetworkFacts, ports: readonly ServicePort[]): readonly Finding[] {
  const nodes = Object.keys(facts.vip.members).sort();
  return [...vrrpIn(facts, nodes), ...serviceIn(facts, nodes, ports)];
}

/** ENIs by which VRRP may come: all but those for EIPs. */
export const enisOfNode = ({ enis, vip }: NetworkFacts, node: string): readonly EniFact[] =>
  enis.filter((e) => e.node === node && !vip.nodeLabels.some((label) => e.label === label + EIP_SUFFIX));

export const covers = (rule: FilterRule, address: string): boolean => {
  const one = rangeFrom(address);
  return one !== undefined && rule.cidrs.some((cidr) => overlaps(rangeFrom(cidr) ?? one, one));
};

export const speaks = (rule: FilterRule, protocol: string): boolean =>
  rule.protocol === '-1' || rule.protocol === protocol;

const admits = (rule: FilterRule, protocol: string, from: EniFact): boolean =>
  speaks(rule, protocol) && (covers(rule, from.address) || rule.groups.some((g) => from.groups.includes(g)));

const ingressOf = (facts: NetworkFacts, eni: EniFact): readonly FilterRule[] =>
  facts.groups.filter((g) => eni.groups.includes(g.group)).flatMap((g) => g.ingress);

/** One finding for nodes with the same groups: one rule fixes them all. */
function vrrpIn(facts: NetworkFacts, nodes: readonly string[]): readonly Finding[] {
  const deaf = new Map<string, { to: string[]; from: Set<string>; groups: string }>();
  for (const node of nodes) {
    const own = enisOfNode(facts, node);
    const unheard = nodes.filter((peer) => peer !== node && !hears(facts, own, enisOfNode(facts, peer)));
    if (own.length === 0 || unheard.length === 0) continue;
    const groups = [...new Set(own.flatMap((e) => e.groups))].join(', ');
    const source = enisOfNode(facts, unheard[0]!)[0]!.groups[0] ?? 'GROUP';
    const remedy = openTo(
      own[0]!.groups[0] ?? 'GROUP',
      '--protocol 112 --port -1',
      `--source-group ${source}`,
    );
    const known = deaf.get(remedy) ?? { to: [], from: new Set<string>(), groups };
    known.to.push(node);
    for (const peer of unheard) known.from.add(peer);
    deaf.set(remedy, known);
  }
  return [...deaf].map(([remedy, { to, from, groups }]) =>
    fault('group-vrrp', {
      vips: [facts.vip.name],
      subject: to.join(', '),
      found: `no security group (${groups}) lets protocol 112 in from ${[...from].sort().join(', ')}`,
      expected: 'protocol 112 from the other nodes: else both become master',
      remedy: { command: remedy },
    }),
  );
}

/** A peer of which no ENI is known is not judged. */
const hears = (facts: NetworkFacts, own: readonly EniFact[], peer: readonly EniFact[]): boolean =>
  peer.length === 0 ||
  own.some((eni) => peer.some((from) => ingressOf(facts, eni).some((rule) => admits(rule, VRRP, from))));

const openTo = (group: string, what: string, from: string): string =>
  `aws ec2 authorize-security-group-ingress --group-id ${group} ${what} ${from}`;

/** One finding for ENIs with the same groups and the same purpose: one rule fixes them all. */
function serviceIn(
  facts: NetworkFacts,
  nodes: readonly string[],
  ports: readonly ServicePort[],
): readonly Finding[] {
  const shut = new Map<
    string,
    { enis: string[]; missing: readonly Opening[]; groups: string; from: string }
  >();
  for (const node of nodes) {
    for (const eni of targetsOn(facts, node)) {
      const missing = missingAt(ingressOf(facts, eni), ports);
      if (missing.length === 0) continue;
      const from =
        eni.eni === facts.vip.members[node]?.eipEni ? '0.0.0.0/0' : (facts.vpc.cidrs[0] ?? 'CLIENTS');
      const groups = eni.groups.join(', ');
      const key = [groups, from, ...missing.map((m) => m.text)].join('\n');
      const known = shut.get(key);
      if (known === undefined) shut.set(key, { enis: [eni.eni], missing, groups, from });
      else known.enis.push(eni.eni);
    }
  }
  return [...shut.values()].map(({ enis, missing, groups, from }) =>
    fault('group-service', {
      vips: [facts.vip.name],
      subject: enis.join(', '),
      found: `no security group of it (${groups}) lets ${missing.map((m) => m.text).join(', ')} in`,
      expected:
        'the ports that clients use (a rule that names their group does not match the VIP as a target)',
      remedy: {
        command: missing
          .map((m) => openTo(groups.split(', ')[0] || 'GROUP', m.options, `--cidr ${from}`))
          .join(' && '),
      },
    }),
  );
}

/** Where clients' packets arrive. */
const targetsOn = ({ enis, vip }: NetworkFacts, node: string): readonly EniFact[] =>
  enis.filter(
    (e) =>
      e.node === node &&
      (e.eni === vip.members[node]?.eni || (vip.eips.length > 0 && e.eni === vip.members[node]?.eipEni)),
  );

interface Opening {
  readonly text: string;
  /** For the AWS CLI. */
  readonly options: string;
}

function missingAt(rules: readonly FilterRule[], ports: readonly ServicePort[]): readonly Opening[] {
  const carrying = rules.filter((rule) => rule.protocol !== VRRP && rule.protocol !== '1');
  if (ports.length === 0)
    return carrying.length > 0 ? [] : [{ text: 'any service port', options: '--protocol tcp --port PORT' }];
  return ports
    .filter((p) => !carrying.some((rule) => opens(rule, p)))
    .map(({ port, protocol }) => ({
      text: `${port}/${protocol}`,
      options: `--protocol ${protocol} --port ${port}`,
    }));
}

const opens = (rule: FilterRule, { protocol, port }: ServicePort): boolean =>
  speaks(rule, numbers[protocol]) &&
  (rule.protocol === '-1' || ((rule.fromPort ?? 0) <= port && port <= (rule.toPort ?? 65_535)));
