// A clock that stands still until the test advances it. Waits are kept in order of their end; those that end at the
// same instant fire in the order in which they began.
import { Fault } from '../fault.ts';
import { type Clock, type DurationMs, type EpochMs, plus } from '../time.ts';

export interface ManualClock extends Clock {
  /** Lets time pass, firing what falls due on the way and letting each run as far as it gets without more time. */
  advance(duration: DurationMs): Promise<void>;
  set(instant: EpochMs): void;
}

/** How many ticks of the microtask queue run before the next wait fires. */
const TICKS = 200;

export async function settleMicrotasks(): Promise<void> {
  for (let tick = 0; tick < TICKS; tick++) await Promise.resolve();
}

export function manualClock(start: EpochMs, deadline?: EpochMs): ManualClock {
  let now = start;
  const waits: { at: EpochMs; fire: () => void }[] = [];
  return {
    now: () => now,
    set: (instant) => {
      now = instant;
    },
    wait(duration) {
      const at = plus(now, duration);
      if (deadline !== undefined && at > deadline) {
        return Promise.reject(new Fault('deadline', 'Deadline', 'the invocation has no time left to wait'));
      }
      return new Promise((fire) => {
        const later = waits.findIndex((w) => w.at > at);
        waits.splice(later === -1 ? waits.length : later, 0, { at, fire });
      });
    },
    async advance(duration) {
      const until = plus(now, duration);
      await settleMicrotasks();
      while (waits.length > 0 && waits[0]!.at <= until) {
        const next = waits.shift()!;
        now = next.at > now ? next.at : now;
        next.fire();
        await settleMicrotasks();
      }
      now = until;
    },
  };
}
