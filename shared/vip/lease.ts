// The lease: the exclusive right, for a bounded time, to switch one VIP. The holder is a nonce per acquire, never a
// function or a request, so that a redelivered event cannot believe it still holds what its predecessor took. The
// epoch is the fencing counter; it only rises, also over release and removal.
//
// Not guaranteed: EC2 accepts no fencing token. What a holder sent and then paused on can land after its lease. The
// next holder's read-back finds it, or the next reconcile (guarantee 3).
import { type DurationMs, durationMs, type EpochMs, epochMs, minus, plus, seconds } from '../time.ts';

export const LEASE_TTL: DurationMs = seconds(10);
/** The longest that one attempt of a request may take before it is aborted. */
export const ATTEMPT_MAX: DurationMs = seconds(2);
/** Clocks of Lambda sandboxes are assumed to agree within this (Amazon Time Sync; assumed, not measured). */
export const SKEW: DurationMs = durationMs(200);
/** An EC2 Describe may answer with what was true this long ago (EC2 developer guide, "Eventual consistency"). */
export const STALE_READ: DurationMs = seconds(4);
/** After an attempt with unknown outcome nothing observed is trusted for this long: it may still land. */
export const UNKNOWN_LANDS_WITHIN: DurationMs = seconds(20);
/** How often a caller that waits for another one's lease reads the item. */
export const LOOK_AGAIN: DurationMs = durationMs(200);
/** A holder renews when less than this is left and work remains. */
export const RENEW_BELOW: DurationMs = seconds(6);
/** Describes slower than this are not waited for: the stored view serves. */
export const OBSERVE_TIMEOUT: DurationMs = seconds(1);
/** The Lambda timeout that serverless.yml must give at least. */
export const FUNCTION_TIMEOUT_MIN: DurationMs = seconds(30);

/** Why the lease was asked for. Written with it, so that no mutation is without a cause (guarantee 6). */
export interface Cause {
  readonly kind: 'claim' | 'reconcile' | 'order';
  /** The node whose claim it was, or that an order names. */
  readonly node?: string;
  /** `seq` of the claim. */
  readonly seq?: number;
  /** EventBridge event id, execution name, or whatever identifies the request to its sender. */
  readonly id?: string;
  /** One line for people: what was said, found or ordered. */
  readonly why: string;
  /** Who gave the order. */
  readonly by?: string;
  readonly atMs: EpochMs;
}

export interface Lease {
  readonly holder: string;
  readonly epoch: number;
  readonly expiresAtMs: EpochMs;
  readonly cause: Cause;
}

/** An epoch that was begun and not yet closed in the record. */
export interface Open {
  readonly epoch: number;
  readonly cause: Cause;
}

/** An instant that another machine has stamped: what lies ahead of the present by more than clocks differ is taken for the present. */
export const notAheadOf = (now: EpochMs, stamped: EpochMs): EpochMs =>
  epochMs(Math.min(stamped, plus(now, SKEW)));

/** A lease is live strictly before it expires by everybody's clock; from then on the next holder may take it. */
export const isLive = (lease: Lease | undefined, now: EpochMs): boolean =>
  lease !== undefined && now < plus(lease.expiresAtMs, SKEW);

/** Whether an attempt that may take ATTEMPT_MAX may still be sent under a lease that expires then. */
export const mayStart = (expiresAtMs: EpochMs, now: EpochMs): boolean =>
  now < minus(expiresAtMs, durationMs(ATTEMPT_MAX + 2 * SKEW));

/** The durations that depend on each other, by name. */
export const durations = {
  ttl: LEASE_TTL,
  attempt: ATTEMPT_MAX,
  skew: SKEW,
  staleRead: STALE_READ,
  unknownLands: UNKNOWN_LANDS_WITHIN,
  lookAgain: LOOK_AGAIN,
  renewBelow: RENEW_BELOW,
  patience: OBSERVE_TIMEOUT,
  functionTimeout: FUNCTION_TIMEOUT_MIN,
} as const;

interface Relation {
  readonly holds: boolean;
  readonly why: string;
}

const relations = (d: Readonly<Record<keyof typeof durations, number>>): readonly Relation[] => [
  {
    holds: d.ttl > d.attempt + 2 * d.skew,
    why: 'LEASE_TTL must outlast one attempt and twice the skew, or no attempt may ever start',
  },
  {
    holds: d.renewBelow > d.attempt + 2 * d.skew,
    why: 'RENEW_BELOW must leave time for an attempt to start after a renewal that was late',
  },
  {
    holds: d.renewBelow < d.ttl,
    why: 'RENEW_BELOW must lie within LEASE_TTL, or every attempt would renew first',
  },
  {
    holds: d.patience + d.attempt + 2 * d.skew < d.ttl,
    why: 'after waiting OBSERVE_PATIENCE for the describes there must be lease left to send the mutations',
  },
  {
    holds: d.unknownLands > d.ttl + d.attempt,
    why: 'an attempt of unknown outcome must be distrusted for longer than the lease under which it was sent',
  },
  {
    holds: d.staleRead < d.ttl,
    why: 'a holder must be able to outwait stale reads within its own lease',
  },
  {
    holds: d.lookAgain < d.ttl / 10,
    why: 'a waiting claim must look often enough to take over soon after a release',
  },
  {
    holds: d.functionTimeout >= 2 * d.ttl + d.unknownLands / 2,
    why: 'an invocation that waits out a dead lease must have a whole lease left for its own switch',
  },
];

/** Throws when the durations contradict each other. */
export function agree(d: Readonly<Record<keyof typeof durations, number>>): void {
  const broken = relations(d).filter((r) => !r.holds);
  if (broken.length > 0) throw new RangeError(`lease constants: ${broken.map((r) => r.why).join('; ')}`);
}

// Stryker disable next-line CallExpression: these durations agree; that others are refused is tested on the function
agree(durations);
