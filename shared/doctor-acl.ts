// The doctor on network ACLs: VRRP (IP protocol 112) between the nodes' subnets. An ACL keeps no state, so both ways count
// at both ends; the lowest number that matches decides.
import type { Finding } from './doctor.ts';
import type { AclFact, AclRule, NetworkFacts } from './doctor-facts.ts';
import { covers, enisOfNode, speaks, VRRP } from './doctor-filter.ts';

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
        found.set(`${acl.acl} ${egress}`, {
          check: 'acl-vrrp',
          severity: 'fault',
          subject: acl.acl,
          found: `drops protocol 112 ${egress ? 'out to' : 'in from'} ${[...new Set(dropped)].join(', ')} at ${eni.subnet}`,
          wanted: 'protocol 112 between the nodes’ subnets, in both directions',
          remedy: letIn(facts, acl, egress, dropped[0]!),
        });
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
