import { defined } from '../optional.ts';
import { type DurationMs, type EpochMs, epochMs, seconds } from '../time.ts';
import {
  bySending,
  type Contradiction,
  clocksDisagree,
  contradiction,
  ORDER_DOUBT,
  type Sending,
} from './boot-clock.ts';
import { type Claim, clamp, isLate, STAMP_MS, sentBy, type VrrpState } from './claim.ts';
import { NEVER_IN_TIME, windowOf } from './liveness.ts';

export interface NodeState extends Sending {
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
  /** The newest lower-advert of this transition, and its bounds as above. */
  readonly affSeq?: number;
  readonly affHiMs?: number;
  readonly affAtMs?: number;
  /** The evidence window in which the node last reported (liveness.ts). */
  readonly slot: number;
  /** The newest instant for which the node itself vouched for this state. */
  readonly seenMs: number;
  /** By which ways the node has reported this transition; absent: by the bus alone. */
  readonly ways?: 'direct' | 'both';
  /** Why the node is about to go, by its newest claim; undefined while it stays. */
  readonly leaving?: string;
  /** AWS recommends to rebalance it: for people, no one acts on it. */
  readonly atRisk?: true;
}
/** Claims sent within this time of their transition bound it best: node clocks drift, and hosts are suspended. */
export const YOUNG: DurationMs = seconds(15);

/** The node state as one claim alone gives it. `arrivedAt` decides only whether the claim is late. */
export function nodeStateFrom(claim: Claim, arrivedAt: EpochMs): NodeState {
  // Whole milliseconds, so that no two instants computed from it are rounded apart; none is sent before it was said.
  const upMs = Math.ceil(claim.uptimeMs);
  const sinceTransitionMs = upMs - claim.since / 1000;
  const sinceClaimMs = upMs - claim.seq / 1000;
  const late = isLate(claim, arrivedAt);
  const nodeState = {
    bootId: claim.bootId,
    bootAtMs: claim.timeMs - upMs,
    stampMs: claim.timeMs,
    upMs,
    since: claim.since,
    seq: claim.seq,
    state: claim.state,
    priority: claim.priority,
    hiMs: Math.round(sentBy(claim) - sinceTransitionMs),
    // A late one must not date a known transition again: two masters would swap places by it.
    young: sinceTransitionMs <= YOUNG && !late,
    atMs: Math.round(claim.atMs - (claim.seq - claim.since) / 1000),
    // A late node state counts as silent: nodes that reported in the meantime know better.
    slot: late ? NEVER_IN_TIME : windowOf(claim.timeMs),
    seenMs: Math.round(claim.timeMs - sinceClaimMs),
    ...defined({
      ways: claim.way,
      leaving: claim.leaving,
      atRisk: claim.atRisk === true ? (true as const) : undefined,
    }),
  };
  // Minutes old, it may speak of a master that is gone; while there is one the advert repeats every 10 s.
  if (claim.kind !== 'lower-advert' || late) return nodeState;
  return {
    ...nodeState,
    affSeq: claim.seq,
    affHiMs: Math.round(sentBy(claim) - sinceClaimMs),
    affAtMs: claim.atMs,
  };
}

export const sameTransition = (a: NodeState, b: NodeState): boolean =>
  a.bootId === b.bootId && a.since === b.since;

/** What is dated after its own sending did not begin later than that. */
const begunAt = ({ since, upMs }: NodeState): number => Math.min(since, upMs * 1000);

/**
 * Whether `a` is the newer node state: the one that was sent later, unless it was reported before the other's
 * transition and only sent late.
 */
export function isNewerTransition(a: NodeState, b: NodeState): boolean {
  if (a.bootId === b.bootId && !clocksDisagree(a, b)) {
    if (a.seq < begunAt(b)) return false;
    if (b.seq < begunAt(a)) return true;
  }
  const by = bySending(a, b);
  // Stryker disable next-line EqualityOperator: equal ones were excluded in the same line
  return by === 0 ? a.since > b.since : by > 0;
}

/** What stays recorded when `told` reaches a record that holds `known`. Commutative and idempotent; associative for what a
 * node can truly say. */
export function merge(known: NodeState | undefined, told: NodeState): NodeState {
  if (known === undefined) return told;
  if (!sameTransition(told, known) || clocksDisagree(told, known))
    return isNewerTransition(told, known) ? told : known;
  const last = newerWord(known, told);
  const bound = tighter(known, told);
  const aff = newerAdvert(known, told);
  // What was sent before the instance went away must not move the instant at which it did.
  const sent = goneAt(last) === undefined ? laterSent(known, told) : last;
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
    ...defined({ affSeq: aff.affSeq, affHiMs: aff.affHiMs, affAtMs: aff.affAtMs }),
    slot: Math.max(known.slot, told.slot),
    seenMs: Math.max(known.seenMs, told.seenMs),
    ...defined({ ways: known.ways === told.ways ? known.ways : ('both' as const) }),
    ...defined({ leaving: last.leaving, atRisk: last.atRisk }),
  };
}

/** Whether `told` adds no way to those by which the node has reported the transition of `known`. */
export const waysStay = (known: NodeState, told: NodeState): boolean =>
  told.ways === undefined ? known.ways !== 'direct' : known.ways !== undefined;

/** Young bounds beat old ones; then the lower one; then the lower clock, only so that every order agrees. */
function tighter(a: NodeState, b: NodeState): NodeState {
  if (a.young !== b.young) return a.young ? a : b;
  // Stryker disable next-line EqualityOperator: equal ones were excluded in the same line
  if (a.hiMs !== b.hiMs) return a.hiMs < b.hiMs ? a : b;
  // Stryker disable next-line EqualityOperator: of two that agree in all else it does not matter whose they are
  return a.atMs <= b.atMs ? a : b;
}

function newerAdvert(a: NodeState, b: NodeState): NodeState {
  // Stryker disable next-line ConditionalExpression: what is not there is not greater, the comparison after it says the same
  if (a.affSeq === undefined || b.affSeq === undefined) return a.affSeq === undefined ? b : a;
  // Stryker disable next-line EqualityOperator: equal ones were excluded in the same line
  if (a.affSeq !== b.affSeq) return a.affSeq > b.affSeq ? a : b;
  // Stryker disable next-line EqualityOperator: equal ones were excluded in the same line
  if (a.affHiMs !== b.affHiMs) return a.affHiMs! < b.affHiMs! ? a : b;
  // Stryker disable next-line EqualityOperator: of two that agree in all else it does not matter whose they are
  return a.affAtMs! <= b.affAtMs! ? a : b;
}

/** When the transition happened: the node's clock inside AWS's second, never outside it. */
export const transitionAt = (nodeState: NodeState): EpochMs =>
  epochMs(clamp(nodeState.atMs, nodeState.hiMs - STAMP_MS, nodeState.hiMs));

/** Whether `told` leaves the bounds of `known` as they are. */
export const boundStays = (known: NodeState, told: NodeState): boolean => tighter(known, told) === known;

/** When the newest lower-advert of this transition came, if there was one. */
export const lowerAdvertAt = (nodeState: NodeState): EpochMs | undefined =>
  nodeState.affHiMs === undefined
    ? undefined
    : epochMs(clamp(nodeState.affAtMs!, nodeState.affHiMs - STAMP_MS, nodeState.affHiMs));

export type WordsDiffer = Contradiction | 'transition-went-back';

/** Whether one word of the two is untrue, as far as can be told: a node never goes back to an earlier transition either. */
export function contradicts(known: NodeState, told: NodeState): WordsDiffer | undefined {
  const clocks = contradiction(known, told);
  if (clocks !== undefined || known.bootId !== told.bootId) return clocks;
  const wentBack = told.upMs > known.upMs && told.since < known.since && told.seq >= known.since;
  return wentBack ? 'transition-went-back' : undefined;
}

/**
 * When EC2 said that the instance is gone (docs/decisions/0011); undefined where the node itself said what is recorded.
 * No claim is said after it was sent, so a `seq` beyond the last sending is not the node's.
 */
export const goneAt = ({ state, seq, upMs, bootAtMs }: NodeState): EpochMs | undefined =>
  state === 'STOP' && seq >= (upMs + 1) * 1000 ? epochMs(bootAtMs + seq / 1000) : undefined;

/** `nodeState` with its word withdrawn at an instant by AWS's clock, later than its last sending. */
export const withdrawn = (nodeState: NodeState, at: EpochMs): NodeState => ({
  ...nodeState,
  state: 'STOP',
  seq: Math.max((nodeState.upMs + 1) * 1000, (at - nodeState.bootAtMs) * 1000),
});

/**
 * Whether `word` came in time and was sent after the instance was said to be gone: so it lives. A request is under way for up
 * to ORDER_DOUBT before it is stamped, and of one sending each way has a stamp of its own. The boot's clock cannot tell, since
 * it may have stood still meanwhile (a paused or hibernated host).
 */
function livesAfter(word: NodeState, gone: EpochMs | undefined): boolean {
  // Stryker disable next-line ConditionalExpression: nothing is later than what is not there; the comparison is for the compiler
  return gone !== undefined && word.stampMs > gone + ORDER_DOUBT && word.slot !== NEVER_IN_TIME;
}

/** Of one number that says two things somehow one, so that every order agrees. */
function newerWord(a: NodeState, b: NodeState): NodeState {
  const [aGone, bGone] = [goneAt(a), goneAt(b)];
  if (bGone === undefined && livesAfter(b, aGone)) return b;
  if (aGone === undefined && livesAfter(a, bGone)) return a;
  // Stryker disable next-line EqualityOperator: equal ones were excluded in the same line
  if (a.seq !== b.seq) return a.seq > b.seq ? a : b;
  // Stryker disable next-line EqualityOperator: equal ones were excluded in the same line
  if (a.state !== b.state) return a.state > b.state ? a : b;
  // Stryker disable next-line EqualityOperator: equal ones were excluded in the same line
  if (a.priority !== b.priority) return a.priority > b.priority ? a : b;
  return laterSent(a, b);
}

function laterSent(a: NodeState, b: NodeState): NodeState {
  // Stryker disable next-line EqualityOperator: equal ones were excluded in the same line
  if (a.upMs !== b.upMs) return a.upMs > b.upMs ? a : b;
  // Stryker disable next-line EqualityOperator: equal ones were excluded in the same line
  if (a.stampMs !== b.stampMs) return a.stampMs > b.stampMs ? a : b;
  // Stryker disable next-line EqualityOperator: of two that agree in all else it does not matter whose they are
  return departure(a) >= departure(b) ? a : b;
}

const departure = ({ leaving, atRisk }: NodeState): string => `${leaving ?? ''} ${atRisk ?? ''}`;
