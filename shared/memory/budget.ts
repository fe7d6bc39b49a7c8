// The account's budget in memory: one bucket per action, each booking in one step.
import type { Step } from '../network/step.ts';
import { type Rates, rates } from '../rate-limit/local-bucket.ts';
import {
  type BucketState,
  booked,
  bookingOf,
  emptied,
  type SharedBucket,
  timeOf,
  untouched,
} from '../rate-limit/shared-bucket.ts';
import { epochMs } from '../time.ts';

export interface MemoryBudget extends SharedBucket {
  readonly buckets: Map<Step['call'], BucketState>;
}

export function memoryBudget(sizes: Rates = rates): MemoryBudget {
  const buckets = new Map<Step['call'], BucketState>();
  const of = (call: Step['call']) => buckets.get(call) ?? untouched;
  return {
    buckets,
    async reserve(call, count, lane, now) {
      const is = booked(sizes[call], of(call), count, lane, now);
      buckets.set(call, is);
      return bookingOf(sizes[call], is, count, lane);
    },
    async pushback(call) {
      return of(call).shiftMs;
    },
    async refund(call, count) {
      const is = of(call);
      const back = timeOf(sizes[call], count);
      buckets.set(call, { ...is, fullAtMs: epochMs(is.fullAtMs - back) });
    },
    async drain(call, now) {
      buckets.set(call, emptied(sizes[call], of(call), now));
    },
  };
}
