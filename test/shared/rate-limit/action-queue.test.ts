// The calls of one action in one failover: what is reserved for them, when, and what serves where the shared bucket does not.
import { describe, expect, test } from 'vitest';
import { Fault } from '../../../shared/fault.ts';
import { manualClock } from '../../../shared/memory/clock.ts';
import { ActionQueue, SLICE } from '../../../shared/rate-limit/action-queue.ts';
import { callQueue, callQueueFor, lastCallAtMs } from '../../../shared/rate-limit/call-queue.ts';
import { localBucket, rates } from '../../../shared/rate-limit/local-bucket.ts';
import type { Priority, SharedBucket, Slots } from '../../../shared/rate-limit/shared-bucket.ts';
import { durationMs, type EpochMs, plus } from '../../../shared/time.ts';
import { newVip } from '../../../shared/vip/vip.ts';
import { entry, START } from '../../support/world.ts';

const INTERVAL = 200;
const at = (ms: number): EpochMs => plus(START, durationMs(ms));
const never = new Promise<never>(() => undefined);
/** A burst that a test can count, then a call each tenth of a second. */
const small = { ...rates, CreateRoute: { burst: 2, perSecond: 10 } };

interface Scene {
  readonly over?: Partial<SharedBucket>;
  readonly priority?: Priority;
  readonly sizes?: typeof rates;
}

/** A shared bucket whose first slot is at once, each further one INTERVAL later; and what was asked of it, and when. */
function scene({ over = {}, priority = 'back', sizes = rates }: Scene = {}) {
  const clock = manualClock(START);
  const asked: (string | number)[][] = [];
  let nextAtMs: EpochMs = START;
  const noted = (what: string, ...more: (string | number)[]) => {
    asked.push([clock.now() - START, what, ...more]);
  };
  const shared: SharedBucket = {
    async reserve(_call, count, of): Promise<Slots> {
      noted('reserve', count, of);
      const firstAtMs = nextAtMs;
      nextAtMs = plus(nextAtMs, durationMs(count * INTERVAL));
      return { count, firstAtMs, intervalMs: INTERVAL, pushbackMs: 0 };
    },
    takeSpare: async () => undefined,
    pushback: async () => 0,
    refund: async (_call, count) => noted('refund', count),
    drain: async () => noted('drain'),
    ...over,
  };
  const ports = { clock, localBucket: localBucket(sizes), sharedBucket: shared };
  const queue = new ActionQueue(ports, 'CreateRoute', priority);
  const went: (number | string)[] = [];
  const ask = (turn: Promise<void> | undefined = queue.waitForSlot()) =>
    void Promise.resolve(turn).then(
      () => went.push(clock.now() - START),
      (error: Fault) => went.push(`${error.kind} ${error.code}`),
    );
  return { clock, asked, queue, went, ask, ports };
}
const pass = (clock: Scenes['clock'], ms: number) => clock.advance(durationMs(ms));
type Scenes = ReturnType<typeof scene>;

describe('what is announced', () => {
  test('is reserved at once and together; its calls then go without a wait', async () => {
    const { queue, clock, asked } = scene();
    queue.reserveAhead(2);
    queue.reserveAhead(3);
    await pass(clock, 1000);
    expect(asked).toEqual([[0, 'reserve', 5, 'back']]);
    expect(Array.from({ length: 5 }, () => queue.waitForSlot())).toEqual(Array(5).fill(undefined));
  });

  test('is nothing where no call is: then nothing is asked', async () => {
    const { queue, clock, asked } = scene();
    queue.reserveAhead(0);
    await pass(clock, 1000);
    expect(asked).toEqual([]);
  });

  test('serves the calls that ask while it is being reserved, and is not reserved for them again', async () => {
    const { queue, clock, asked, went, ask } = scene();
    queue.reserveAhead(3);
    ask();
    ask();
    await pass(clock, 1000);
    expect(asked).toEqual([[0, 'reserve', 3, 'back']]);
    expect(went).toEqual([0, 200]);
    expect(queue.waitForSlot(), 'the third').toBeUndefined();
  });

  test('is waited for until its instant, also where it was reserved long before', async () => {
    const { queue, clock, went, ask } = scene();
    queue.reserveAhead(2);
    await pass(clock, 150);
    ask();
    ask();
    await pass(clock, 1000);
    expect(went).toEqual([150, 200]);
  });
});

describe('a long plan', () => {
  test('reserves a burst first, then slice after slice, a second before the last slot of the one before', async () => {
    const { clock, asked, went, ask } = scene();
    for (let n = 0; n < 49 + SLICE + 1; n++) ask();
    await pass(clock, 60_000);
    const lastOfBurst = 48 * INTERVAL;
    expect(asked).toEqual([
      [0, 'reserve', 49, 'back'],
      [lastOfBurst - 1000, 'reserve', SLICE, 'back'],
      [lastOfBurst + SLICE * INTERVAL - 1000, 'reserve', 1, 'back'],
    ]);
    expect(went).toEqual(Array.from({ length: 60 }, (_, n) => n * INTERVAL));
  });

  test('of an account with a larger bucket is reserved in its sizes: a burst, then two seconds of refill', async () => {
    const larger = { ...rates, CreateRoute: { burst: 120, perSecond: 25 } };
    const { clock, asked, ask } = scene({ sizes: larger });
    for (let n = 0; n < 120 + 50 + 7; n++) ask();
    await pass(clock, 120_000);
    expect(asked.map(([, , count]) => count)).toEqual([120, 50, 7]);
  });

  test('counts in the local bucket, which serves alone where the shared one fails', async () => {
    const { clock, ask, ports } = scene();
    for (let n = 0; n < 20; n++) ask();
    await pass(clock, 0);
    expect(ports.localBucket.delay('CreateRoute', 29, START)).toBe(0);
    expect(ports.localBucket.delay('CreateRoute', 30, START)).toBeGreaterThan(0);
  });
});

describe('priority', () => {
  const pushedBack = async (priority: Priority) => {
    const { clock, asked, went, ask } = scene({ priority, over: { pushback: async () => 700 } });
    for (let n = 0; n < 5; n++) ask();
    await pass(clock, 5000);
    return { asked, went };
  };

  test('in front is asked for, and no one pushes such a call back', async () => {
    expect(await pushedBack('front')).toEqual({
      asked: [[0, 'reserve', 5, 'front']],
      went: [0, 200, 400, 600, 800],
    });
  });

  test('at the back is pushed back while more than half a second is left', async () => {
    expect((await pushedBack('back')).went).toEqual([0, 200, 400, 1300, 1500]);
  });
});

describe('a shared bucket that does not answer', () => {
  const silent = { reserve: () => never };

  test('holds the first calls up for 300 ms: then those go that the local bucket lets go at once', async () => {
    const { clock, went, ask } = scene({ over: silent, sizes: small });
    for (let n = 0; n < 3; n++) ask();
    await pass(clock, 299);
    expect(went).toEqual([]);
    await pass(clock, 1);
    expect(went).toEqual([300, 300]);
    await pass(clock, 5000);
    expect(went, 'the third waits for the answer, and then for its token').toEqual([300, 300, 1000]);
  });

  test('gives the others to the local bucket after a second', async () => {
    const { clock, went, ask } = scene({
      over: silent,
      sizes: { ...rates, CreateRoute: { burst: 1, perSecond: 1 } },
    });
    for (let n = 0; n < 3; n++) ask();
    await pass(clock, 5000);
    expect(went).toEqual([300, 1300, 2300]);
  });

  test('that fails gives them to it at once', async () => {
    const { clock, went, ask, asked } = scene({
      over: { reserve: () => Promise.reject(new Error('slow down')) },
      sizes: small,
    });
    for (let n = 0; n < 3; n++) ask();
    await pass(clock, 5000);
    expect([went, asked]).toEqual([[0, 0, 100], []]);
  });

  test('is asked again by the next call', async () => {
    let fails = true;
    const { clock, went, ask } = scene({
      over: {
        reserve: async (_call, count) => {
          if (fails) throw new Error('slow down');
          return { count, firstAtMs: at(150), intervalMs: INTERVAL, pushbackMs: 0 };
        },
      },
    });
    ask();
    await pass(clock, 100);
    fails = false;
    ask();
    await pass(clock, 1000);
    expect(went).toEqual([0, 150]);
  });

  test('is waited for by a call within 300 ms: its slot counts', async () => {
    let answer: (slots: Slots) => void = () => undefined;
    const { clock, went, ask } = scene({
      over: {
        reserve: () =>
          new Promise((resolve) => {
            answer = resolve;
          }),
      },
    });
    ask();
    await pass(clock, 299);
    answer({ count: 1, firstAtMs: at(900), intervalMs: INTERVAL, pushbackMs: 0 });
    await pass(clock, 5000);
    expect(went).toEqual([900]);
  });

  test('that has answered once is trusted: a later call waits for it, however long it takes', async () => {
    let reservations = 0;
    const slow = scene({
      over: {
        reserve: async (_call, count) => {
          reservations += 1;
          if (reservations > 1) await slow.clock.wait(durationMs(800));
          return { count, firstAtMs: slow.clock.now(), intervalMs: INTERVAL, pushbackMs: 0 };
        },
      },
    });
    slow.ask();
    await pass(slow.clock, 100);
    slow.ask();
    await pass(slow.clock, 5000);
    expect(slow.went).toEqual([0, 900]);
  });

  test('close to the end of the invocation refuses the calls, for there is no time to wait for it', async () => {
    const late = () => Promise.reject(new Fault('deadline', 'Deadline', 'no time left'));
    const { clock, went, ask } = scene({ over: { reserve: late } });
    ask();
    ask();
    await pass(clock, 0);
    expect(went).toEqual(['deadline Deadline', 'deadline Deadline']);
  });
});

describe('a refusal of EC2', () => {
  test('empties the local bucket each time, and the shared one once a second', async () => {
    const { queue, clock, asked, ports } = scene();
    queue.drain();
    await pass(clock, 999);
    queue.drain();
    expect(ports.localBucket.delay('CreateRoute', 1, clock.now())).toBeGreaterThan(200);
    await pass(clock, 1);
    queue.drain();
    await pass(clock, 10);
    expect(asked).toEqual([
      [0, 'drain'],
      [1000, 'drain'],
    ]);
  });

  test('gives the call a slot in front of all that wait, without a pushback', async () => {
    const { queue, clock, asked, went, ask } = scene({ over: { pushback: async () => 700 } });
    for (let n = 0; n < 4; n++) ask();
    await pass(clock, 0);
    ask(queue.waitForRetrySlot());
    await pass(clock, 5000);
    expect(asked.slice(0, 2)).toEqual([
      [0, 'reserve', 4, 'back'],
      [0, 'reserve', 1, 'front'],
    ]);
    expect(went).toContain(800);
  });

  test('lets the local bucket decide where the shared one does not', async () => {
    const { queue, clock, went, ask } = scene({
      over: { reserve: () => Promise.reject(new Error('slow down')) },
      sizes: small,
    });
    for (let n = 0; n < 3; n++) ask(queue.waitForRetrySlot());
    await pass(clock, 5000);
    expect(went).toEqual([0, 0, 100]);
  });
});

describe('when the calls will have gone out', () => {
  test('is what the local bucket says until the shared one has answered', () => {
    const { queue } = scene({ sizes: small });
    expect([queue.dueAtMs(2), queue.dueAtMs(4)]).toEqual([START, at(200)]);
  });

  test('is the instant of the slot that is reserved, and beyond those one interval for each', async () => {
    const { queue, clock } = scene();
    queue.reserveAhead(3);
    await pass(clock, 1);
    const due = [1, 3, 4, 6].map((count) => queue.dueAtMs(count) - START);
    expect(due).toEqual([0, 400, 600, 1000]);
    void queue.waitForSlot();
    expect([1, 2, 3].map((count) => queue.dueAtMs(count) - START)).toEqual([200, 400, 600]);
  });
});

describe('the end of a failover', () => {
  test('refunds the slots that no call has used, to both buckets', async () => {
    const { queue, clock, asked, ports } = scene({ sizes: small });
    queue.reserveAhead(2);
    await pass(clock, 1);
    expect(ports.localBucket.delay('CreateRoute', 1, START)).toBe(100);
    await queue.end();
    expect(asked.at(-1)).toEqual([1, 'refund', 2]);
    expect(ports.localBucket.delay('CreateRoute', 2, START)).toBe(0);
    await queue.end();
    expect(asked).toHaveLength(2);
  });

  test('hurts nothing where the refund fails', async () => {
    const { queue, clock } = scene({ over: { refund: () => Promise.reject(new Error('slow down')) } });
    queue.reserveAhead(2);
    await pass(clock, 1);
    await expect(queue.end()).resolves.toBeUndefined();
  });

  test('refuses the calls that still wait, and reserves nothing more for what was announced', async () => {
    const { queue, clock, asked, went, ask } = scene();
    for (let n = 0; n < 50; n++) ask();
    queue.reserveAhead(5);
    await pass(clock, 0);
    await queue.end();
    await pass(clock, 60_000);
    const unsent = 49;
    expect(asked).toEqual([
      [0, 'reserve', 49, 'back'],
      [0, 'refund', unsent],
    ]);
    expect(went.filter((one) => one === 'deadline TurnsEnded')).toHaveLength(1);
  });

  test('waits until the shared bucket knows that it is empty; that it cannot be told hurts nothing', async () => {
    const slow = scene({ over: { drain: () => slow.clock.wait(durationMs(500)) } });
    slow.queue.drain();
    const ended = slow.queue.end().then(() => slow.clock.now());
    await pass(slow.clock, 700);
    expect(await ended).toBe(at(500));
    const broken = scene({ over: { drain: () => Promise.reject(new Error('slow down')) } });
    broken.queue.drain();
    await expect(broken.queue.end()).resolves.toBeUndefined();
  });
});

describe('the queue of a failover', () => {
  test('has one for each action, and reserves what moving the VIP took last time', async () => {
    const { clock, asked, ports } = scene();
    callQueueFor(ports, { ...newVip({ ...entry, eips: ['a', 'b', 'c'] }), tablesSeen: 4 });
    await pass(clock, 0);
    expect(asked).toEqual([
      [0, 'reserve', 8, 'back'],
      [0, 'reserve', 3, 'back'],
    ]);
    const first = scene();
    callQueueFor(first.ports, newVip({ ...entry, priority: 'first' }));
    await pass(first.clock, 0);
    expect(first.asked, 'no table was seen yet').toEqual([[0, 'reserve', 1, 'front']]);
  });

  test('ends them all, and drains the one that was refused', async () => {
    const { clock, asked, ports } = scene();
    const queue = callQueue(ports, 'back');
    queue.reserveAhead('CreateRoute', 2);
    queue.reserveAhead('AssociateAddress', 1);
    await pass(clock, 0);
    queue.drain('CreateRoute');
    expect(await queue.end()).toBeUndefined();
    expect(asked.slice(2).map(([, what, count]) => [what, count])).toEqual([
      ['drain', undefined],
      ['refund', 2],
      ['refund', 1],
    ]);
  });

  test('without a shared bucket paces the calls of this environment alone', async () => {
    const clock = manualClock(START);
    const queue = callQueue({ clock, localBucket: localBucket(small) }, 'back');
    queue.reserveAhead('CreateRoute', 2);
    expect(queue.dueAtMs('CreateRoute', 2)).toBeUndefined();
    expect(queue.dueAtMs('CreateRoute', 3)).toBe(at(100));
    expect([queue.waitForSlot('CreateRoute'), queue.waitForRetrySlot('CreateRoute')]).toEqual([
      undefined,
      undefined,
    ]);
    expect([queue.waitForSlot('CreateRoute'), queue.waitForRetrySlot('CreateRoute')]).toEqual([
      expect.any(Promise),
      expect.any(Promise),
    ]);
    queue.drain('AssociateAddress');
    expect(queue.waitForSlot('AssociateAddress')).toBeInstanceOf(Promise);
    expect(await queue.end()).toBeUndefined();
  });

  test('knows when the last of some steps goes out, and nothing where all can go at once', async () => {
    const clock = manualClock(START);
    const queue = callQueue({ clock, localBucket: localBucket(small) }, 'back');
    const step = (call: 'CreateRoute' | 'AssociateAddress', n: number) =>
      ({
        ...{ call, cell: `${n}`, from: 'x', eni: 'e', table: 't' },
        destination: 'd',
        eip: 'i',
        privateAddress: 'p',
      }) as const;
    const steps = [1, 2, 3, 4].map((n) => step('CreateRoute', n));
    expect(lastCallAtMs(queue, [...steps, step('AssociateAddress', 9)])).toBe(at(200));
    expect(lastCallAtMs(queue, steps.slice(2))).toBeUndefined();
    expect(lastCallAtMs(queue, [])).toBeUndefined();
    expect(lastCallAtMs(undefined, steps)).toBeUndefined();
  });
});
