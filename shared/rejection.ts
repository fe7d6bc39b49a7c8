// Why a claim is turned away: for good, since delivering the same event again would change nothing.
//
// A reason is a word that metrics, records and documentation share. `superseded` is not a fault: the claim is counted
// and not merged, because a newer one of the same VIP waits behind it.
import { type Claim, contradicts, type Stint, type WordsDiffer } from './claim.ts';
import { SKEW } from './lease.ts';
import { type Clock, type DurationMs, type EpochMs, epochMs, iso, minutes, plus } from './time.ts';
import type { Timeline } from './timeline.ts';

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
/** What is counted beside the rejections, though nothing is turned away: a word that contradicts what is recorded. */
export type CountedReason = RejectReason | 'contradiction';

export interface Refusal {
  readonly reason: RejectReason;
  readonly message: string;
}

/** How far ahead of the controller's clock EventBridge's stamp may be; a caller may set it itself. */
export const FUTURE_MAX: DurationMs = minutes(1);

/**
 * `source`: the event's source carries an identity that IAM vouches for, `vipshift.notify/<role id>:<instance id>`.
 * `none`: nobody vouches; membership alone decides, and every timeline says so.
 */
export type NodeIdentity = { readonly mode: 'source'; readonly roleId: string } | { readonly mode: 'none' };

export const SOURCE_PREFIX = 'vipshift.notify/';

/** Whether the claim comes from the node that it speaks of. Undefined when it does. */
export function impostor(source: string, claim: Claim, identity: NodeIdentity): Refusal | undefined {
  if (identity.mode === 'none') return undefined;
  const [roleId, node] = source.startsWith(SOURCE_PREFIX)
    ? source.slice(SOURCE_PREFIX.length).split(':')
    : [];
  if (roleId === undefined || node === undefined) {
    const want = `${SOURCE_PREFIX}<role id>:<instance id>`;
    return { reason: 'foreign-source', message: `source is ${JSON.stringify(source)}, want ${want}` };
  }
  if (roleId !== identity.roleId) {
    return { reason: 'foreign-role', message: `role id in the source is ${roleId}, want ${identity.roleId}` };
  }
  if (node !== claim.node) {
    return { reason: 'foreign-node', message: `the claim speaks of ${claim.node}, its source is ${node}` };
  }
  return undefined;
}

export function fromTheFuture(claim: Claim, now: EpochMs): Refusal | undefined {
  if (claim.timeMs <= now + FUTURE_MAX) return undefined;
  return {
    reason: 'from-the-future',
    message: `event time is ${iso(claim.timeMs)}, want at most a minute after ${iso(now)}`,
  };
}

/** A caller may set an event's time; EventBridge's own is never ahead, so no word is taken for newer than the present. */
export const notAhead = (claim: Claim, now: EpochMs): Claim =>
  claim.timeMs <= plus(now, SKEW) ? claim : { ...claim, timeMs: plus(now, SKEW) };

const differ: Readonly<Record<WordsDiffer, string>> = {
  'clock-ran-back': 'the clock of a boot does not run back',
  'clock-ran-ahead': 'the clock of a boot does not run ahead of time',
  'two-boots-at-once': 'a node is not up in two boots at once',
  'transition-went-back': 'a node does not go back to an earlier transition',
};

/** Why what a node says cannot be true beside what is recorded of it; undefined when it can. Nothing is refused for it. */
export function contradictionOf(known: Stint | undefined, told: Stint): string | undefined {
  const how = known === undefined ? undefined : contradicts(known, told);
  if (known === undefined || how === undefined) return undefined;
  const spoken = ({ state, bootId, upMs, since, stampMs }: Stint) =>
    `${state} since ${since} in boot ${bootId}, up ${upMs} ms at ${iso(epochMs(stampMs))}`;
  return `${differ[how]}: says ${spoken(told)}; recorded is ${spoken(known)}`;
}

/** Counts what was turned away. `example` is kept as it came. */
export const turnAway = (
  to: { readonly timeline: Timeline; readonly clock: Clock },
  refused: {
    readonly reason: CountedReason;
    readonly message: string;
    readonly vip: string;
    readonly node: string;
  },
  example: unknown,
): Promise<void> =>
  to.timeline.reject({ ...refused, example: JSON.stringify(example) ?? 'undefined', atMs: to.clock.now() });
