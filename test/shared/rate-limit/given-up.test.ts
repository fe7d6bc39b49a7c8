// Calls that a failover gives up while they wait: their slots go to the next ones, and the budget is asked for no more than is sent.
import { expect, test } from 'vitest';
import { manualClock } from '../../../shared/memory/clock.ts';
import { ActionQueue, SLICE } from '../../../shared/rate-limit/action-queue.ts';
import { localBucket } from '../../../shared/rate-limit/local-bucket.ts';
import type { Place, SharedBucket, Slots } from '../../../shared/rate-limit/shared-bucket.ts';
import { durationMs, type EpochMs, plus } from '../../../shared/time.ts';
import { START } from '../../support/world.ts';

const INTERVAL = 200;

/** A shared bucket with a slot each INTERVAL, the first at once; a failover that may give up what it asked for in one go. */
function scene(place: Place) {
  const clock = manualClock(START);
  const asked: number[] = [];
  const refunds: number[] = [];
  let nextAtMs: EpochMs = START;
  const slots = async (count: number): Promise<Slots> => {
    asked.push(count);
    const firstAtMs = nextAtMs;
    nextAtMs = plus(nextAtMs, durationMs(count * INTERVAL));
    return { count, firstAtMs, intervalMs: INTERVAL, pushbackMs: 0 };
  };
  const sharedBucket: SharedBucket = {
    reserve: (_call, count) => slots(count),
    takeSpare: (_call, count) => slots(count),
    pushback: async () => 0,
    refund: async (_call, count) => void refunds.push(count),
    drain: async () => undefined,
  };
  const queue = new ActionQueue({ clock, localBucket: localBucket(), sharedBucket }, 'ReplaceRoute', place);
  const plan = (calls: number) => {
    const of = { isWanted: true, went: [] as number[], refused: 0 };
    const wait = async () => {
      try {
        await queue.waitForSlot(() => of.isWanted);
        if (!of.isWanted) return;
        queue.sent();
        of.went.push(clock.now() - START);
      } catch {
        of.refused += 1;
      }
    };
    for (let n = 0; n < calls; n++) void wait();
    return of;
  };
  const pass = (ms: number) => clock.advance(durationMs(ms));
  return { queue, plan, pass, asked, refunds };
}

test.each<Place>(['back', 'front', 'last'])(
  'a second plan waits for none of the first, place "%s"',
  async (place) => {
    const { queue, plan, pass, asked, refunds } = scene(place);
    const first = plan(200);
    await pass(2050);
    const sent = first.went.length;
    first.isWanted = false;
    const second = plan(40);
    await pass(60_000);
    expect(first.went, 'nothing of the first is sent any more').toHaveLength(sent);
    expect(second.went).toHaveLength(40);
    // 2,050 ms are slots 0 to 10, and the second plan goes on from there, one slot after the other.
    expect([sent, second.went.at(-1)]).toEqual([11, (11 + 40 - 1) * INTERVAL]);
    const wanted = asked.reduce((sum, count) => sum + count, 0);
    expect(wanted, 'not more is reserved than a slice ahead').toBeLessThanOrEqual(sent + 40 + 49 + SLICE);
    await queue.end();
    expect(
      refunds.reduce((sum, count) => sum + count, 0),
      'what was not sent is refunded',
    ).toBe(wanted - sent - 40);
  },
);

test('a plan that is given up and followed by none leaves nothing reserved', async () => {
  const { queue, plan, pass, asked, refunds } = scene('back');
  const first = plan(30);
  await pass(1050);
  first.isWanted = false;
  await pass(20_000);
  await queue.end();
  expect(first.went).toHaveLength(6);
  expect([asked, refunds]).toEqual([[30], [24]]);
});

test('calls that wait for a reservation are refused, and take no slot of it', async () => {
  const { plan, pass, asked } = scene('back');
  const first = plan(60);
  await pass(1000);
  first.isWanted = false;
  const second = plan(1);
  await pass(20_000);
  expect([first.refused, second.went.length]).toEqual([11, 1]);
  expect(asked, 'the burst alone').toEqual([49]);
});
