import { describe, expect, test } from 'vitest';
import { handleClaim } from '../../../shared/controller/handle-claim.ts';
import { Fault } from '../../../shared/fault.ts';
import { type MemorySharedBucket, memorySharedBucket } from '../../../shared/memory/shared-bucket.ts';
import { plan } from '../../../shared/network/plan.ts';
import { SLICE } from '../../../shared/rate-limit/action-queue.ts';
import { callQueue, callQueueFor } from '../../../shared/rate-limit/call-queue.ts';
import { localBucket, rates } from '../../../shared/rate-limit/local-bucket.ts';
import {
  afterDrain,
  afterReserve,
  DRAIN_PAUSE,
  type Priority,
  type SharedBucket,
  slotsOf,
  untouched,
} from '../../../shared/rate-limit/shared-bucket.ts';
import { durationMs, type EpochMs, minutes, plus, seconds } from '../../../shared/time.ts';
import { newVip } from '../../../shared/vip/vip.ts';
import {
  addTable,
  anyNode,
  entry,
  finish,
  heard,
  item,
  memberOf,
  reconciles,
  START,
  says,
  targets,
  V4,
  type World,
  world,
} from '../../support/world.ts';

/** EC2 developer guide, "Request throttling". */
const real = { burst: 50, perSecond: 5 };
const rate = rates.ReplaceRoute;

/** The instants at which calls may go out, from reservations of these sizes one after the other. */
async function instants(
  budget: SharedBucket,
  counts: readonly number[],
  priority: Priority = 'back',
): Promise<number[]> {
  const all: number[] = [];
  for (const count of counts) {
    const slots = await budget.reserve('ReplaceRoute', count, priority, START);
    for (let n = 0; n < count; n++) all.push(Math.max(START, slots.firstAtMs + n * slots.intervalMs));
  }
  return all;
}

/** How many calls EC2's own bucket refuses when they arrive at these instants. */
function refusals(at: readonly number[]): number {
  let [tokens, last, refused] = [real.burst, 0, 0];
  for (const instant of at.toSorted((a, b) => a - b)) {
    tokens = Math.min(real.burst, tokens + ((instant - (last || instant)) / 1000) * real.perSecond);
    last = instant;
    if (tokens < 1) refused += 1;
    else tokens -= 1;
  }
  return refused;
}

describe('the account’s budget', () => {
  test('is never refused by EC2’s bucket, however many slots are reserved in which order', async () => {
    for (const counts of [[400], Array.from({ length: 40 }, () => 10), [45, 1, 200, 7, 7, 140]]) {
      expect(refusals(await instants(memorySharedBucket(), counts))).toBe(0);
    }
  });

  test('lets a burst of 45 go at once: one that fits is not held up', async () => {
    const at = await instants(memorySharedBucket(), [45]);
    expect(at.every((instant) => instant === START)).toBe(true);
  });

  test('loses at most a fifth against EC2’s own refill over 400 calls', async () => {
    const at = await instants(
      memorySharedBucket(),
      Array.from({ length: 40 }, () => 10),
    );
    expect(Math.max(...at) - START).toBeLessThan(1.2 * ((400 - 50) / 5) * 1000);
  });

  test('serves in the order of reservation: no later caller goes first', async () => {
    const at = await instants(memorySharedBucket(), [60, 5, 30]);
    expect(at).toEqual(at.toSorted((a, b) => a - b));
  });

  test('priority front waits for tokens that are gone, and not for those that others have only reserved', async () => {
    const budget = memorySharedBucket();
    await instants(budget, [200]);
    const [first] = await instants(budget, [1], 'front');
    expect(first! - START).toBeLessThan(1000);
    const late = await instants(budget, [1]);
    expect(late[0]! - START).toBeGreaterThan(30_000);
  });

  test('a caller that is pushed back can read by how much', async () => {
    const budget = memorySharedBucket();
    await instants(budget, [200]);
    const before = await budget.pushback('ReplaceRoute');
    await instants(budget, [5], 'front');
    expect((await budget.pushback('ReplaceRoute')) - before).toBe(Math.ceil(5000 / rate.perSecond));
  });

  test('priority front pushes no one back while the burst lasts', async () => {
    const budget = memorySharedBucket();
    await instants(budget, [10]);
    await instants(budget, [10], 'front');
    expect(await budget.pushback('ReplaceRoute')).toBe(0);
  });

  test('what is refunded can be reserved again', async () => {
    const budget = memorySharedBucket();
    await budget.reserve('ReplaceRoute', 45, 'back', START);
    await budget.refund('ReplaceRoute', 45);
    expect((await instants(budget, [45])).every((instant) => instant === START)).toBe(true);
  });

  test('a refusal by EC2 empties the bucket: the next slot is a whole token away', () => {
    const empty = afterDrain(rate, untouched, START);
    const next = slotsOf(
      rate,
      afterReserve(rate, empty, { count: 1, priority: 'back', now: START }),
      1,
      'back',
    );
    expect(next.firstAtMs - START).toBeGreaterThanOrEqual(200);
  });

  test('a refusal in a queue makes all that wait, wait longer, once in each pause: many say the same', () => {
    const queue = afterReserve(rate, untouched, { count: 300, priority: 'back', now: START });
    const once = afterDrain(rate, queue, START);
    expect([once.fullAtMs - queue.fullAtMs, once.shiftMs - queue.shiftMs]).toEqual([
      DRAIN_PAUSE,
      DRAIN_PAUSE,
    ]);
    expect(afterDrain(rate, once, plus(START, durationMs(DRAIN_PAUSE - 1)))).toEqual(once);
    expect(afterDrain(rate, once, plus(START, DRAIN_PAUSE)).shiftMs).toBe(2 * DRAIN_PAUSE);
  });
});

describe('the queue of a failover', () => {
  const ports = (w: World, sharedBucket: SharedBucket) => ({
    clock: w.clock,
    localBucket: localBucket(),
    sharedBucket,
  });

  /** When each of `count` calls went out, in ms after START. */
  async function sendTimes(
    w: World,
    budget: SharedBucket,
    count: number,
    priority: Priority = 'back',
  ): Promise<number[]> {
    const queue = callQueue(ports(w, budget), priority);
    const at: number[] = [];
    const all = Array.from({ length: count }, async () => {
      await queue.waitForSlot('ReplaceRoute');
      at.push(w.clock.now() - START);
    });
    await finish(w, Promise.all(all));
    return at;
  }

  test('what was expected is reserved beforehand: its calls go without a wait', async () => {
    const w = world();
    const queue = callQueueFor(ports(w, memorySharedBucket()), { ...newVip(entry), tablesSeen: 4 });
    await w.clock.advance(durationMs(10));
    for (let n = 0; n < 8; n++) expect(queue.waitForSlot('ReplaceRoute')).toBeUndefined();
  });

  test('what was expected and not needed is refunded', async () => {
    const [w, budget] = [world(), memorySharedBucket()];
    const queue = callQueueFor(ports(w, budget), { ...newVip(entry), tablesSeen: 20 });
    await w.clock.advance(durationMs(10));
    await queue.end();
    expect(budget.buckets.get('ReplaceRoute')!.fullAtMs).toBeLessThanOrEqual(START);
  });

  test('200 calls of one failover take what EC2 needs and no second and a half more', async () => {
    const at = await sendTimes(world(), memorySharedBucket(), 200);
    expect(at).toHaveLength(200);
    expect(Math.max(...at)).toBeLessThanOrEqual(30_000 + 1500);
    expect(refusals(at.map((ms) => START + ms))).toBe(0);
  });

  test('a VIP with many tables does not reserve the whole bucket: one with a single table is not starved', async () => {
    const [w, budget] = [world(), memorySharedBucket()];
    const many = sendTimes(w, budget, 400);
    await w.clock.advance(durationMs(20));
    const one = await sendTimes(w, budget, 1);
    expect(one[0]).toBeLessThan((2 * SLICE * 1000) / rate.perSecond);
    await many;
  });

  test('a VIP with priority goes before all that wait, and they wait that much longer', async () => {
    const [w, budget] = [world(), memorySharedBucket()];
    const others = [1, 2, 3, 4].map(() => sendTimes(w, budget, 50));
    await w.clock.advance(seconds(3));
    const first = await sendTimes(w, budget, 5, 'front');
    expect(Math.max(...first) - 3000).toBeLessThan(2000);
    const all = [...(await Promise.all(others)).flat(), ...first];
    expect(all).toHaveLength(205);
    expect(refusals(all.map((ms) => START + ms)) / 205, 'those on their way when it came').toBeLessThan(0.1);
  });

  test('a shared bucket that does not answer delays no call for good: the local bucket decides', async () => {
    const silent: SharedBucket = { ...memorySharedBucket(), reserve: () => new Promise(() => undefined) };
    const at = await sendTimes(world(), silent, 10);
    expect(at).toHaveLength(10);
    expect(Math.max(...at)).toBeLessThanOrEqual(1000);
  });

  test('a shared bucket that fails is as good as none', async () => {
    const broken: SharedBucket = {
      ...memorySharedBucket(),
      reserve: () => Promise.reject(new Fault('unknown', 'InternalServerError', 'no')),
    };
    expect(Math.max(...(await sendTimes(world(), broken, 10)))).toBe(0);
  });
});

describe('the order of a plan', () => {
  test('EIPs first, then the tables of the first label, then the others', async () => {
    const w = world();
    const vip = { ...item(w), tableLabels: ['urgent', 'web'], addresses: [V4] };
    addTable(w.ec2, 'rtb-9', 'urgent');
    const { steps } = plan(vip, await w.ec2.observe(vip), memberOf('i-a'), true);
    const cells = steps.map((step) => step.cell.split(' ')[0]);
    expect(cells).toEqual(['eipalloc-1', 'rtb-9', 'rtb-1', 'rtb-2', 'rtb-3', 'rtb-4']);
  });
});

describe('a failover under the budget', () => {
  const many = (tables: number, budget: MemorySharedBucket): World => {
    const w = world();
    for (let n = 5; n <= tables; n++) addTable(w.ec2, `rtb-${n}`, 'web');
    w.vips.items.set('web', { ...item(w), addresses: [V4], eips: [], tablesSeen: tables });
    Object.assign(w.ports, { sharedBucket: budget });
    return w;
  };

  test('tells beforehand when the last call will go out, and is about right', async () => {
    const w = many(120, memorySharedBucket());
    await says(w, 'i-b');
    const intent = w.timeline.entries.find((e) => e.entry === 'intent')!;
    const outcome = w.timeline.entries.find((e) => e.entry === 'outcome')!;
    const due = (intent as { dueAtMs?: EpochMs }).dueAtMs!;
    const last = (outcome as { stages: readonly { stage: string; atMs: EpochMs }[] }).stages.find(
      (s) => s.stage === 'last mutation accepted',
    )!.atMs;
    expect(last - START).toBeGreaterThan(10_000);
    expect(Math.abs(last - due)).toBeLessThan(2000);
  });

  test('a plan longer than the invocation continues in the next one, under a lease of its own', async () => {
    const w = many(200, memorySharedBucket());
    const deadline = plus(START, seconds(20));
    const wait = w.clock.wait.bind(w.clock);
    w.clock.wait = (duration) =>
      plus(w.clock.now(), duration) > deadline
        ? Promise.reject(new Fault('deadline', 'Deadline', 'no time left'))
        : wait(duration);
    const first = await finish(w, handleClaim({ ...w.ports, deadline }, heard('i-b'), anyNode));
    expect(first).toMatchObject({ answer: 'switched', failovers: [{ outcome: 'partial' }] });
    const moved = [...w.ec2.tables.values()].filter(
      (t) => t.routes[V4]?.target === memberOf('i-b').eni,
    ).length;
    expect(moved).toBeGreaterThan(100);
    expect(moved).toBeLessThan(200);
    expect(item(w).lease, 'let go: no one else has to wait for it to run out').toBeUndefined();
    w.clock.wait = wait;
    await w.clock.advance(seconds(5));
    const second = await reconciles(w);
    expect(second).toMatchObject({ did: 'switched' });
    expect(targets(w)).toEqual([memberOf('i-b').eni]);
    expect(item(w)).toMatchObject({ owner: 'i-b', epoch: 2 });
    expect(w.clock.now() - START, 'nothing was sent twice').toBeLessThan(minutes(1));
  });
});
