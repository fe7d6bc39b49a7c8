// Keeping within EC2's request budget: a token bucket on our side, one per action, so that EC2 never refuses a burst.
// The SDK's own retries give up under sustained throttling; a paced caller is never throttled.
//
// Source: EC2 developer guide, "Request throttling": mutating route and address calls 50 + 5/s,
// ModifyNetworkInterfaceAttribute 100 + 5/s, per account and Region. Our buckets are a little smaller.
// Limit: an execution environment knows only its own calls; others of the same account draw from the same bucket of
// EC2. shared-bucket.ts counts them together; this bucket decides when that one does not answer.
import type { Step } from '../network/step.ts';
import { type Clock, type DurationMs, durationMs, type EpochMs } from '../time.ts';

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}
/** Bucket sizes by action. An account may have been granted larger ones. */
export type Rates = Readonly<Record<Step['call'], Rate>>;

export const rates: Rates = {
  ReplaceRoute: { burst: 49, perSecond: 4.95 },
  CreateRoute: { burst: 49, perSecond: 4.95 },
  AssociateAddress: { burst: 49, perSecond: 4.95 },
  ModifyNetworkInterfaceAttribute: { burst: 98, perSecond: 4.95 },
};

export interface LocalBucket {
  /** The size of the action's bucket, and how fast it refills. */
  rate(call: Step['call']): Rate;
  /** Takes the next token for one call and returns how long the call has to wait for it. */
  reserve(call: Step['call'], now: EpochMs): DurationMs;
  /** How long until `count` more calls have had their tokens; takes none. */
  delay(call: Step['call'], count: number, now: EpochMs): DurationMs;
  /** Returns a token that was not used: a plan that was never sent must not make later ones wait. */
  refund(call: Step['call']): void;
  /** EC2 refused a call for its rate: another caller draws from the same bucket, so count ours as empty. */
  drain(call: Step['call'], now: EpochMs): void;
}

/** Holds one level per action. Keep it for the life of the process, so that consecutive failovers share it. */
export function localBucket(sizes: Rates = rates): LocalBucket {
  const levels = new Map<Step['call'], { tokens: number; atMs: EpochMs }>();
  const refill = (call: Step['call'], now: EpochMs) => {
    const rate = sizes[call];
    const was = levels.get(call) ?? { tokens: rate.burst, atMs: now };
    const gained = (Math.max(0, now - was.atMs) / 1000) * rate.perSecond;
    const level = { tokens: Math.min(rate.burst, was.tokens + gained), atMs: now };
    levels.set(call, level);
    return level;
  };
  return {
    rate: (call) => sizes[call],
    reserve(call, now) {
      const level = refill(call, now);
      level.tokens -= 1;
      return durationMs(level.tokens >= 0 ? 0 : (-level.tokens / sizes[call].perSecond) * 1000);
    },
    delay(call, count, now) {
      const left = refill(call, now).tokens - count;
      return durationMs(left >= 0 ? 0 : (-left / sizes[call].perSecond) * 1000);
    },
    refund(call) {
      const level = levels.get(call);
      if (level !== undefined) level.tokens = Math.min(sizes[call].burst, level.tokens + 1);
    },
    drain(call, now) {
      const level = refill(call, now);
      level.tokens = Math.min(level.tokens, 0);
    },
  };
}

/** Takes a token for one call; undefined when the call may go at once. */
export function waitForToken(
  bucket: LocalBucket,
  clock: Clock,
  call: Step['call'],
): Promise<void> | undefined {
  const delay = bucket.reserve(call, clock.now());
  return delay > 0 ? clock.wait(delay) : undefined;
}
