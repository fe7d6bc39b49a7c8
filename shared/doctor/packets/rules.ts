// Rules of security groups and network ACLs: whom and what one speaks of.

import { awsCommand } from '../../place.ts';
import { isPublic, overlaps, rangeFrom } from '../../registry/ip-range.ts';
import type { AclFact, AclRule, EniFact, FilterRule, NetworkFacts } from '../facts.ts';

export interface ServicePort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

/** IP protocol numbers, as rules have them. */
export const VRRP = '112';
export const numberOf = { tcp: '6', udp: '17' } as const;

/** A packet's far end: an address, or anywhere on the Internet, over one family. */
export type Far = string | { readonly internet: 4 | 6 };

/** What a rule has to speak of. Without a port, the protocol has none. */
export interface Traffic {
  readonly protocol: string;
  readonly port?: number;
}

export const covers = (rule: FilterRule, far: Far): boolean =>
  rule.cidrs.some((cidr) => {
    const range = rangeFrom(cidr);
    if (range === undefined) return false;
    if (typeof far !== 'string')
      return range.family === far.internet && (range.prefix === 0 || isPublic(range));
    const one = rangeFrom(far);
    return one !== undefined && overlaps(range, one);
  });

export const speaks = (rule: FilterRule, { protocol, port }: Traffic): boolean =>
  rule.protocol === '-1' ||
  (rule.protocol === protocol &&
    (port === undefined || ((rule.fromPort ?? 0) <= port && port <= (rule.toPort ?? 65_535))));

/** The first rule that matches; without one it is dropped. A deny of some of the Internet is none of all of it. */
export const deciding = (acl: AclFact, egress: boolean, traffic: Traffic, far: Far): AclRule | undefined =>
  acl.rules
    .filter((r) => r.egress === egress && speaks(r, traffic) && covers(r, far) && !isPartial(r, far))
    .sort((a, b) => a.number - b.number)[0];

const isPartial = (rule: AclRule, far: Far): boolean =>
  typeof far !== 'string' && !rule.allow && !rule.cidrs.some((cidr) => rangeFrom(cidr)?.prefix === 0);

export const aclOf = ({ acls }: NetworkFacts, subnet: string): AclFact | undefined =>
  acls.find((acl) => acl.subnets.includes(subnet));

export interface Direction {
  readonly egress: boolean;
  readonly traffic: Traffic;
  readonly far: Far;
}

/** Of a rule that lets something through where nothing forbids it: below the numbers that people give. */
const NUMBER = 50;

/** Those that are taken in an ACL, by its rules and by commands that were made before. */
export type RuleNumbers = (acl: AclFact, egress: boolean) => Set<number>;

export function ruleNumbers(): RuleNumbers {
  const known = new Map<string, Set<number>>();
  return (acl, egress) => {
    const key = `${acl.acl} ${egress}`;
    const taken =
      known.get(key) ?? new Set(acl.rules.filter((r) => r.egress === egress).map((r) => r.number));
    known.set(key, taken);
    return taken;
  };
}

/** Before the rule that drops it, under a free number; where there is none before it, that rule has to go. */
export function letThrough(
  { vpc, place }: NetworkFacts,
  acl: AclFact,
  { egress, traffic, far }: Direction,
  numbers: RuleNumbers = ruleNumbers(),
): string {
  const way = egress ? '--egress' : '--ingress';
  const taken = numbers(acl, egress);
  const denies = deciding(acl, egress, traffic, far)?.number ?? Number.POSITIVE_INFINITY;
  let number = Math.min(NUMBER, denies - 1);
  while (number > 0 && taken.has(number)) number--;
  taken.add(number);
  const entry = `--network-acl-id ${acl.acl} ${way}`;
  if (number === 0) return awsCommand(`ec2 delete-network-acl-entry ${entry} --rule-number ${denies}`, place);
  const { protocol, port } = traffic;
  const ports =
    port === undefined
      ? ''
      : port >= EPHEMERAL_FROM
        ? ` --port-range From=1024,To=65535`
        : ` --port-range From=${port},To=${port}`;
  return awsCommand(
    `ec2 create-network-acl-entry ${entry} --rule-number ${number} --protocol ${protocol}${ports} --rule-action allow ${rangeOption(far, vpc.cidrs)}`,
    place,
  );
}

function rangeOption(far: Far, cidrs: readonly string[]): string {
  if (typeof far !== 'string')
    return far.internet === 4 ? '--cidr-block 0.0.0.0/0' : '--ipv6-cidr-block ::/0';
  const own = cidrs.find((cidr) => covers({ protocol: '-1', cidrs: [cidr], groups: [] }, far));
  const six = far.includes(':');
  const range = own ?? (far.includes('/') ? far : `${far}/${six ? 128 : 32}`);
  return six ? `--ipv6-cidr-block ${range}` : `--cidr-block ${range}`;
}

/** From where a client's ports are in every operating system's range; two of them stand for all. */
export const EPHEMERAL_FROM = 49_152;
export const replyPorts = [EPHEMERAL_FROM, 60_999] as const;

/** Undefined where a group of it is not known: then nothing is said of it. */
export function rulesOf(
  { groups }: NetworkFacts,
  eni: EniFact,
  way: 'ingress' | 'egress',
): readonly FilterRule[] | undefined {
  const own = eni.groups.map((id) => groups.find((g) => g.group === id));
  return own.some((g) => g === undefined) ? undefined : own.flatMap((g) => g![way]);
}

/** Subnets whose tables have the VIP's label, with their ranges. */
export function clientSubnets({ vip, tables, subnets }: NetworkFacts) {
  const labelled = tables.filter((t) => vip.tableLabels.includes(t.label ?? ''));
  return [...new Set(labelled.flatMap((t) => [...t.subnets, ...t.implicitSubnets]))].flatMap((subnet) => {
    const cidrs = subnets?.get(subnet);
    return cidrs === undefined ? [] : [{ subnet, cidrs }];
  });
}
