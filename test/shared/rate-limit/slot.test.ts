// Waiting for a slot of the shared bucket: until its instant, and by as much longer as others went first.
import { describe, expect, test } from 'vitest';
import { type ManualClock, manualClock } from '../../../shared/memory/clock.ts';
import { localBucket } from '../../../shared/rate-limit/local-bucket.ts';
import type { SharedBucket, Slots } from '../../../shared/rate-limit/shared-bucket.ts';
import { pushbackPoll, reachSlot, reserveRetrySlot, type Slot } from '../../../shared/rate-limit/slot.ts';
import { durationMs, type EpochMs, epochMs, plus } from '../../../shared/time.ts';
import { START } from '../../support/world.ts';

const at = (ms: number): EpochMs => plus(START, durationMs(ms));
const never = new Promise<never>(() => undefined);

/** Each answer of the bucket, and what was asked of it. */
function bucket(over: Partial<SharedBucket>): SharedBucket {
  const unasked = () => Promise.reject(new Error('not asked for in this test'));
  return {
    reserve: unasked,
    takeSpare: unasked,
    pushback: unasked,
    refund: unasked,
    drain: unasked,
    ...over,
  };
}

/** When it was through, in ms after START; time goes on in steps of a millisecond. */
async function reachedAfter(clock: ManualClock, reaching: Promise<unknown>): Promise<number> {
  let after = -1;
  void reaching.then(() => {
    after = clock.now() - START;
  });
  for (let ms = 0; ms <= 5000 && after === -1; ms++) await clock.advance(durationMs(1));
  return after;
}

describe('a slot', () => {
  /** `pushbacks`: what the bucket answers, one poll after the other. */
  async function reached(slot: Slot, pushbacks: readonly number[] = []) {
    const clock = manualClock(START);
    const polls: number[] = [];
    const poll = (known: number) => {
      polls.push(clock.now() - START);
      return Promise.resolve(pushbacks[polls.length - 1] ?? pushbacks.at(-1) ?? known);
    };
    return { after: await reachedAfter(clock, reachSlot(clock, slot, poll)), polls };
  }

  test('that has come is no wait', async () => {
    expect(await reached({ atMs: START, pushbackMs: 0 })).toEqual({ after: 0, polls: [] });
  });

  test('within half a second is waited for without a question', async () => {
    expect(await reached({ atMs: at(500), pushbackMs: 0 })).toEqual({ after: 500, polls: [] });
  });

  test('later than that asks twice a second whether it was pushed back', async () => {
    expect(await reached({ atMs: at(501), pushbackMs: 0 })).toEqual({ after: 501, polls: [500] });
    expect(await reached({ atMs: at(1600), pushbackMs: 0 })).toEqual({
      after: 1600,
      polls: [500, 1000, 1500],
    });
  });

  test('is later by what the pushback has grown since it was reserved, and never earlier', async () => {
    const slot = { atMs: at(700), pushbackMs: 1000 };
    expect(await reached(slot, [1600])).toEqual({ after: 1300, polls: [500, 1000] });
    expect(await reached(slot, [1600, 2000])).toEqual({ after: 1700, polls: [500, 1000, 1500] });
    expect(await reached(slot, [300])).toEqual({ after: 700, polls: [500] });
  });

  test('that goes first is pushed back by no one, and asks nothing', async () => {
    expect(await reached({ atMs: at(1600) })).toEqual({ after: 1600, polls: [] });
  });
});

describe('the pushback', () => {
  function polled(pushback: SharedBucket['pushback']) {
    const clock = manualClock(START);
    const poll = pushbackPoll(
      { clock, localBucket: localBucket(), sharedBucket: bucket({ pushback }) },
      'CreateRoute',
    );
    return { clock, poll };
  }

  test('is asked once for all that wait, and again after a quarter of a second', async () => {
    const calls: string[] = [];
    const { clock, poll } = polled(async (call) => calls.push(call));
    expect([await poll(0), await poll(0)]).toEqual([1, 1]);
    clock.set(at(249));
    expect(await poll(0)).toBe(1);
    clock.set(at(250));
    expect([await poll(0), await poll(0)]).toEqual([2, 2]);
    expect(calls).toEqual(['CreateRoute', 'CreateRoute']);
  });

  test('is as it was known where the bucket does not answer', async () => {
    const { poll } = polled(() => Promise.reject(new Error('slow down')));
    expect(await poll(7)).toBe(7);
  });
});

describe('the slot of a call that EC2 refused', () => {
  const slots: Slots = { count: 1, firstAtMs: at(300), intervalMs: 200, pushbackMs: 9 };
  function reserving(reserve: SharedBucket['reserve']) {
    const clock = manualClock(START);
    const taken: string[] = [];
    const own = localBucket();
    const local = {
      ...own,
      reserve: (...asked: Parameters<typeof own.reserve>) => {
        taken.push(asked[0]);
        return own.reserve(...asked);
      },
    };
    const ports = { clock, localBucket: local, sharedBucket: bucket({ reserve }) };
    return { clock, taken, slot: reserveRetrySlot(ports, 'CreateRoute') };
  }

  test('is in front, cannot be pushed back, and counts in the local bucket', async () => {
    const asked: unknown[] = [];
    const { taken, slot } = reserving(async (...args) => {
      asked.push(args);
      return slots;
    });
    expect(await slot).toStrictEqual({ atMs: at(300) });
    expect([asked, taken]).toEqual([[['CreateRoute', 1, 'front', START]], ['CreateRoute']]);
  });

  test('is none where the bucket fails, or does not answer within five seconds; then it counts nowhere', async () => {
    const failed = reserving(() => Promise.reject(new Error('slow down')));
    expect([await failed.slot, failed.taken]).toEqual([undefined, []]);
    const silent = reserving(() => never);
    await silent.clock.advance(durationMs(5000));
    expect([await silent.slot, silent.taken]).toEqual([undefined, []]);
  });

  test('is waited for almost five seconds', async () => {
    let answer: (slots: Slots) => void = () => undefined;
    const slow = reserving(() => new Promise((resolve) => (answer = resolve)));
    await slow.clock.advance(durationMs(4999));
    answer(slots);
    expect(await slow.slot).toEqual({ atMs: epochMs(START + 300) });
  });
});
