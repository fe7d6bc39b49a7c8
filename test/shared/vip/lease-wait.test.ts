// How long a caller waits for another one's lease: as long as it can still write and answer afterwards.
import { describe, expect, test } from 'vitest';
import { manualClock } from '../../../shared/memory/clock.ts';
import { durationMs, minus, plus } from '../../../shared/time.ts';
import { LOOK_AGAIN } from '../../../shared/vip/lease.ts';
import { ANSWER_WITHIN, isOver, mayWaitOn } from '../../../shared/vip/lease-wait.ts';
import { START } from '../../support/world.ts';

/** The next look would be at the end of what may be waited for, or so many ms before. */
function waiting(earlyMs: number) {
  const clock = manualClock(START);
  const deadline = plus(plus(START, LOOK_AGAIN), durationMs(ANSWER_WITHIN + earlyMs));
  return { clock, deadline };
}

describe('waiting for a lease', () => {
  test('is over when the next look would leave less than it takes to answer, to the millisecond', () => {
    expect([isOver(waiting(1)), isOver(waiting(0)), isOver(waiting(-1))]).toEqual([false, true, true]);
  });

  test('goes on after LOOK_AGAIN, not before', async () => {
    const ports = waiting(1);
    let looks = 0;
    const waited = mayWaitOn(ports).then((may) => {
      looks += 1;
      return may;
    });
    await ports.clock.advance(durationMs(LOOK_AGAIN - 1));
    expect(looks).toBe(0);
    await ports.clock.advance(durationMs(1));
    expect(await waited).toBe(true);
  });

  test('that is over is not begun: the answer is there at once', async () => {
    const ports = waiting(0);
    expect(await mayWaitOn(ports)).toBe(false);
    expect(ports.clock.now()).toBe(START);
    expect(minus(ports.deadline, ANSWER_WITHIN)).toBeGreaterThan(START);
  });
});
