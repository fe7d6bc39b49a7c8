// Keeping within EC2's request budget: a token bucket on our side of the wire, one per action, so that a burst is
// never refused. The SDK's own retries give up under sustained throttling; a paced caller is never throttled.
//
// Source: EC2 developer guide, "Request throttling": mutating route and address calls 50 + 5/s,
// ModifyNetworkInterfaceAttribute 100 + 5/s, per account and Region. We stay a little below.
// Limit: one sandbox knows only its own calls; others of the same account share the real bucket. budget.ts shares it;
// this serves when that does not answer.
import type { Step } from '../network/step.ts';
import { type DurationMs, durationMs, type EpochMs } from '../time.ts';

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
  /** Takes the next free place for one call and says how long to wait for it. */
  place(call: Step['call'], now: EpochMs): DurationMs;
  /** How long it takes until `count` more calls have had their places; takes none. */
  ahead(call: Step['call'], count: number, now: EpochMs): DurationMs;
  /** A place that was taken and not used: else a plan that never got to be sent would make all later ones wait. */
  giveBack(call: Step['call']): void;
  /** The service refused a call for its rate: somebody else spends from the same bucket, so count ours as empty. */
  refused(call: Step['call'], now: EpochMs): void;
}

/** Holds one level per action; keep it for the life of the process, so that consecutive failovers share it. */
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
    place(call, now) {
      const level = refill(call, now);
      level.tokens -= 1;
      return durationMs(level.tokens >= 0 ? 0 : (-level.tokens / sizes[call].perSecond) * 1000);
    },
    ahead(call, count, now) {
      const left = refill(call, now).tokens - count;
      return durationMs(left >= 0 ? 0 : (-left / sizes[call].perSecond) * 1000);
    },
    giveBack(call) {
      const level = levels.get(call);
      if (level !== undefined) level.tokens = Math.min(sizes[call].burst, level.tokens + 1);
    },
    refused(call, now) {
      const level = refill(call, now);
      level.tokens = Math.min(level.tokens, 0);
    },
  };
}
