// The doctor's questions about nodes as the next owner: of every member, and, before a forced failover, of the one that it is to
// go to. One list of questions for both.

import { membersSeen } from '../network/observation.ts';
import type { NetworkFacts } from './facts.ts';
import { type Finding, inOrder } from './finding.ts';
import { memberFindings } from './members/members.ts';
import { aclFindings } from './packets/acls.ts';
import { filterFindings } from './packets/groups.ts';
import type { ServicePort } from './packets/rules.ts';

/** Members that the item knows, and those that EC2 shows. */
export const membersOf = ({ vip, seen }: NetworkFacts): readonly string[] =>
  [...new Set([...Object.keys(vip.members), ...Object.keys(membersSeen(vip, seen, vip.members))])].sort();

/** `ports`: that clients use; empty where that is not known. */
export function nextOwnerFindings(
  facts: NetworkFacts,
  nodes: readonly string[],
  ports: readonly ServicePort[],
): readonly Finding[] {
  const known = nodes.filter((node) => facts.vip.members[node] !== undefined);
  return inOrder([
    ...memberFindings(facts, nodes),
    ...filterFindings(facts, ports, known),
    ...aclFindings(facts, ports, known),
  ]);
}
