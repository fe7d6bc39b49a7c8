// Tokens to spare: what a VIP whose node flaps takes of EC2's budget, behind everyone else.
import { describe, expect, test } from 'vitest';
import { memorySharedBucket } from '../../../shared/memory/shared-bucket.ts';
import { SPARE_WAIT_MAX } from '../../../shared/rate-limit/action-queue.ts';
import { callQueue, callQueueFor } from '../../../shared/rate-limit/call-queue.ts';
import { localBucket, rates } from '../../../shared/rate-limit/local-bucket.ts';
import type { Place, SharedBucket } from '../../../shared/rate-limit/shared-bucket.ts';
import { durationMs, plus, seconds } from '../../../shared/time.ts';
import { FLAPS_MIN } from '../../../shared/vip/flapping.ts';
import { newVip, type Vip } from '../../../shared/vip/vip.ts';
import { entry, finish, memberOf, START, type World, world } from '../../support/world.ts';

const CALL = 'ReplaceRoute';
const rate = rates[CALL];
const later = (ms: number) => plus(START, durationMs(ms));
const ports = (w: World, sharedBucket: SharedBucket) => ({
  clock: w.clock,
  localBucket: localBucket(),
  sharedBucket,
});

describe('a token is to spare', () => {
  test('while half of the burst is left for others after it', async () => {
    const bucket = memorySharedBucket();
    expect(await bucket.takeSpare(CALL, 10, START)).toMatchObject({ count: 10 });
    expect(await bucket.takeSpare(CALL, 10, START)).toMatchObject({ count: 10 });
    expect(await bucket.takeSpare(CALL, 10, START)).toBeUndefined();
    const { firstAtMs, intervalMs } = await bucket.reserve(CALL, rate.burst / 2 - 1, 'back', START);
    expect(firstAtMs + (rate.burst / 2 - 2) * intervalMs, 'those go at once').toBeLessThanOrEqual(START);
  });

  test('again when the bucket has refilled, to the millisecond', async () => {
    const bucket = memorySharedBucket();
    await bucket.takeSpare(CALL, 22, START);
    const from = (await tries(bucket, 0, 10_000))!;
    expect(await bucket.takeSpare(CALL, 10, later(from - 1))).toBeUndefined();
    expect(await bucket.takeSpare(CALL, 10, later(from))).toBeDefined();
  });

  /** The first millisecond at which ten are to spare; nothing is taken. */
  async function tries(bucket: ReturnType<typeof memorySharedBucket>, fromMs: number, toMs: number) {
    for (let ms = fromMs; ms < toMs; ms++) {
      const copy = memorySharedBucket();
      copy.buckets.set(CALL, bucket.buckets.get(CALL)!);
      if ((await copy.takeSpare(CALL, 10, later(ms))) !== undefined) return ms;
    }
    return undefined;
  }

  test('in a full bucket, however small that is', async () => {
    const small = memorySharedBucket({ ...rates, ReplaceRoute: { burst: 2, perSecond: 1 } });
    expect(await small.takeSpare(CALL, 2, START)).toBeDefined();
    expect(await small.takeSpare(CALL, 1, START)).toBeUndefined();
    expect(await small.takeSpare(CALL, 2, later(1999)), 'full again in a millisecond').toBeUndefined();
    expect(await small.takeSpare(CALL, 2, later(2000))).toBeDefined();
  });
});

describe('the queue of a VIP whose node flaps', () => {
  const damped = (over: Partial<Vip> = {}): Vip => ({
    ...newVip(entry),
    members: { 'i-a': memberOf('i-a') },
    transitions: {
      'i-a': Array.from({ length: FLAPS_MIN }, (_, n) => ({ boot: 'b', since: n, atMs: later(n - 100) })),
    },
    tablesSeen: 20,
    ...over,
  });

  /** Sends `count` calls; when each went out, in ms after START, in their order. */
  function sends(w: World, bucket: SharedBucket, count: number, place: Place) {
    const queue = callQueue(ports(w, bucket), place);
    const at: number[] = [];
    const all = Array.from({ length: count }, async () => {
      await queue.waitForSlot(CALL);
      at.push(w.clock.now() - START);
    });
    return { at, all: Promise.all(all), queue };
  }

  test('reserves nothing beforehand, also with priority; that of a calm one does', async () => {
    const [w, bucket] = [world(), memorySharedBucket()];
    callQueueFor(ports(w, bucket), damped());
    callQueueFor(ports(w, bucket), damped({ priority: 'first' }));
    await w.clock.advance(durationMs(10));
    expect(bucket.buckets.size).toBe(0);
    callQueueFor(ports(w, bucket), damped({ transitions: {} }));
    await w.clock.advance(durationMs(10));
    expect(bucket.buckets.size, 'routes and EIPs').toBe(2);
  });

  test('sends a small plan at once where no one else asks', async () => {
    const w = world();
    const { at, all } = sends(w, memorySharedBucket(), 20, 'last');
    await finish(w, all);
    expect(Math.max(...at)).toBe(0);
  });

  test('delays no one: a failover of 20 calls goes at once beside any number of them', async () => {
    const [w, bucket] = [world(), memorySharedBucket()];
    const others = Array.from({ length: 10 }, () => sends(w, bucket, 20, 'last'));
    await w.clock.advance(seconds(5));
    const honest = sends(w, bucket, 20, 'back');
    await finish(w, honest.all);
    expect(Math.max(...honest.at) - 5000).toBe(0);
    await finish(w, Promise.all(others.map(({ all }) => all)));
  });

  test('waits while others leave nothing, a minute at the most: then it stands in line', async () => {
    const [w, bucket] = [world(), memorySharedBucket()];
    const others = sends(w, bucket, 1000, 'back');
    await w.clock.advance(seconds(1));
    const { at, all } = sends(w, bucket, 1, 'last');
    await finish(w, all);
    expect(at[0]! - 1000).toBeGreaterThanOrEqual(SPARE_WAIT_MAX);
    expect(at[0]! - 1000, 'two slices of the other').toBeLessThan(SPARE_WAIT_MAX + 7000);
    await finish(w, others.all);
  });

  test('a call of it that EC2 refused goes no sooner', async () => {
    const [w, bucket] = [world(), memorySharedBucket()];
    await bucket.takeSpare(CALL, 22, START);
    const queue = callQueue(ports(w, bucket), 'last');
    await finish(w, queue.waitForRetrySlot(CALL)!);
    expect(w.clock.now() - START).toBeGreaterThanOrEqual(1000);
  });

  test('a bucket that does not answer is as good as none', async () => {
    const w = world();
    const broken = { ...memorySharedBucket(), takeSpare: () => Promise.reject(new Error('no')) };
    const { at, all } = sends(w, broken, 10, 'last');
    await finish(w, all);
    expect(Math.max(...at)).toBe(0);
  });

  test('ends with its failover: what still waits is refused and asks no more', async () => {
    const [w, bucket] = [world(), memorySharedBucket()];
    await bucket.takeSpare(CALL, 22, START);
    const { all, queue } = sends(w, bucket, 20, 'last');
    const failed = expect(all).rejects.toMatchObject({ kind: 'deadline' });
    await w.clock.advance(seconds(1));
    await queue.end();
    await failed;
    const { fullAtMs } = bucket.buckets.get(CALL)!;
    await w.clock.advance(seconds(30));
    expect(bucket.buckets.get(CALL)!.fullAtMs).toBe(fullAtMs);
  });
});

test('slots of calls that were not sent are refunded, those of calls that were are not', async () => {
  const [w, bucket] = [world(), memorySharedBucket()];
  const queue = callQueue(ports(w, bucket), 'back');
  for (let n = 0; n < 30; n++) void queue.waitForSlot(CALL);
  await w.clock.advance(durationMs(10));
  for (let n = 0; n < 12; n++) queue.sent(CALL);
  await queue.end();
  const took = Math.ceil(30_000 / rate.perSecond) - Math.ceil(18_000 / rate.perSecond);
  expect(bucket.buckets.get(CALL)!.fullAtMs - START).toBe(took);
});
