// A claim is a node's word about its own VRRP state. A stint is one transition of one node together with the claims
// that speak of it.
//
// Invariant: `merge` is order-free and idempotent. Whatever the order in which the same claims arrive, and however
// often, the stint that stays recorded is the same (guarantee 2). The one exception is a claim that arrives more than
// LATE_AFTER late: it gives no evidence of life and no lower-advert, by intent. It holds for all that a node can truly say;
// among words that contradict each other (boot-clock.ts) the newer stamp wins, so that the node's next word ends a forged one.
// Limit: a node's wall clock is not trusted. It only refines AWS's whole-second stamp inside its second.
import { bySending, type Contradiction, clocksDisagree, contradiction, type Sending } from './boot-clock.ts';
import { type DurationMs, type EpochMs, epochMs, seconds } from './time.ts';

/** keepalived's states, verbatim (notify FIFO, keepalived 2.2). */
export const vrrpStates = ['MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED'] as const;
export type VrrpState = (typeof vrrpStates)[number];

/** `lower-advert`: a master heard an advert of lower priority than its own (keepalived's MASTER_RX_LOWER_PRI). */
export const claimKinds = ['transition', 'assertion', 'lower-advert', 'probe'] as const;
export type ClaimKind = (typeof claimKinds)[number];

export interface Claim {
  readonly vip: string;
  /** EC2 instance id. */
  readonly node: string;
  readonly state: VrrpState;
  readonly kind: ClaimKind;
  readonly priority: number;
  /** VRRP instance or sync group of keepalived. */
  readonly instance: string;
  readonly bootId: string;
  /** CLOCK_BOOTTIME in µs at the claim; rises strictly within a boot. */
  readonly seq: number;
  /** `seq` of the transition that the claim speaks of; equal to `seq` for the transition itself. */
  readonly since: number;
  /** CLOCK_BOOTTIME in ms at the moment of sending. */
  readonly uptimeMs: number;
  /** From the claim to the moment of sending. */
  readonly ageMs: number;
  /** The node's wall clock at the claim. */
  readonly atMs: number;
  /** A newer claim of the same VIP waits behind it in the node's spool. */
  readonly superseded: boolean;
  /** How many claims the node's spool has had to drop so far. */
  readonly dropped: number;
  /** Version of the notify shim, as it says itself. */
  readonly shim?: string;
  /** EventBridge's stamp: whole seconds, rounded down. */
  readonly timeMs: EpochMs;
  /** EventBridge's event id: the same on every delivery of one event. */
  readonly eventId: string;
}

export interface Stint extends Sending {
  readonly since: number;
  readonly seq: number;
  readonly state: VrrpState;
  readonly priority: number;
  /** The transition happened no later than this. */
  readonly hiMs: number;
  /** Whether `hiMs` comes from a claim that was sent within YOUNG of the transition and arrived in time. */
  readonly young: boolean;
  /** What the node's wall clock said at the transition. */
  readonly atMs: number;
  /** The newest lower-advert of this stint, and its bounds as above. */
  readonly affSeq?: number;
  readonly affHiMs?: number;
  readonly affAtMs?: number;
  /** The evidence slot in which the node was last heard (silent.ts). */
  readonly slot: number;
  /** The newest instant for which the node itself vouched for this state. */
  readonly seenMs: number;
}

/** Length of an evidence slot. Masters assert every 10 s, so that a slot without a word of theirs tells something. */
export const SLOT: DurationMs = seconds(25);
/** A node is silent when members were heard in this many slots after its own last one: 100 to 130 s. */
export const SILENT_AFTER_SLOTS = 5;
/** Older than this on arrival is late; also the maximum event age of the EventBridge rule. */
export const LATE_AFTER: DurationMs = seconds(60);
/** Claims sent within this time of their transition bound it best: node clocks drift, and hosts are suspended. */
export const YOUNG: DurationMs = seconds(15);
/** EventBridge stamps whole seconds, so the true instant lies up to this much after the stamp. */
export const STAMP_MS = 999;

export const slotOf = (instant: number): number => Math.floor(instant / SLOT);

/** The slot of a stint of which nothing has come in time: silent, however few slots were heard since. */
export const NEVER_IN_TIME = 0;

export const isLate = (claim: Claim, arrivedAt: EpochMs): boolean => arrivedAt - claim.timeMs > LATE_AFTER;

/** The stint as one claim alone tells it. `arrivedAt` decides only whether the claim is late. */
export function stintOf(claim: Claim, arrivedAt: EpochMs): Stint {
  // Whole milliseconds, so that no two instants reckoned from it are rounded apart.
  const upMs = Math.round(claim.uptimeMs);
  const sinceTransitionMs = upMs - claim.since / 1000;
  const sinceClaimMs = upMs - claim.seq / 1000;
  const late = isLate(claim, arrivedAt);
  const stint = {
    bootId: claim.bootId,
    bootAtMs: claim.timeMs - upMs,
    stampMs: claim.timeMs,
    upMs,
    since: claim.since,
    seq: claim.seq,
    state: claim.state,
    priority: claim.priority,
    hiMs: Math.round(claim.timeMs + STAMP_MS - sinceTransitionMs),
    // A late one must not date a known transition anew: two masters would change places by it.
    young: sinceTransitionMs <= YOUNG && !late,
    atMs: Math.round(claim.atMs - (claim.seq - claim.since) / 1000),
    // A late stint enters as silent: whoever else was heard meanwhile knows better.
    slot: late ? NEVER_IN_TIME : slotOf(claim.timeMs),
    seenMs: Math.round(claim.timeMs - sinceClaimMs),
  };
  // Heard minutes ago it may speak of a master long gone; while there is one it is said again every 10 s.
  if (claim.kind !== 'lower-advert' || late) return stint;
  return {
    ...stint,
    affSeq: claim.seq,
    affHiMs: Math.round(claim.timeMs + STAMP_MS - sinceClaimMs),
    affAtMs: claim.atMs,
  };
}

export const sameStint = (a: Stint, b: Stint): boolean => a.bootId === b.bootId && a.since === b.since;

/** Whether `a` is the newer stint: the one that the word sent later speaks of. */
export function newerStint(a: Stint, b: Stint): boolean {
  const by = bySending(a, b);
  return by === 0 ? a.since > b.since : by > 0;
}

export type WordsDiffer = Contradiction | 'transition-went-back';

/** Whether one word of the two is untrue, as far as can be told: a node never goes back to an earlier transition either. */
export function contradicts(known: Stint, told: Stint): WordsDiffer | undefined {
  const clocks = contradiction(known, told);
  if (clocks !== undefined || known.bootId !== told.bootId) return clocks;
  const wentBack = told.upMs > known.upMs && told.since < known.since;
  return wentBack ? 'transition-went-back' : undefined;
}

/** What stays recorded when `told` reaches a record that holds `known`. Commutative and idempotent; associative for what a
 * node can truly say. */
export function merge(known: Stint | undefined, told: Stint): Stint {
  if (known === undefined) return told;
  if (!sameStint(told, known) || clocksDisagree(told, known)) return newerStint(told, known) ? told : known;
  const last = newerWord(known, told);
  const bound = tighter(known, told);
  const aff = newerAdvert(known, told);
  const sent = laterSent(known, told);
  return {
    bootId: known.bootId,
    bootAtMs: sent.bootAtMs,
    stampMs: sent.stampMs,
    upMs: sent.upMs,
    since: known.since,
    seq: last.seq,
    state: last.state,
    priority: last.priority,
    hiMs: bound.hiMs,
    young: bound.young,
    atMs: bound.atMs,
    ...(aff.affSeq === undefined ? {} : { affSeq: aff.affSeq, affHiMs: aff.affHiMs!, affAtMs: aff.affAtMs! }),
    slot: Math.max(known.slot, told.slot),
    seenMs: Math.max(known.seenMs, told.seenMs),
  };
}

/** Of one number that says two things somehow one, so that every order agrees. */
function newerWord(a: Stint, b: Stint): Stint {
  if (a.seq !== b.seq) return a.seq > b.seq ? a : b;
  if (a.state !== b.state) return a.state > b.state ? a : b;
  return a.priority >= b.priority ? a : b;
}

function laterSent(a: Stint, b: Stint): Stint {
  if (a.upMs !== b.upMs) return a.upMs > b.upMs ? a : b;
  return a.stampMs >= b.stampMs ? a : b;
}

/** Young bounds beat old ones; then the lower one; then the lower clock, only so that every order agrees. */
function tighter(a: Stint, b: Stint): Stint {
  if (a.young !== b.young) return a.young ? a : b;
  if (a.hiMs !== b.hiMs) return a.hiMs < b.hiMs ? a : b;
  return a.atMs <= b.atMs ? a : b;
}

function newerAdvert(a: Stint, b: Stint): Stint {
  if (a.affSeq === undefined || b.affSeq === undefined) return a.affSeq === undefined ? b : a;
  if (a.affSeq !== b.affSeq) return a.affSeq > b.affSeq ? a : b;
  if (a.affHiMs !== b.affHiMs) return a.affHiMs! < b.affHiMs! ? a : b;
  return a.affAtMs! <= b.affAtMs! ? a : b;
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/** When the transition happened: the node's clock inside AWS's second, never outside it. */
export const transitionAt = (stint: Stint): EpochMs =>
  epochMs(clamp(stint.atMs, stint.hiMs - STAMP_MS, stint.hiMs));

/** When the claim was made: the node's clock inside AWS's second, like the transition. For the record only. */
export function saidAt(claim: Claim): EpochMs {
  const hiMs = claim.timeMs + STAMP_MS - claim.ageMs;
  return epochMs(Math.round(clamp(claim.atMs, hiMs - STAMP_MS, hiMs)));
}

/** Whether `told` leaves the bounds of `known` as they are. */
export const boundStays = (known: Stint, told: Stint): boolean => tighter(known, told) === known;

/** When the newest lower-advert of the stint came, if there was one. */
export const lowerAdvertAt = (stint: Stint): EpochMs | undefined =>
  stint.affHiMs === undefined
    ? undefined
    : epochMs(clamp(stint.affAtMs!, stint.affHiMs - STAMP_MS, stint.affHiMs));
