// 76 misconfigurations, each tried by hand when the doctor was young: it named 38 of them then. What each is now, by the row that
// seeds it, and the seed on the deployed local AWS, or why the emulators cannot show it.
import { conf, other } from '../../../shared/doctor/keepalived/judge.ts';

export interface Listed {
  readonly id: number;
  readonly is:
    | { readonly row: string }
    /** keepalived's files, and the check that names what is wrong with them. */
    | { readonly files: Readonly<Record<string, string>>; readonly what: string; readonly check: string }
    /** Looks wrong, and is not. */
    | { readonly right: 'an EIP tagged with the label of the ENIs for EIPs' };
  /** Named by the doctor then. */
  readonly before: boolean;
  /** The fault's name among the seeds of the local AWS. */
  readonly seed?: string;
  /** Why the emulators do not show it. */
  readonly blind?: string;
}

const now = (row: string, seed?: string): Omit<Listed, 'id'> => ({
  ...{ is: { row }, before: false },
  ...(seed === undefined ? {} : { seed }),
});
const then = (row: string, seed?: string): Omit<Listed, 'id'> => ({ ...now(row, seed), before: true });
const files = (what: string, check: string, a: string, b?: string): Omit<Listed, 'id'> => ({
  is: { what, check, files: { 'a.conf': a, ...(b === undefined ? {} : { 'b.conf': b }) } },
  before: false,
});

const all: readonly Omit<Listed, 'id'>[] = [
  // Tags.
  now('a table tagged with a blank at the end'),
  now('a table tagged in the wrong case'),
  then('a table with the key in the wrong case', 'a table whose tag has a mistyped key'),
  then('a service ENI tagged with a blank'),
  now('an EIP ENI tagged in capitals', 'an ENI for EIPs tagged web:EIP'),
  then('an EIP tagged in the wrong case', 'an EIP tagged Web'),
  { is: { right: 'an EIP tagged with the label of the ENIs for EIPs' }, before: true },
  // Routes.
  then('a labelled table that serves no subnet'),
  then('a subnet moved to an untagged table', 'a subnet’s table without label'),
  then('a subnet that falls back to the main table', 'the main table serving clients, unlabelled'),
  now('one table that points to the standby', 'one table that points to the standby'),
  then('a missing route', 'a missing route'),
  then('a route to a stranger’s ENI', 'a route to a foreign target'),
  {
    ...then('a route to an ENI that is gone: a blackhole'),
    blind: 'moto does not say blackhole of a route whose target is gone',
  },
  then('a broader route over a peering', 'a peering with a route, which does not carry the VIP'),
  now('the VIP over a transit gateway in a table that is left out'),
  now('the VIP to a member in a table that is left out', 'a left-out table that routes the VIP'),
  now('a route of a former address to a member', 'a route of a former address'),
  then('a labelled table in another VPC'),
  then('a labelled gateway table', 'a labelled gateway table'),
  now('the default route of the standby’s subnet gone', 'a standby whose subnet has no way out'),
  // Network ACLs.
  then('a network ACL that denies 112 in'),
  then('a network ACL that denies 112 out'),
  then('a network ACL of TCP alone'),
  // Security groups.
  then('no VRRP rule', 'a security group without protocol 112'),
  then('VRRP by an IPv6 rule only'),
  then('VRRP from one node only'),
  now('groups whose egress lacks protocol 112', 'a security group that lets VRRP in, not out'),
  now('a service port that is open for IPv4 only'),
  then('a service port that is open for another port only', 'a security group without the service’s port'),
  // Nodes and their ENIs.
  then('source/destination check on', 'source/dest check on at a service ENI'),
  now('a standby that is stopped', 'a standby that is stopped'),
  then('a labelled ENI that is attached to nothing', 'a labelled ENI that is attached to nothing'),
  then('an instance in a third VPC'),
  then('two labelled ENIs on a node', 'two labelled ENIs on one node'),
  then('a service ENI without a tag', 'a node’s ENI without label'),
  now('the EIP ENI of the standby without a tag'),
  then('both nodes in one zone', 'both nodes in one zone'),
  // Elastic IPs.
  now('an EIP on a NAT gateway'),
  then('an EIP on the primary ENI', 'an EIP on the primary ENI'),
  now('an EIP that is associated with nothing', 'an EIP that is associated with nothing'),
  now('an EIP at the standby', 'an EIP at the standby'),
  now('an EIP that is gone'),
  now('a foreign EIP on the standby’s only address', 'a standby without room for a second VIP’s EIP'),
  then('an EIP without a tag'),
  // The service.
  then('the rule of claims disabled'),
  now('the rule of notices disabled', 'the rule of notices disabled'),
  now('the hints of instances disabled'),
  now('a rule of claims that matches something else'),
  now('the schedule of reconcile disabled', 'the schedule of reconcile disabled'),
  {
    ...now('failover with a reserved concurrency of 0'),
    blind: 'MiniStack runs a function whatever its reserved concurrency is; that it is 0 is shown',
  },
  now('reconcile with a reserved concurrency of 0', 'reconcile with a reserved concurrency of 0'),
  {
    ...then('the bus without its policy', 'a bus policy without the Deny'),
    blind: 'MiniStack forgets a bus’s policy; the seed is in a front before it',
  },
  now('the record without TTL', 'a record that does not run out'),
  now('deletion protection off'),
  now('point-in-time recovery off'),
  now('a dead-letter queue that is not empty'),
  now('the notices without a subscriber'),
  // Identities.
  then('a role that may not PutEvents', 'a node role that cannot PutEvents'),
  now('a role that may do anything'),
  then('a role with an explicit Deny', 'a role with an explicit Deny, which no attachment repairs'),
  then('a trust policy that is open to the account', 'a trust policy that is open to others'),
  now('a role that was made again', 'a role that was made again'),
  // Addresses and prefix lists.
  then(
    'a prefix list with an entry inside the CIDR',
    'a prefix list of the VIP that has come to reach into the CIDR',
  ),
  { ...then('a prefix list that is deleted'), blind: 'moto gives the entries of a list that is deleted' },
  now('an address inside the VPC’s CIDR'),
  then('a secondary CIDR over the VIP', 'a VIP inside a secondary CIDR that came later'),
  // keepalived's files.
  { ...files('equal priorities', 'keepalived-priorities', conf(), other({ priority: 254 })), before: true },
  files('another virtual_router_id', 'keepalived-two-masters', conf(), other({ routerId: 52 })),
  files('a peer that no node has', 'keepalived-two-masters', conf({ peers: '10.0.9.9' }), other()),
  files('another advert interval', 'keepalived-advert', conf(), other({ advert: '0.5' })),
  {
    ...files('no FIFO', 'keepalived-notify', conf().replace(/ {4}vrrp_notify_fifo.*\n/, '')),
    before: true,
  },
  files('vrrp_strict', 'keepalived-strict', conf({ globals: 'router_id a\n    vrrp_strict' })),
  files(
    'state MASTER on both',
    'keepalived-state',
    conf().replace(/state BACKUP\n {4}nopreempt/, 'state MASTER'),
    other().replace(/state BACKUP\n {4}nopreempt/, 'state MASTER'),
  ),
  files('an empty file', 'keepalived-instance', ''),
  files('a file of something else', 'keepalived-instance', '127.0.0.1 localhost\n10.0.1.10 a\n'),
];

export const listed: readonly Listed[] = all.map((one, n) => ({ id: n + 1, ...one }));
