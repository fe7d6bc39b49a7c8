// What the doctor knows of a VIP's network, as looked up; its judgements are in doctor-*.ts.
import type { Mislabelled, Survey } from '../network/labels.ts';
import type { Observation } from '../network/observation.ts';
import type { VpcSeen } from '../registry/validate.ts';
import type { Vip } from '../vip/vip.ts';

/** Any ENI of a node or with a label, with what decides about packets. */
export interface EniFact {
  readonly eni: string;
  readonly node?: string;
  readonly primary: boolean;
  readonly label?: string;
  readonly sourceDestCheck: boolean;
  readonly subnet: string;
  readonly address: string;
  readonly groups: readonly string[];
}

export interface TableFact {
  readonly table: string;
  readonly main: boolean;
  /** The tag's value; undefined when it has none. */
  readonly label?: string;
  /** Explicitly associated subnets; for the main table also those that use it for want of another. */
  readonly subnets: readonly string[];
  readonly implicitSubnets: readonly string[];
  /** Routes to CIDRs that leave the VPC. */
  readonly outward: readonly { readonly destination: string; readonly target: string }[];
}

/** One entry of a security group or network ACL, as far as it decides about VRRP and a port. */
export interface FilterRule {
  /** `-1` for all, else the protocol's number. */
  readonly protocol: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  /** Those of prefix lists, too. */
  readonly cidrs: readonly string[];
  /** Ids of security groups whose members are meant. */
  readonly groups: readonly string[];
}
export interface GroupFact {
  readonly group: string;
  /** Answers go out whatever the egress rules say: groups keep state. */
  readonly ingress: readonly FilterRule[];
}
export interface AclRule extends FilterRule {
  readonly number: number;
  readonly allow: boolean;
  readonly egress: boolean;
}
export interface AclFact {
  readonly acl: string;
  readonly subnets: readonly string[];
  readonly rules: readonly AclRule[];
}

export interface EipFact {
  readonly eip: string;
  /** Undefined when there is no such EIP. */
  readonly found?: { readonly label?: string; readonly eni?: string };
}

/** The ranges of each list; undefined where there is no such list. */
export type PrefixLists = ReadonlyMap<string, readonly string[] | undefined>;

export interface NetworkFacts {
  readonly vip: Vip;
  /** The tag key. */
  readonly tag: string;
  /** The account that asks. */
  readonly caller?: string;
  readonly vpc: VpcSeen;
  readonly seen: Observation;
  /** All other VIPs that are registered: what they use is not to be taken away. */
  readonly others?: readonly Vip[];
  /** Looked up once for all VIPs. */
  readonly survey?: Survey;
  readonly mislabelled?: readonly Mislabelled[];
  readonly enis: readonly EniFact[];
  readonly tables: readonly TableFact[];
  readonly groups: readonly GroupFact[];
  readonly acls: readonly AclFact[];
  readonly eips: readonly EipFact[];
  /** Those that are addresses of the VIP. */
  readonly prefixLists: PrefixLists;
  readonly transitGateways: readonly string[];
  readonly peerings: readonly string[];
}

/** The command that tags a thing. Words in capitals are the operator's to fill in; what follows `#` is a remark. */
export const tagCommand = (what: string, tag: string, label: string): string =>
  `aws ec2 create-tags --resources ${what} --tags Key=${tag},Value=${label}`;
/** A command of our own, for the stage that was asked about. */
export const ownCommand = (words: string, tag: string): string =>
  `vipshift ${words} --stage ${tag.slice(tag.indexOf(':') + 1)}`;
export const untagCommand = (what: string, tag: string): string =>
  `aws ec2 delete-tags --resources ${what} --tags Key=${tag}`;
