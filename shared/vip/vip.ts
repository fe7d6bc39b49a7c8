// The item of one VIP: what the registry says of it, and everything that claims, election and lease keep about it.
//
// Invariant: every change raises `rev`; `epoch` only rises; the item is never deleted (a removed VIP is a tombstone).
import { type DurationMs, type EpochMs, hours, iso } from '../time.ts';
import { bootDiffers, ORDER_DOUBT, othersEndBy, UNDER_WAY_MAX } from './boot-clock.ts';
import { recentTransition, type Transitions, withoutOrderedTransitions, withTransition } from './flapping.ts';
import type { Lease, Open } from './lease.ts';
import { prunedHeard, withReport } from './liveness.ts';
import type { Members } from './member.ts';
import { boundStays, merge, type NodeState, sameTransition, waysStay } from './node-state.ts';

export const withForced = (vip: Vip, forced: Forced): Vip => ({ ...vip, forced });
/** What the order has made its nodes do was no flapping, and does not count later on either. */
export function withoutForced(vip: Vip): Vip {
  if (vip.forced === undefined) return vip;
  const { forced: _forced, ...rest } = withoutOrderedTransitions(vip);
  return rest;
}
export const withPin = (vip: Vip, pin: Pin): Vip => ({ ...vip, pin });
/** The emergency stop: it also cancels a forced failover that is under way. */
export const withFreeze = (vip: Vip, freeze: Override): Vip => ({ ...withoutForced(vip), freeze });
export function withoutPin(vip: Vip): Vip {
  const { pin: _pin, ...rest } = vip;
  return rest;
}
export function withoutFreeze(vip: Vip): Vip {
  const { freeze: _freeze, ...rest } = vip;
  return rest;
}

/** No drain lasts longer: who needs more takes the node out of the VIP. */
export const DRAIN_MAX: DurationMs = hours(72);

export const withDrain = (vip: Vip, node: string, drain: Drain): Vip => ({
  ...vip,
  drains: { ...vip.drains, [node]: drain },
});
/** The same object where nothing is taken out. */
export const withoutDrain = (vip: Vip, node: string): Vip => withDrainsOf(vip, (other) => other !== node);
/** Without those that have run out; the same object when there are none. */
export const withoutEndedDrains = (vip: Vip, now: EpochMs): Vip =>
  withDrainsOf(vip, (node) => drainOf(vip, node, now) !== undefined);

function withDrainsOf(vip: Vip, stays: (node: string) => boolean): Vip {
  const { drains = {}, ...rest } = vip;
  const left = Object.entries(drains).filter(([node]) => stays(node));
  if (left.length === Object.keys(drains).length) return vip;
  return left.length === 0 ? rest : { ...rest, drains: Object.fromEntries(left) };
}

/** Undefined when the node is not drained. */
export function drainOf({ drains }: Pick<Vip, 'drains'>, node: string, now: EpochMs): Drain | undefined {
  const drain = drains?.[node];
  return drain !== undefined && now < drain.untilMs ? drain : undefined;
}

/** Why the node is about to go, by its newest claim; undefined while it stays. */
export const leavingOf = ({ claims }: Pick<Vip, 'claims'>, node: string): string | undefined =>
  claims[node]?.leaving;

/** The owner is about to go, and the VIP stays with it. `not-taken`: its keepalived gave it away, and no other one took it. */
export interface Stranded {
  readonly key: 'frozen' | 'last' | 'not-taken';
  readonly node: string;
  /** Why it goes. */
  readonly cause: string;
}

export interface StrandedTold {
  readonly cause: string;
  /** The caller. */
  readonly by: string;
  readonly key: Stranded['key'];
}

export type Outgoing = { readonly key: 'drained' } | { readonly key: 'leaving'; readonly cause: string };

/** Why the node is no target while another one is eligible; undefined where it is one. */
export function outgoingOf(vip: Vip, node: string, now: EpochMs): Outgoing | undefined {
  if (drainOf(vip, node, now) !== undefined) return { key: 'drained' };
  const cause = leavingOf(vip, node);
  return cause === undefined ? undefined : { key: 'leaving', cause };
}

/** The VIP as if those nodes were no members. */
export function withoutOutgoingMembers(vip: Vip, now: EpochMs): Vip {
  const members = Object.entries(vip.members).filter(([node]) => outgoingOf(vip, node, now) === undefined);
  return { ...vip, members: Object.fromEntries(members) };
}

export const drainText = (node: string, { untilMs, by, reason }: Override): string =>
  `${node} is drained until ${iso(untilMs)} by ${by}: ${reason}`;

export interface FailedSwitch {
  /** The node to which the VIP should have gone. */
  readonly node: string;
  /** How often in a row. */
  readonly times: number;
  readonly atMs: EpochMs;
}

/** `both`: the address lies on `lo` of every node. `master`: keepalived adds and removes it. */
export type Hold = 'both' | 'master';

/** What has to be known of a VIP to look for its things in EC2. */
export interface Scope {
  readonly name: string;
  /** Values of the tag `vipshift:<stage>` on route tables; those of the first are moved first. */
  readonly tableLabels: readonly string[];
  /** Values of the same tag on ENIs. */
  readonly nodeLabels: readonly string[];
}

/** The simple case: the VIP's name is the label of everything. Holds for most VIPs before their item was read. */
export const defaultScope = (name: string): Scope => ({ name, tableLabels: [name], nodeLabels: [name] });

export const sameScope = (a: Scope, b: Scope): boolean =>
  a.name === b.name &&
  a.tableLabels.join('\n') === b.tableLabels.join('\n') &&
  a.nodeLabels.join('\n') === b.nodeLabels.join('\n');

/** What an operator registers. */
export interface RegistryEntry extends Scope {
  /** Destinations of the routes, as EC2 spells them: `192.168.255.10/32`, `fd77::10/128`, or a managed prefix list `pl-…`. */
  readonly addresses: readonly string[];
  /** Allocation ids of the Elastic IPs that move along. */
  readonly eips: readonly string[];
  readonly vpc: string;
  /** The account that owns VPC, tables and ENIs. */
  readonly account: string;
  readonly hold: Hold;
  /** `first`: before VIPs without it when EC2's request budget is short, as when a whole zone fails. */
  readonly priority?: 'first';
}

/** An operator's order that runs out by itself. */
export interface Override {
  readonly untilMs: EpochMs;
  readonly by: string;
  readonly reason: string;
}
export interface Pin extends Override {
  readonly node: string;
}
/** A node that is to be empty: an operator has ordered it, or AWS has warned of its end. */
export interface Drain extends Override {
  /** The execution of the workflow `departure` that drained it; absent where an operator did. */
  readonly departure?: string;
  /** Of scheduled maintenance: its date, by which AWS's lists know it. */
  readonly startsAtMs?: EpochMs;
}
/** An operator has ended a departure's drain before the maintenance was over. */
export interface Declined {
  /** Which maintenance: its date. */
  readonly startsAtMs: EpochMs;
  /** When the node is drained for it again; absent where the operator's word holds to the end. */
  readonly againMs?: EpochMs;
  /** The end of the drain that was ended. */
  readonly untilMs: EpochMs;
}
/** A forced failover that is under way: written before anybody is demoted, taken out when its workflow ends. */
export interface Forced extends Override {
  /** The workflow's execution. */
  readonly execution: string;
  /** The node that it goes to. */
  readonly node: string;
  /** The owner that it leaves: the node that is demoted. */
  readonly from?: string;
  readonly atMs: EpochMs;
}

/** How a failover ended, as an event that is still to be sent. */
export interface Announcement {
  readonly as: 'finished' | 'failed';
  /** The event's detail, JSON. */
  readonly detail: string;
}

export interface Vip extends RegistryEntry {
  readonly schema: number;
  readonly rev: number;
  readonly epoch: number;
  /** Undefined until a first failover has committed. */
  readonly owner?: string;
  /** ENIs that our own mutations pointed routes and EIPs to, up to the last good commit. */
  readonly wrote: readonly string[];
  readonly lease?: Lease;
  /** Epochs begun and not closed in the record, by holder. */
  readonly open: Readonly<Record<string, Open>>;
  /** No observation that began within STALE_READ of this is trusted. */
  readonly touchedAtMs: EpochMs;
  readonly members: Members;
  readonly claims: Readonly<Record<string, NodeState>>;
  /** Evidence windows in which a member reported by the bus (liveness.ts). */
  readonly heard: readonly number[];
  /** The same by the function URL; absent where no one has. */
  readonly heardDirectly?: readonly number[];
  /** Recent transitions by node (flapping.ts); absent in items of older versions, and where every node is calm. */
  readonly transitions?: Transitions;
  readonly pin?: Pin;
  readonly freeze?: Override;
  /**
   * Nodes that are to be empty, until they are stopped, rebooted or replaced: the election passes them over while another
   * member can have the VIP. It ends by itself; those that have ended may still be there.
   */
  readonly drains?: Readonly<Record<string, Drain>>;
  /** Nodes that AWS's event recommends to rebalance: in which boot, until they say it themselves or boot again. */
  readonly atRisk?: Readonly<Record<string, { readonly atMs: EpochMs; readonly bootId?: string }>>;
  /** Nodes that are not drained for their maintenance, by an operator's word. */
  readonly declined?: Readonly<Record<string, Declined>>;
  /** Nodes of which people have been told that they are about to go with the VIP: why, and which caller told it. */
  readonly strandedTold?: Readonly<Record<string, StrandedTold>>;
  readonly forced?: Forced;
  /** The last switch, when it could not be carried out (retry-backoff.ts). */
  readonly tried?: FailedSwitch;
  /** Since when reconcile has waited for the first word of these members (unheard.ts); gone once one has spoken. */
  readonly awaitedSinceMs?: EpochMs;
  /** How many tables reconcile found: what a failover will ask of EC2's request budget. */
  readonly tablesSeen?: number;
  /** What a failover by break-glass leaves for reconcile to announce. */
  readonly unannounced?: Announcement;
  /** When the VIP was taken out of the registry; its epoch survives. */
  readonly removedAtMs?: EpochMs;
}

export const SCHEMA = 1;

export const newVip = (entry: RegistryEntry): Vip => ({
  ...entry,
  schema: SCHEMA,
  rev: 1,
  epoch: 0,
  wrote: [],
  open: {},
  touchedAtMs: 0 as EpochMs,
  members: {},
  claims: {},
  heard: [],
});

/** The VIP after a member's claim was heard; the same object when the claim says nothing new. `told` is what that claim alone gives. */
export function withClaim(vip: Vip, node: string, told: NodeState, window: number): Vip {
  const known = vip.claims[node];
  const merged = merge(known, told);
  const heard = prunedHeard(withReport(vip, window, told));
  const stored = vip.transitions ?? {};
  // An assertion of what is known adds nothing: what an order has taken out (withoutForced) stays out.
  const isTold = known !== undefined && sameTransition(known, told);
  const transitions = withTransition(stored, node, isTold ? undefined : recentTransition(told));
  const isKnown = known !== undefined && sameWords(known, merged);
  const isHeard = heard.heard === vip.heard && heard.heardDirectly === vip.heardDirectly;
  if (isKnown && isHeard && transitions === stored) return vip;
  return {
    ...vip,
    claims: { ...vip.claims, [node]: merged },
    ...heard,
    ...(transitions === stored ? {} : { transitions }),
  };
}

const sameWords = (a: NodeState, b: NodeState): boolean =>
  (Object.keys({ ...a, ...b }) as (keyof NodeState)[]).every((field) => a[field] === b[field]);

/** A first report, or one of a newer transition that contradicts nothing: recording it simply replaces what is there. */
export function isNews(known: NodeState | undefined, told: NodeState): boolean {
  if (known === undefined) return true;
  if (bootDiffers(known, told)) return known.stampMs < told.stampMs && known.stampMs <= othersEndBy(told);
  return known.since < told.since && sentBefore(known, told);
}

/** Whether merging `told` into `known` only overwrites: such a claim can be recorded without a read. */
export const onlyRefreshes = (known: NodeState, told: NodeState): boolean =>
  sameTransition(known, told) &&
  known.seq < told.seq &&
  known.slot <= told.slot &&
  known.seenMs <= told.seenMs &&
  sentBefore(known, told) &&
  waysStay(known, told) &&
  boundStays(known, told);

/** By clocks that agree: what a condition on single attributes can say of it (boot-clock.ts). */
function sentBefore(known: NodeState, told: NodeState): boolean {
  // Two requests at once may be stamped the wrong way round.
  const stamped = known.stampMs <= told.stampMs || known.bootAtMs <= told.bootAtMs + ORDER_DOUBT;
  const together = known.upMs === told.upMs && known.stampMs === told.stampMs;
  const before = (known.upMs < told.upMs && stamped) || together;
  return before && known.bootAtMs <= told.bootAtMs + UNDER_WAY_MAX;
}

/** The item as it is when the next epoch begins under `lease`. */
export function withLease(vip: Vip, lease: Omit<Lease, 'epoch'>): Vip {
  const epoch = vip.epoch + 1;
  const open = { ...vip.open, [lease.holder]: { epoch, cause: lease.cause } };
  return { ...vip, epoch, lease: { ...lease, epoch }, open };
}
