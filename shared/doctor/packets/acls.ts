// The doctor on network ACLs: VRRP between the nodes' subnets, and the service's ports between its clients' subnets and the
// nodes'. An ACL keeps no state, so both ways count at both ends; the lowest number that matches decides.
//
// Limit: clients are taken to be in the subnets of the VIP's tables, and on the Internet where it has Elastic IPs.

import { isPrefixList } from '../../registry/ip-range.ts';
import type { AclFact, EniFact, NetworkFacts } from '../facts.ts';
import { type Finding, fault } from '../finding.ts';
import { enisOfNode, peersOf, targetsOn } from './groups.ts';
import {
  aclOf,
  clientSubnets,
  type Direction,
  deciding,
  letThrough,
  numberOf,
  type RuleNumbers,
  replyPorts,
  ruleNumbers,
  rulesOf,
  type ServicePort,
  VRRP,
} from './rules.ts';

const vrrp = { protocol: VRRP } as const;

/** Of these nodes: VRRP between each of them and every other member, and the service at each. */
export function aclFindings(
  facts: NetworkFacts,
  ports: readonly ServicePort[],
  nodes: readonly string[],
): readonly Finding[] {
  const asked = { facts, nodes, numbers: ruleNumbers() };
  return [...vrrpThrough(asked), ...serviceThrough(asked, ports)];
}

interface Asked {
  readonly facts: NetworkFacts;
  readonly nodes: readonly string[];
  readonly numbers: RuleNumbers;
}

function vrrpThrough({ facts, nodes, numbers }: Asked): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const node of Object.keys(facts.vip.members).sort()) {
    for (const eni of enisOfNode(facts, node)) {
      const acl = aclOf(facts, eni.subnet);
      if (acl === undefined || eni.address === '') continue;
      const peers = peersOf(facts, nodes, node)
        .flatMap((n) => enisOfNode(facts, n))
        .filter((peer) => peer.subnet !== eni.subnet && peer.address !== '');
      for (const egress of [false, true]) {
        const dropped = peers
          .map((p) => p.address)
          .filter((a) => deciding(acl, egress, vrrp, a)?.allow !== true);
        if (dropped.length === 0) continue;
        if (found.has(`${acl.acl} ${egress}`)) continue;
        found.set(
          `${acl.acl} ${egress}`,
          fault('acl-vrrp', {
            vips: [facts.vip.name],
            subject: acl.acl,
            found: `drops protocol 112 ${egress ? 'out to' : 'in from'} ${[...new Set(dropped)].join(', ')} at ${eni.subnet}`,
            expected: 'protocol 112 between the nodes’ subnets, in both directions',
            remedy: { command: letThrough(facts, acl, { egress, traffic: vrrp, far: dropped[0]! }, numbers) },
          }),
        );
      }
    }
  }
  return [...found.values()];
}

/** One thing that an ACL has to let through, and at which subnet. */
interface Passage extends Direction {
  readonly subnet: string;
  /** For people. */
  readonly what: string;
}

function serviceThrough({ facts, nodes, numbers }: Asked, ports: readonly ServicePort[]): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const node of nodes) {
    for (const eni of targetsOn(facts, node)) {
      const asked = ports.length > 0 ? ports : openedPorts(facts, eni);
      const dropped = asked.map((port) => droppedOf(facts, passages(facts, eni, port)));
      // Which of the opened ports clients use is not known, so one that passes is enough.
      const passes = ports.length === 0 && dropped.some((list) => list.length === 0);
      for (const { acl, passage } of passes ? [] : dropped.flat()) {
        const key = `${acl.acl} ${passage.egress} ${passage.what}`;
        if (found.has(key)) continue;
        found.set(
          key,
          fault('acl-service', {
            vips: [facts.vip.name],
            subject: acl.acl,
            found: `drops ${passage.what} at ${passage.subnet}`,
            expected: 'what clients send, and the answers: an ACL keeps no state',
            remedy: { command: letThrough(facts, acl, passage, numbers) },
          }),
        );
      }
    }
  }
  return [...found.values()];
}

const droppedOf = (
  facts: NetworkFacts,
  all: readonly Passage[],
): readonly { readonly acl: AclFact; readonly passage: Passage }[] =>
  all.flatMap((passage) => {
    const acl = aclOf(facts, passage.subnet);
    const drops =
      acl !== undefined && deciding(acl, passage.egress, passage.traffic, passage.far)?.allow !== true;
    return drops ? [{ acl, passage }] : [];
  });

function passages(facts: NetworkFacts, eni: EniFact, { protocol, port }: ServicePort): readonly Passage[] {
  const { vip } = facts;
  const asked = { protocol: numberOf[protocol], port };
  const text = `${port}/${protocol}`;
  const both = (subnet: string, far: Direction['far'], whose: string): readonly Passage[] => [
    { subnet, egress: false, traffic: asked, far, what: `${text} in from ${whose}` },
    ...replyPorts.map((reply) => ({
      ...{ subnet, egress: true, traffic: { ...asked, port: reply }, far },
      what: `answers of ${text} out to ${whose}`,
    })),
  ];
  const isEip = eni.eni === vip.members[eni.node!]?.eipEni && vip.eips.length > 0;
  const fromOutside = isEip ? both(eni.subnet, { internet: 4 }, 'the Internet') : [];
  if (eni.eni !== vip.members[eni.node!]?.eni) return fromOutside;
  const inside = clientSubnets(facts)
    .filter(({ subnet }) => subnet !== eni.subnet)
    .flatMap(({ subnet, cidrs }) =>
      vip.addresses.flatMap((address): readonly Passage[] => {
        const client = cidrs.find((cidr) => cidr.includes(':') === address.includes(':'));
        if (client === undefined || isPrefixList(address)) return [];
        return [
          ...both(eni.subnet, client, `clients in ${subnet}`),
          { subnet, egress: true, traffic: asked, far: address, what: `${text} out to ${address}` },
          ...replyPorts.map((reply) => ({
            ...{ subnet, egress: false, traffic: { ...asked, port: reply }, far: address },
            what: `answers of ${text} in from ${address}`,
          })),
        ];
      }),
    );
  return [...inside, ...fromOutside];
}

const WELL_KNOWN: readonly ServicePort[] = [{ protocol: 'tcp', port: 443 }];

/** Ports of those who look after the machine. */
const ADMIN = new Set([22, 3389]);

/** Without a word of the operator: the ports that its security groups open. */
function openedPorts(facts: NetworkFacts, eni: EniFact): readonly ServicePort[] {
  const opened = (rulesOf(facts, eni, 'ingress') ?? []).flatMap((rule): readonly ServicePort[] =>
    rule.fromPort === undefined || ADMIN.has(rule.fromPort)
      ? []
      : (['tcp', 'udp'] as const).flatMap((protocol) =>
          rule.protocol === numberOf[protocol] ? [{ protocol, port: rule.fromPort! }] : [],
        ),
  );
  return opened.length > 0 ? opened : WELL_KNOWN;
}
