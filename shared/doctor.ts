// The doctor: every precondition of a VIP that can be looked up, judged. Pure; what is looked up comes in as facts.
//
// Each finding names what was found, what is wanted, and the command that mends it. Limit: it sees what AWS's APIs and
// the given files say; it does not log in to nodes, so policy routing and rp_filter there stay the operator's.
import { aclFindings } from './doctor-acl.ts';
import type { NetworkFacts } from './doctor-facts.ts';
import { filterFindings, type ServicePort } from './doctor-filter.ts';
import { busFindings, type IdentityFacts, roleFindings } from './doctor-identity.ts';
import { labelFindings } from './doctor-labels.ts';
import { addressFindings, eniFindings } from './doctor-network.ts';
import { shadowFindings } from './doctor-shadow.ts';
import { type ShimFacts, shimFindings } from './doctor-shim.ts';
import { tableFindings } from './doctor-tables.ts';

/** Every check, in the order in which one would mend things. The name is stable: CI may refer to it. */
export const checks = {
  'shared-vpc': 'the VPC belongs to this account',
  'transit-gateway': 'no VIP traffic goes over a transit gateway',
  peering: 'no client sits behind a VPC peering',
  'inside-cidr': 'the VIP lies outside the VPC’s CIDR',
  'inside-secondary-cidr': 'the VIP lies outside every secondary CIDR',
  'address-elsewhere': 'no broader route leads the VIP’s address elsewhere',
  'prefix-list': 'each prefix list has entries, all outside every CIDR',
  'too-few-nodes': 'at least two nodes',
  'too-many-nodes': 'no more nodes than a VIP may have',
  'one-zone': 'nodes in two zones',
  'eni-unattached': 'each labelled ENI is attached',
  'eni-unlabelled': 'each node’s service ENI bears the label',
  'eip-eni-missing': 'each node has a labelled ENI for EIPs',
  'eni-twice': 'one labelled ENI for each purpose on a node',
  'source-dest-check': 'the check is off on each service ENI',
  'source-dest-check-egress': 'the check is off where VIP-sourced replies leave',
  'table-unlabelled': 'each subnet’s route table bears the label, or - to leave it out',
  'main-table-unlabelled': 'the main table bears the label where subnets use it',
  'table-mislabelled': 'no table has a value of the tag that no VIP uses, or a mistyped key',
  'table-routed': 'no table without the label routes the VIP',
  'eni-mislabelled': 'no ENI has a value of the tag that no VIP uses',
  'eip-mislabelled': 'no EIP has a value of the tag that no VIP uses',
  'gateway-table': 'no gateway table bears the label',
  'table-elsewhere': 'nothing in another VPC or account bears the label',
  'route-missing': 'each labelled table routes the VIP',
  'route-foreign': 'each route points to a node of the VIP',
  'route-left-over': 'no route of a former address points to a node of the VIP',
  'group-vrrp': 'security groups let VRRP through',
  'group-service': 'security groups let the service through',
  'acl-vrrp': 'network ACLs let VRRP through',
  'eip-gone': 'each EIP is there',
  'eip-untagged': 'each EIP bears the tag',
  'eip-on-primary': 'no EIP of the VIP lies on a primary ENI',
  'role-put-events': 'the node role may send claims',
  'role-trust': 'only EC2 may take the node role',
  'bus-policy': 'the bus denies everybody else the nodes’ source',
  'bus-probe': 'an event reaches the record end to end',
  'shim-old': 'the shim is new enough',
  'shim-silent': 'each node is heard',
  'keepalived-multicast': 'keepalived speaks unicast',
  'keepalived-priorities': 'priorities differ',
  'keepalived-notify': 'keepalived notifies by FIFO',
  'keepalived-version': 'sub-second adverts speak VRRP version 3',
  bucket: 'a zone’s failure fits into EC2’s request budget',
  unchecked: 'everything could be looked up',
} as const;
export type Check = keyof typeof checks;

export interface Finding {
  readonly check: Check;
  /** Faults make the exit status; warnings are for reading. */
  readonly severity: 'fault' | 'warning';
  /** What it is about: an id, a file. */
  readonly subject: string;
  readonly found: string;
  readonly wanted: string;
  /** A command where there is one, else a sentence. */
  readonly remedy: string;
}

export interface Facts {
  readonly network: NetworkFacts;
  readonly identity?: IdentityFacts;
  readonly shim: ShimFacts;
  /** Ports that clients use; empty when the operator did not say. */
  readonly ports: readonly ServicePort[];
  /** What could not be looked up, and why. */
  readonly unchecked: readonly { readonly what: string; readonly why: string }[];
}

export function diagnose(facts: Facts): readonly Finding[] {
  const { network, identity, shim, ports } = facts;
  return inOrder([
    ...addressFindings(network),
    ...shadowFindings(network),
    ...eniFindings(network),
    ...tableFindings(network),
    ...labelFindings(network),
    ...filterFindings(network, ports),
    ...aclFindings(network),
    ...(identity === undefined ? [] : [...roleFindings(identity), ...busFindings(identity)]),
    ...shimFindings(network.vip, shim),
    ...facts.unchecked.map(({ what, why }) => unchecked(what, why)),
  ]);
}

const unchecked = (what: string, why: string): Finding => ({
  check: 'unchecked',
  severity: 'warning',
  subject: what,
  found: why,
  wanted: 'to be looked up',
  remedy: 'allow your role the call (resources/operator-policy.json has them all), or look yourself',
});

const order = Object.keys(checks);
export const inOrder = (findings: readonly Finding[]): readonly Finding[] =>
  [...findings].sort(
    (a, b) => order.indexOf(a.check) - order.indexOf(b.check) || (a.subject < b.subject ? -1 : 1),
  );
