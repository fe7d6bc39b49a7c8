// What every SharedBucket must do, held against the one in memory: whatever is asked of it, in whatever order, and at the very
// instants at which a case ends: full again, past the burst, paused no longer.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { memorySharedBucket } from '../../../shared/memory/shared-bucket.ts';
import { rates } from '../../../shared/rate-limit/local-bucket.ts';
import {
  DRAIN_PAUSE,
  increment,
  type SharedBucket,
  spareUntil,
  tolerance,
} from '../../../shared/rate-limit/shared-bucket.ts';
import { durationMs, type EpochMs, epochMs, plus } from '../../../shared/time.ts';
import { START } from '../../support/world.ts';

const CALLS = ['ReplaceRoute', 'AssociateAddress'] as const;

const deed = fc.record({
  call: fc.constantFrom(...CALLS, 'ReplaceRoute'),
  does: fc.constantFrom('reserve', 'reserve', 'reserve', 'spare', 'spare', 'refund', 'drain'),
  priority: fc.constantFrom('front', 'back'),
  count: fc.constantFrom(1, 3, 10, 50),
  /** At such an instant of the bucket as it is, or so much later. */
  at: fc.constantFrom('later', 'later', 'full', 'burst', 'front', 'pause', 'spare'),
  addMs: fc.constantFrom(-1, 0, 0, 1),
  laterMs: fc.constantFrom(0, 0, 1, 200, 5000),
});

/** `open`: a bucket that was never used, as several execution environments have it. */
export function sharedBucketContract(open: () => readonly SharedBucket[], numRuns: number): void {
  it('gives the same slots as in memory, and is pushed back by as much', async () => {
    const met = { front: 0, drains: 0, spared: 0, unspared: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 6, maxLength: 16 }), async (deeds) => {
        const memory = memorySharedBucket();
        const environments = open();
        const reserved = new Set<string>();
        let now = START;
        const refunded = new Set<string>();
        for (const [n, { call, does, count, ...drawn }] of deeds.entries()) {
          // Limit: what goes first after a refund has a place of its own in memory, and the refunded one on DynamoDB.
          const { priority: first, ...when } = drawn;
          const priority = refunded.has(call) ? 'back' : first;
          now = epochMs(Math.max(now, instantOf(memory.buckets.get(call), call, now, { ...when, count })));
          const bucket = environments[n % environments.length]!;
          if (does === 'reserve') {
            reserved.add(`${n % environments.length} ${call}`);
            const [wanted, found] = [
              await memory.reserve(call, count, priority, now),
              await bucket.reserve(call, count, priority, now),
            ];
            expect(
              found,
              JSON.stringify([n, call, priority, count, now - START, memory.buckets.get(call)]),
            ).toEqual(wanted);
            if (priority === 'front' && wanted.pushbackMs > 0) met.front += 1;
          } else if (does === 'spare') {
            const wanted = await memory.takeSpare(call, count, now);
            const what = JSON.stringify([n, call, count, now - START, memory.buckets.get(call)]);
            expect(await bucket.takeSpare(call, count, now), what).toEqual(wanted);
            if (wanted !== undefined) reserved.add(`${n % environments.length} ${call}`);
            met[wanted === undefined ? 'unspared' : 'spared'] += 1;
          } else if (does === 'refund') {
            // An environment gives back what it has reserved itself.
            if (!reserved.has(`${n % environments.length} ${call}`)) continue;
            refunded.add(call);
            await memory.refund(call, count);
            await bucket.refund(call, count);
          } else {
            met.drains += 1;
            await memory.drain(call, now);
            await bucket.drain(call, now);
          }
        }
      }),
      { numRuns },
    );
    expect(
      Object.values(met).every((times) => times > 0),
      JSON.stringify(met),
    ).toBe(true);
  });

  it.each([-1, 0, 1])(
    'counts a refusal as in memory, %i ms from where the burst ends, and from the end of the pause',
    async (ms) => {
      const [memory, [bucket]] = [memorySharedBucket(), open()];
      const call = 'ReplaceRoute';
      const both = [memory, bucket!];
      const slots = (now: EpochMs) => Promise.all(both.map((one) => one.reserve(call, 1, 'back', now)));
      await Promise.all(both.map((one) => one.reserve(call, 100, 'back', START)));
      const gone = epochMs(memory.buckets.get(call)!.fullAtMs - tolerance(rates[call]) + ms);
      const over = epochMs(gone + DRAIN_PAUSE + ms);
      for (const now of [gone, over]) {
        await Promise.all(both.map((one) => one.drain(call, now)));
        const [wanted, found] = await slots(now);
        expect(found, `${now - START} ms`).toEqual(wanted);
      }
      expect(memory.buckets.get(call)!.emptiedAtMs).toBe(ms < 0 ? gone : over);
    },
  );
}

interface When {
  readonly at: string;
  readonly addMs: number;
  readonly laterMs: number;
  readonly count: number;
}
type State = { readonly fullAtMs: EpochMs; readonly frontAtMs: EpochMs; readonly emptiedAtMs: EpochMs };

function instantOf(
  state: State | undefined,
  call: (typeof CALLS)[number],
  now: EpochMs,
  { at, addMs, laterMs, count }: When,
) {
  const edges: Readonly<Record<string, number | undefined>> = {
    full: state?.fullAtMs,
    burst: state && state.fullAtMs - tolerance(rates[call]),
    front: state && state.frontAtMs - tolerance(rates[call]),
    // From here on there is enough to spare.
    spare: state && state.fullAtMs + increment(rates[call], count) - (spareUntil(rates[call], now) - now),
    pause: state && state.emptiedAtMs + DRAIN_PAUSE,
  };
  const edge = edges[at];
  return edge === undefined ? plus(now, durationMs(laterMs)) : edge + addMs;
}
