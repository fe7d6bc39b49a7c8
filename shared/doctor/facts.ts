// What the doctor knows of a VIP's network, as looked up; its judgements are in doctor-*.ts.
import type { Mislabelled, Survey } from '../network/labels.ts';
import { type HostStates, membersSeen, type Observation } from '../network/observation.ts';
import { awsCommand, type Place } from '../place.ts';
import type { VpcSeen } from '../registry/validate.ts';
import { enisOf } from '../vip/member.ts';
import type { Vip } from '../vip/vip.ts';
import type { Policy } from './service/iam-policy.ts';

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
  /** EC2's names: `in-use` and `attached`, where all is well. */
  readonly status?: string;
  readonly attachment?: string;
  readonly zone?: string;
  /** Whether the first address has a public one. */
  readonly hasPublic?: boolean;
  readonly ipv6?: readonly string[];
  /** Who made it, where that was a service of AWS: a NAT gateway, a VPC endpoint, … */
  readonly kind?: string;
  readonly nearKey?: TagSeen;
}

/** A tag whose key is nearly ours. */
export interface TagSeen {
  readonly key: string;
  readonly value: string;
}

export interface RouteFact {
  readonly destination: string;
  readonly target: string;
  /** EC2's name: `active`, `blackhole`. */
  readonly state: string;
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
  readonly outward: readonly RouteFact[];
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
  /** Groups keep state: answers pass whatever the rules of the other direction say. */
  readonly ingress: readonly FilterRule[];
  readonly egress: readonly FilterRule[];
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
  readonly found?: {
    readonly label?: string;
    readonly eni?: string;
    /** The Region, or the local zone or outpost that it can be used in. */
    readonly borderGroup?: string;
    readonly nearKey?: TagSeen;
  };
}

/** An interface endpoint of a service that a node's shim talks to. */
export interface EndpointFact {
  readonly endpoint: string;
  readonly service: 'events' | 'sts';
  /** Undefined where it has AWS's own, which lets everything through. */
  readonly policy?: Policy;
  /** EC2's name: `available`, `pendingAcceptance`, … */
  readonly state: string;
  /** Whether the service's public name leads to it. */
  readonly privateDns: boolean;
  readonly groups: readonly string[];
  readonly enis: readonly string[];
}

/** How packets leave the VPC. */
export interface WayFacts {
  readonly region: string;
  readonly endpoints: readonly EndpointFact[];
  readonly nats: readonly {
    readonly nat: string;
    readonly state: string;
    readonly subnet: string;
    readonly isPublic: boolean;
  }[];
  /** The VPC's two attributes, both of which private DNS needs. */
  readonly dns: boolean;
  /** The one of them without which the VPC's own resolver does not answer. */
  readonly dnsSupport: boolean;
}

/** A route to a single address that no VIP has. */
export interface StrayRoute {
  readonly table: string;
  readonly vpc: string;
  readonly account: string;
  readonly address: string;
  readonly target: string;
}

/** A thing with the tag that is no table, ENI, EIP or instance: nothing reads it there. */
export interface TaggedThing {
  readonly id: string;
  /** EC2's name of the kind: `subnet`, `vpc`, … */
  readonly kind: string;
  readonly value: string;
}

/** The ranges of each list; undefined where there is no such list. */
export type PrefixLists = ReadonlyMap<string, readonly string[] | undefined>;

export interface NetworkFacts {
  readonly vip: Vip;
  /** The tag key. */
  readonly tag: string;
  /** The deployment that was asked about: commands that are printed name it. */
  readonly place: Place;
  /** The account that asks. */
  readonly caller?: string;
  readonly vpc: VpcSeen;
  readonly seen: Observation;
  /** All other VIPs that are registered: what they use is not to be taken away. */
  readonly others?: readonly Vip[];
  /** Instances that EC2 shows; undefined where they could not be looked up. */
  readonly hosts?: HostStates;
  readonly way?: WayFacts;
  /** The CIDRs of each subnet of the VPC. */
  readonly subnets?: ReadonlyMap<string, readonly string[]>;
  /** The network border group of each zone. */
  readonly borderGroups?: ReadonlyMap<string, string>;
  /** Looked up once for all VIPs. */
  readonly survey?: Survey;
  readonly mislabelled?: readonly Mislabelled[];
  readonly strayRoutes?: readonly StrayRoute[];
  readonly enis: readonly EniFact[];
  readonly tables: readonly TableFact[];
  readonly groups: readonly GroupFact[];
  readonly acls: readonly AclFact[];
  readonly eips: readonly EipFact[];
  /** Those that are addresses of the VIP. */
  readonly prefixLists: PrefixLists;
}

/** A failover was under way when EC2 was asked: what differs from the owner then is no drift. */
export const isMoving = ({ vip, seen }: NetworkFacts): boolean =>
  vip.lease !== undefined && vip.lease.expiresAtMs > seen.endedAtMs;

/** ENIs from which the next failover may take routes and EIPs, as its plan will see them: a tag that is gone counts. */
export const ownEnis = ({ vip, seen }: NetworkFacts): ReadonlySet<string> =>
  new Set([...enisOf({ ...vip.members, ...membersSeen(vip, seen, vip.members) }), ...vip.wrote]);

/** Where a tag is read and written. */
export type Tagging = Pick<NetworkFacts, 'tag' | 'place'>;

/** The command that tags a thing. Words in capitals are the operator's to fill in; what follows `#` is a remark. */
export const tagCommand = (what: string, label: string, { tag, place }: Tagging): string =>
  awsCommand(`ec2 create-tags --resources ${what} --tags Key=${tag},Value=${label}`, place);
export const untagCommand = (what: string, { tag, place }: Tagging): string =>
  awsCommand(`ec2 delete-tags --resources ${what} --tags Key=${tag}`, place);
