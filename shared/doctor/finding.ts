// What the doctor finds: its checks, and the one shape that every finding has.

/** Every check, in the order in which one would fix things. The name is stable: CI may refer to it. */
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
  'node-not-running': 'each node runs',
  'node-unfit': 'no node withdrew',
  'node-scheduled': 'a node that EC2 will stop or reboot can give its VIPs away',
  'bus-way': 'each node has a way to the bus',
  'vpc-dns': 'the VPC resolves names',
  'endpoint-policy': 'the policies of endpoints let the nodes through',
  'one-zone': 'nodes in two zones',
  'eni-unattached': 'each labelled ENI is attached',
  'eni-unready': 'each labelled ENI is in use, attached and in the node’s zone',
  'eni-unlabelled': 'each node’s service ENI has the label',
  'eip-eni-missing': 'each node has a labelled ENI for EIPs',
  'eip-eni-untagged': 'each node has an ENI for EIPs where another one has',
  'eip-way': 'packets to an EIP find their way to each node’s ENI and back',
  'eni-twice': 'one labelled ENI for each purpose on a node',
  'source-dest-check': 'the check is off on each service ENI',
  'source-dest-check-egress': 'the check is off where VIP-sourced replies leave',
  'table-unlabelled': 'each subnet’s route table has the label, or - to leave it out',
  'main-table-unlabelled': 'the main table has the label where subnets use it',
  'table-mislabelled': 'no table has a value of the tag that no VIP uses, or a mistyped key',
  'table-routed': 'no table without the label routes the VIP',
  'eni-mislabelled': 'no ENI has a value of the tag that no VIP uses',
  'eip-mislabelled': 'no EIP has a value of the tag that no VIP uses',
  'tag-unread': 'the tag is only on what vipshift reads',
  'gateway-table': 'no gateway table has the label',
  'table-elsewhere': 'nothing in another VPC or account has the label',
  'table-unused': 'each labelled table serves a subnet',
  'table-full': 'each labelled table has room for the VIP',
  'route-missing': 'each labelled table routes the VIP',
  'route-foreign': 'each route points to a node of the VIP',
  'route-blackhole': 'no route to the owner is a blackhole',
  'route-drift': 'each route points to the owner',
  'route-left-over': 'no route of a former address points to a node of the VIP',
  'group-vrrp': 'security groups let VRRP in',
  'group-vrrp-out': 'security groups let VRRP out',
  'group-clients': 'security groups let clients of the VIP’s subnets in',
  'group-service': 'security groups let the service through',
  'acl-vrrp': 'network ACLs let VRRP through',
  'acl-service': 'network ACLs let the service through',
  'eip-gone': 'each EIP is there',
  'eip-untagged': 'each EIP has the tag',
  'eip-on-primary': 'no EIP of the VIP lies on a primary ENI',
  'eip-foreign': 'each EIP of the VIP is on one of its ENIs, or on none',
  'eip-drift': 'each EIP is at the owner',
  'eip-no-room': 'each node has a free private address for every EIP that may come',
  'eip-border-group': 'each EIP can be used in every node’s zone',
  'eip-unused': 'each labelled EIP is of a VIP',
  'role-put-events': 'the node role may send claims',
  'role-trust': 'only EC2 may take the node role',
  'bus-policy': 'the bus takes the nodes’ source from their role, and from no one else',
  'role-id': 'the functions take claims of the nodes’ role, as it is now',
  'role-wide': 'the node role may do nothing else to vipshift',
  'stack-state': 'the stack is deployed and whole',
  release: 'stack and command line are of one release',
  'rule-missing': 'each rule is there',
  'rule-disabled': 'each rule is enabled',
  'rule-target': 'each rule leads to its function',
  'rule-pattern': 'each rule matches what it is for',
  'function-state': 'each function is active',
  'function-settings': 'each function has the settings of the stack',
  'function-concurrency': 'each function may run',
  'function-permission': 'EventBridge may invoke the functions',
  'direct-url': 'the function URL is there where the stack has one, and is signed',
  'failover-invokers': 'no one else may hand the function failover a claim',
  'alarm-missing': 'each alarm is there',
  'alarm-mute': 'each alarm tells the topic',
  'alarm-raised': 'no alarm is raised',
  'notices-unheard': 'someone subscribes to the notices',
  'dead-letters': 'nothing waits in a dead-letter queue',
  'storage-missing': 'the tables are there',
  'storage-protection': 'the tables are protected from deletion',
  'storage-recovery': 'the tables can be recovered',
  'storage-ttl': 'records run out, VIPs do not',
  'view-old': 'each VIP has a fresh view for when EC2 does not answer',
  'approver-orders': 'no one may both order a failover and approve it',
  'bus-probe': 'an event reaches the record end to end',
  'shim-old': 'the shim is new enough',
  'shim-new': 'no shim is newer than the stack',
  'shim-silent': 'each node is heard',
  'keepalived-refused': 'keepalived has no complaint about its files',
  'keepalived-instance': 'keepalived’s files have the instances that the shim names',
  'keepalived-two-masters': 'nodes of one virtual router take each other’s adverts',
  'keepalived-multicast': 'keepalived speaks unicast',
  'keepalived-peers': 'peers are the other nodes',
  'keepalived-priorities': 'priorities differ',
  'keepalived-notify': 'keepalived notifies by the shim’s FIFO',
  'keepalived-reload': 'keepalived repeats no states when it reloads',
  'keepalived-version': 'sub-second adverts speak VRRP version 3',
  'keepalived-advert': 'advert intervals are equal',
  'keepalived-strict': 'keepalived drops no packets for the VIP',
  'keepalived-state': 'no node starts as MASTER',
  'keepalived-tracking': 'a service that fails makes its node give way',
  'keepalived-leaving': 'a node that AWS warns can give its VIPs away',
  bucket: 'a zone’s failure fits into EC2’s request budget',
  unchecked: 'everything could be looked up',
} as const;
export type Check = keyof typeof checks;

/** What to do: a command to paste (words in capitals are the operator's to fill in), with a remark; or a sentence. */
export type Remedy =
  | { readonly command: string; readonly remark?: string | undefined }
  | { readonly sentence: string };

/** What is said of a fault, whatever was checked. */
export interface Particulars {
  /** The VIPs that it touches; none where that cannot be told. */
  readonly vips: readonly string[];
  /** What it is about: an id, a file. */
  readonly subject: string;
  readonly found: string;
  readonly expected: string;
  readonly remedy: Remedy;
}

/** One fault or warning, as `--json` prints it: names are stable. */
export interface Finding {
  readonly check: Check;
  /**
   * A fault: the next failover to one of the members would not work, another party could cause one, or no one would notice.
   * Faults make the exit status.
   * A warning: a protection that is missing, clients that do not reach the VIP, or what could not be looked up.
   */
  readonly severity: 'fault' | 'warning';
  readonly vips: readonly string[];
  readonly subject: string;
  readonly found: string;
  /** What was expected. */
  readonly wanted: string;
  /** A command with its remark behind `#` where there is one, else a sentence. */
  readonly remedy: string;
  /** The command alone. */
  readonly command?: string;
}

export const fault = (check: Check, particulars: Particulars): Finding =>
  finding(check, 'fault', particulars);
export const warning = (check: Check, particulars: Particulars): Finding =>
  finding(check, 'warning', particulars);

const finding = (
  check: Check,
  severity: Finding['severity'],
  { vips, subject, found, expected, remedy }: Particulars,
): Finding => ({
  check,
  severity,
  vips,
  subject,
  found,
  wanted: expected,
  remedy: remedyText(remedy),
  ...('command' in remedy ? { command: remedy.command } : {}),
});

const remedyText = (remedy: Remedy): string =>
  'sentence' in remedy
    ? remedy.sentence
    : [remedy.command, ...(remedy.remark === undefined ? [] : [`    # ${remedy.remark}`])].join('');

const order = Object.keys(checks);
export const inOrder = (findings: readonly Finding[]): readonly Finding[] =>
  [...findings].sort(
    (a, b) => order.indexOf(a.check) - order.indexOf(b.check) || (a.subject < b.subject ? -1 : 1),
  );

/** What is the same for several VIPs, such as a role or the bus, is one finding that names them all. */
export function folded(findings: readonly Finding[]): readonly Finding[] {
  const known = new Map<string, Finding>();
  for (const one of findings) {
    const key = JSON.stringify([one.check, one.subject, one.found]);
    const before = known.get(key);
    known.set(key, before === undefined ? one : { ...before, vips: union(before.vips, one.vips) });
  }
  return inOrder([...known.values()]);
}

const union = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])];
