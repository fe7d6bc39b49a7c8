// Why a claim is turned away: for good, since delivering the same event again would change nothing.
//
// A reason is a word that metrics, records and documentation share. `superseded` is not a fault: the claim is counted
// and not merged, because a newer one of the same VIP waits behind it.
import { type DurationMs, type EpochMs, epochMs, iso, minutes } from '../time.ts';
import type { Claim } from './claim.ts';
import { notAheadOf } from './lease.ts';
import type { NodeState } from './node-state.ts';
import { contradicts, type WordsDiffer } from './node-state.ts';
import type { Vip } from './vip.ts';

export const rejectReasons = [
  'malformed',
  'unknown-vip',
  'foreign-source',
  'foreign-role',
  'foreign-node',
  'not-a-member',
  'from-the-future',
  'superseded',
] as const;
export type RejectReason = (typeof rejectReasons)[number];
/** What is counted like the rejections, though nothing is rejected: a claim that contradicts what is recorded. */
export type CountedReason = RejectReason | 'contradiction';

export interface Rejection {
  readonly reason: RejectReason;
  readonly message: string;
}

/** How far ahead of the controller's clock EventBridge's stamp may be; a caller may set it itself. */
export const FUTURE_MAX: DurationMs = minutes(1);

/**
 * `source`: the event's source carries an identity that IAM vouches for, `vipshift.notify/<role id>:<instance id>`.
 * `none`: no one vouches; membership alone decides, and every timeline notes it.
 */
export type NodeIdentity = { readonly mode: 'source'; readonly roleId: string } | { readonly mode: 'none' };

export const SOURCE_PREFIX = 'vipshift.notify/';

/** Whether the claim comes from the node that it speaks of. Undefined when it does. */
export function sourceMismatch(source: string, claim: Claim, identity: NodeIdentity): Rejection | undefined {
  if (identity.mode === 'none') return undefined;
  const [roleId, node, ...more] = source.startsWith(SOURCE_PREFIX)
    ? source.slice(SOURCE_PREFIX.length).split(':')
    : [];
  if (roleId === undefined || node === undefined || more.length > 0) {
    const want = `${SOURCE_PREFIX}<role id>:<instance id>`;
    return { reason: 'foreign-source', message: `source is ${JSON.stringify(source)}, expected ${want}` };
  }
  if (roleId !== identity.roleId) {
    return {
      reason: 'foreign-role',
      message: `role id in the source is ${roleId}, expected ${identity.roleId}`,
    };
  }
  if (node !== claim.node) {
    return { reason: 'foreign-node', message: `the claim speaks of ${claim.node}, its source is ${node}` };
  }
  return undefined;
}

export function isFromFuture(claim: Claim, now: EpochMs): Rejection | undefined {
  if (claim.timeMs <= now + FUTURE_MAX) return undefined;
  return {
    reason: 'from-the-future',
    message: `event time is ${iso(claim.timeMs)}, expected at most a minute after ${iso(now)}`,
  };
}

/** A caller may set an event's time; EventBridge's own is never ahead, so no report is taken for newer than the present. */
export const notAhead = (claim: Claim, now: EpochMs): Claim => ({
  ...claim,
  timeMs: notAheadOf(now, claim.timeMs),
});

const differ: Readonly<Record<WordsDiffer, string>> = {
  'clock-ran-back': 'the clock of a boot does not run back',
  'clock-ran-ahead': 'the clock of a boot does not run ahead of time',
  'two-boots-at-once': 'a node is not up in two boots at once',
  'transition-went-back': 'a node does not go back to an earlier transition',
};

/** Why what a node says cannot be true beside what is recorded of it; undefined when it can. Nothing is refused for it. */
export function contradictionOf(known: NodeState | undefined, told: NodeState): string | undefined {
  const how = known === undefined ? undefined : contradicts(known, told);
  if (known === undefined || how === undefined) return undefined;
  const spoken = ({ state, bootId, upMs, since, stampMs }: NodeState) =>
    `${state} since ${since} in boot ${bootId}, up ${upMs} ms at ${iso(epochMs(stampMs))}`;
  return `${differ[how]}: says ${spoken(told)}; recorded is ${spoken(known)}`;
}

/** In place of a VIP's name that is not registered: no VIP is called so. */
export const UNREGISTERED = '_unregistered';
/** In place of a node that the VIP does not know. */
export const NO_MEMBER = '_no-member';

/**
 * Under which names a rejection is counted. A sender chooses both names in its claim: counted as they came there would be as
 * many counters as it likes, so only what is registered has one of its own.
 */
export function countedUnder(
  vip: Vip | undefined,
  node: string,
): { readonly vip: string; readonly node: string } {
  if (vip === undefined) return { vip: UNREGISTERED, node: NO_MEMBER };
  const known = Object.hasOwn(vip.members, node) || Object.hasOwn(vip.claims, node);
  return { vip: vip.name, node: known ? node : NO_MEMBER };
}
