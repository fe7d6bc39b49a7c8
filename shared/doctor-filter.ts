// The doctor on packet filters: security groups and network ACLs, for VRRP between the nodes (IP protocol 112) and for
// the service's ports.
//
// Limit: which ENI keepalived speaks by is in its own file; a node passes when one of its ENIs lets VRRP in. Prefix
// lists in rules are not looked into.
import type { Finding } from './doctor.ts';
import type { AclFact, EniFact, FilterRule, NetworkFacts } from './doctor-facts.ts';
import { overlaps, rangeFrom } from './ledger-address.ts';
import { EIP_SUFFIX } from './member.ts';

export interface ServicePort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

const VRRP = '112';
const numbers = { tcp: '6', udp: '17' } as const;

export function filterFindings(facts: NetworkFacts, ports: readonly ServicePort[]): readonly Finding[] {
  const nodes = Object.keys(facts.vip.members).sort();
  return [
    ...nodes.flatMap((node) => vrrpIn(facts, node, nodes)),
    ...nodes.flatMap((node) => serviceIn(facts, node, ports)),
    ...aclFindings(facts, nodes),
  ];
}

/** ENIs by which VRRP may come: all but those for EIPs. */
const enisOfNode = ({ enis, vip }: NetworkFacts, node: string): readonly EniFact[] =>
  enis.filter((e) => e.node === node && !vip.nodeLabels.some((label) => e.label === label + EIP_SUFFIX));

const covers = (rule: FilterRule, address: string): boolean => {
  const one = rangeFrom(address);
  return one !== undefined && rule.cidrs.some((cidr) => overlaps(rangeFrom(cidr) ?? one, one));
};

const speaks = (rule: FilterRule, protocol: string): boolean =>
  rule.protocol === '-1' || rule.protocol === protocol;

const admits = (rule: FilterRule, protocol: string, from: EniFact): boolean =>
  speaks(rule, protocol) && (covers(rule, from.address) || rule.groups.some((g) => from.groups.includes(g)));

function vrrpIn(facts: NetworkFacts, node: string, nodes: readonly string[]): readonly Finding[] {
  const own = enisOfNode(facts, node);
  if (own.length === 0) return [];
  const rules = (eni: EniFact) =>
    facts.groups.filter((g) => eni.groups.includes(g.group)).flatMap((g) => g.ingress);
  const deaf = nodes.filter(
    (peer) =>
      peer !== node &&
      enisOfNode(facts, peer).length > 0 &&
      !own.some((eni) =>
        enisOfNode(facts, peer).some((from) => rules(eni).some((rule) => admits(rule, VRRP, from))),
      ),
  );
  if (deaf.length === 0) return [];
  const group = own[0]!.groups[0] ?? 'sg-…';
  const from = enisOfNode(facts, deaf[0]!)[0]!.groups[0] ?? 'sg-…';
  return [
    {
      check: 'group-vrrp',
      severity: 'fault',
      subject: node,
      found: `no security group of it (${[...new Set(own.flatMap((e) => e.groups))].join(', ')}) lets protocol 112 in from ${deaf.join(', ')}`,
      wanted: 'protocol 112 from the other nodes: else both become master',
      remedy: `aws ec2 authorize-security-group-ingress --group-id ${group} --ip-permissions IpProtocol=112,UserIdGroupPairs=[{GroupId=${from}}]`,
    },
  ];
}

function serviceIn(facts: NetworkFacts, node: string, ports: readonly ServicePort[]): readonly Finding[] {
  const { vip } = facts;
  const targets = facts.enis.filter(
    (e) =>
      e.node === node &&
      (e.eni === vip.members[node]?.eni || (vip.eips.length > 0 && e.eni === vip.members[node]?.eipEni)),
  );
  return targets.flatMap((eni) => {
    const rules = facts.groups.filter((g) => eni.groups.includes(g.group)).flatMap((g) => g.ingress);
    const carrying = rules.filter((rule) => rule.protocol !== VRRP && rule.protocol !== '1');
    const missing =
      ports.length > 0
        ? ports.filter((p) => !carrying.some((rule) => opens(rule, p))).map((p) => `${p.port}/${p.protocol}`)
        : carrying.length === 0
          ? ['any service port']
          : [];
    if (missing.length === 0) return [];
    const [first] = ports;
    const port =
      first === undefined ? '--protocol tcp --port …' : `--protocol ${first.protocol} --port ${first.port}`;
    return [
      {
        check: 'group-service',
        severity: 'fault',
        subject: eni.eni,
        found: `no security group of it (${eni.groups.join(', ')}) lets ${missing.join(', ')} in`,
        wanted:
          'the ports that clients use (a rule that names their group does not match the VIP as a target)',
        remedy: `aws ec2 authorize-security-group-ingress --group-id ${eni.groups[0] ?? 'sg-…'} ${port} --cidr …`,
      } satisfies Finding,
    ];
  });
}

const opens = (rule: FilterRule, { protocol, port }: ServicePort): boolean =>
  speaks(rule, numbers[protocol]) &&
  (rule.protocol === '-1' || ((rule.fromPort ?? 0) <= port && port <= (rule.toPort ?? 65_535)));

/** Both directions at both ends: network ACLs keep no state. */
function aclFindings(facts: NetworkFacts, nodes: readonly string[]): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const node of nodes) {
    for (const eni of enisOfNode(facts, node)) {
      const acl = facts.acls.find((a) => a.subnets.includes(eni.subnet));
      if (acl === undefined) continue;
      const peers = nodes.filter((n) => n !== node).flatMap((n) => enisOfNode(facts, n));
      for (const egress of [false, true]) {
        const dropped = peers.filter(
          (peer) => peer.subnet !== eni.subnet && !lets(acl, egress, peer.address),
        );
        if (dropped.length === 0) continue;
        const way = egress ? 'out to' : 'in from';
        const key = `${acl.acl} ${egress}`;
        found.set(key, {
          check: 'acl-vrrp',
          severity: 'fault',
          subject: acl.acl,
          found: `drops protocol 112 ${way} ${[...new Set(dropped.map((p) => p.address))].join(', ')} at ${eni.subnet}`,
          wanted: 'protocol 112 between the nodes’ subnets, in both directions',
          remedy: `aws ec2 create-network-acl-entry --network-acl-id ${acl.acl} ${egress ? '--egress' : '--ingress'} --rule-number 50 --protocol 112 --rule-action allow --cidr-block …`,
        });
      }
    }
  }
  return [...found.values()];
}

/** The first rule that matches decides; without one it is dropped. */
function lets(acl: AclFact, egress: boolean, address: string): boolean {
  const first = acl.rules
    .filter((r) => r.egress === egress && speaks(r, VRRP) && covers(r, address))
    .sort((a, b) => a.number - b.number)[0];
  return first?.allow === true;
}
