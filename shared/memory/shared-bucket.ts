// The account's request budget in memory: one bucket per action, each reservation in one step.
import type { Step } from '../network/step.ts';
import { type Rates, rates } from '../rate-limit/local-bucket.ts';
import {
  afterDrain,
  afterReserve,
  afterTakeSpare,
  type BucketState,
  increment,
  type SharedBucket,
  slotsOf,
  untouched,
} from '../rate-limit/shared-bucket.ts';
import { epochMs } from '../time.ts';

export interface MemorySharedBucket extends SharedBucket {
  readonly buckets: Map<Step['call'], BucketState>;
}

export function memorySharedBucket(sizes: Rates = rates): MemorySharedBucket {
  const buckets = new Map<Step['call'], BucketState>();
  const of = (call: Step['call']) => buckets.get(call) ?? untouched;
  return {
    buckets,
    async reserve(call, count, priority, now) {
      const is = afterReserve(sizes[call], of(call), { count, priority, now });
      buckets.set(call, is);
      return slotsOf(sizes[call], is, count, priority);
    },
    async takeSpare(call, count, now) {
      const is = afterTakeSpare(sizes[call], of(call), { count, now });
      if (is === undefined) return undefined;
      buckets.set(call, is);
      return slotsOf(sizes[call], is, count, 'back');
    },
    async pushback(call) {
      return of(call).shiftMs;
    },
    async refund(call, count) {
      const is = of(call);
      const back = increment(sizes[call], count);
      buckets.set(call, { ...is, fullAtMs: epochMs(is.fullAtMs - back) });
    },
    async drain(call, now) {
      buckets.set(call, afterDrain(sizes[call], of(call), now));
    },
  };
}
