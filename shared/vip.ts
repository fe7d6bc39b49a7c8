// The item of one VIP: what the ledger says of it, and everything that claims, election and lease keep about it.
//
// Invariant: every change raises `rev`; `epoch` only rises; the item is never deleted (a removed VIP is a tombstone).
import { bootDiffers, othersEndBy, UNDER_WAY_MAX } from './boot-clock.ts';
import { boundStays, merge, type Stint, sameStint } from './claim.ts';
import { isLive, type Lease, type Open } from './lease.ts';
import type { Members } from './member.ts';
import type { Observation } from './observation.ts';
import { pruned, withHeard } from './silent.ts';
import type { EpochMs } from './time.ts';
import type { Tried } from './tried.ts';

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
export interface LedgerEntry extends Scope {
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
export interface Order {
  readonly untilMs: EpochMs;
  readonly by: string;
  readonly reason: string;
}
export interface Pin extends Order {
  readonly node: string;
}
/** A forced failover that is under way: written before anybody is demoted, taken out when its workflow ends. */
export interface Forced extends Order {
  /** The workflow's execution. */
  readonly execution: string;
  /** The node that it goes to. */
  readonly node: string;
  /** The owner that it leaves: whoever is demoted. */
  readonly from?: string;
  readonly atMs: EpochMs;
}

export interface Vip extends LedgerEntry {
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
  readonly claims: Readonly<Record<string, Stint>>;
  /** Evidence slots in which a member was heard (silent.ts). */
  readonly heard: readonly number[];
  readonly pin?: Pin;
  readonly freeze?: Order;
  readonly forced?: Forced;
  /** The last switch, when it could not be carried out (tried.ts). */
  readonly tried?: Tried;
  /** Since when reconcile has waited for the first word of these members (unheard.ts); gone once one has spoken. */
  readonly awaitedSinceMs?: EpochMs;
  /** How many tables reconcile found: what a failover will ask of EC2's request budget. */
  readonly tablesSeen?: number;
  /** When the VIP was taken out of the ledger; its epoch survives. */
  readonly removedAtMs?: EpochMs;
}

export const SCHEMA = 1;

export const newVip = (entry: LedgerEntry): Vip => ({
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

/** The VIP after a member's claim was heard; the same object when the claim says nothing new. */
export function withClaim(vip: Vip, node: string, told: Stint, slot: number): Vip {
  const known = vip.claims[node];
  const merged = merge(known, told);
  const heard = pruned(withHeard(vip.heard, slot));
  if (known !== undefined && sameWords(known, merged) && heard === vip.heard) return vip;
  return { ...vip, claims: { ...vip.claims, [node]: merged }, heard };
}

const sameWords = (a: Stint, b: Stint): boolean =>
  (Object.keys(b) as (keyof Stint)[]).every((field) => a[field] === b[field]);

/** A first word, or one of a newer stint that contradicts nothing: recording it simply replaces what is there. */
export function isNews(known: Stint | undefined, told: Stint): boolean {
  if (known === undefined) return true;
  if (bootDiffers(known, told)) return known.stampMs < told.stampMs && known.stampMs <= othersEndBy(told);
  return known.since < told.since && sentBefore(known, told);
}

/** Whether merging `told` into `known` only overwrites: such a claim can be recorded without a read. */
export const onlyRefreshes = (known: Stint, told: Stint): boolean =>
  sameStint(known, told) &&
  known.seq < told.seq &&
  known.slot <= told.slot &&
  known.seenMs <= told.seenMs &&
  sentBefore(known, told) &&
  boundStays(known, told);

/** By both clocks, and so that they agree: what a condition on single attributes can say of it (boot-clock.ts). */
const sentBefore = (known: Stint, told: Stint): boolean =>
  ((known.upMs < told.upMs && known.stampMs <= told.stampMs) ||
    (known.upMs === told.upMs && known.stampMs === told.stampMs)) &&
  known.bootAtMs <= told.bootAtMs + UNDER_WAY_MAX;

/** The item after `telling`, or undefined when its conditions do not hold: the contract that every store keeps. */
export function afterTelling(vip: Vip, telling: Telling, now: EpochMs): Vip | undefined {
  const { node, stint, slot, lease } = telling;
  const known = vip.claims[node];
  if (vip.removedAtMs !== undefined || vip.members[node] === undefined) return undefined;
  if (telling.as === 'news' ? !isNews(known, stint) : known === undefined || !onlyRefreshes(known, stint)) {
    return undefined;
  }
  const heard = withHeard(vip.heard, slot);
  const recorded = {
    ...vip,
    rev: vip.rev + 1,
    claims: { ...vip.claims, [node]: merge(known, stint) },
    heard,
  };
  if (lease === undefined) return recorded;
  if (isLive(vip.lease, now)) return undefined;
  return withLease(recorded, lease);
}

/** The item as it is when the next epoch begins under `lease`. */
export function withLease(vip: Vip, lease: Omit<Lease, 'epoch'>): Vip {
  const epoch = vip.epoch + 1;
  const open = { ...vip.open, [lease.holder]: { epoch, cause: lease.cause } };
  return { ...vip, epoch, lease: { ...lease, epoch }, open };
}

/** What a claim asks of the store in one conditional write. */
export interface Telling {
  readonly vip: string;
  readonly node: string;
  readonly stint: Stint;
  /** The evidence slot of the claim. */
  readonly slot: number;
  /** `news`: the stint replaces an older one, or is the node's first. `refresh`: it only refreshes the recorded one. */
  readonly as: 'news' | 'refresh';
  /** Absent: record only. Goes with `news` only. */
  readonly lease?: Omit<Lease, 'epoch'>;
}

/**
 * - `recorded`: the write happened, and the lease was taken if it was asked for; `vip` is the item after it.
 * - `refused`: nothing was written; `vip` is the item as it is, or undefined when there is none.
 */
export type Told =
  | { readonly answer: 'recorded'; readonly vip: Vip }
  | { readonly answer: 'refused'; readonly vip: Vip | undefined };

/** Writes are checked and done at once. After a lost reply every method throws a Fault of kind `unknown`. */
export interface VipStore {
  /** Strongly consistent. Undefined when the name was never registered. */
  read(name: string): Promise<Vip | undefined>;
  /** Every item, tombstones included; not consistent. Pages until the end. */
  list(): Promise<readonly Vip[]>;
  /**
   * Records a claim without reading first, in one conditional write: refused unless the VIP stands in the ledger, the
   * node is a member, the stint is what `as` says, and, with a lease, no other one is live at `now`.
   */
  tell(telling: Telling, now: EpochMs): Promise<Told>;
  /**
   * Replaces `before` by `after` if nothing changed since `before` was read (its `rev`), and raises `rev`.
   * Undefined when something did: nothing was written. Attributes that this version does not know stay.
   */
  write(before: Vip | undefined, after: Vip): Promise<Vip | undefined>;
  /**
   * Prolongs a lease that is still held under this epoch and holder, and gives the item as it then is; undefined when
   * it is not held. Raises `rev`: whoever read the lease as run out must not take it after that. Never shortens: a
   * renewal that lands late must not take back what a later one gave (then nothing changes).
   */
  renew(name: string, lease: Lease, expiresAtMs: EpochMs): Promise<Vip | undefined>;
  /** What reconcile saw last: serves when the describes do not (guarantee 8). Kept apart from the item, which every
   * assertion rewrites and pays for by its size. */
  view(name: string): Promise<Observation | undefined>;
  keepView(name: string, view: Observation): Promise<void>;
}
