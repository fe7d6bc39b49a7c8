// The account's budget in memory: one bucket per action, each booking in one step.
import type { Step } from '../network/step.ts';
import { type Rates, rates } from '../rate-limit/local-bucket.ts';
import {
  type BucketState,
  type Budget,
  booked,
  bookingOf,
  emptied,
  timeOf,
  untouched,
} from '../rate-limit/shared-bucket.ts';
import { epochMs } from '../time.ts';

export interface MemoryBudget extends Budget {
  readonly buckets: Map<Step['call'], BucketState>;
}

export function memoryBudget(sizes: Rates = rates): MemoryBudget {
  const buckets = new Map<Step['call'], BucketState>();
  const of = (call: Step['call']) => buckets.get(call) ?? untouched;
  return {
    buckets,
    async book(call, count, lane, now) {
      const is = booked(sizes[call], of(call), count, lane, now);
      buckets.set(call, is);
      return bookingOf(sizes[call], is, count, lane);
    },
    async shift(call) {
      return of(call).shiftMs;
    },
    async giveBack(call, count) {
      const is = of(call);
      const back = timeOf(sizes[call], count);
      buckets.set(call, { ...is, fullAtMs: epochMs(is.fullAtMs - back) });
    },
    async empty(call, now) {
      buckets.set(call, emptied(sizes[call], of(call), now));
    },
  };
}
