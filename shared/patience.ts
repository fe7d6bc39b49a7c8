// How long somebody waits for an answer that may not come.
//
// It is lost in a few steps: timers fire before sockets are read, so a process that had no CPU for a while would else give up an
// answer that has come meanwhile.
import { type Clock, type DurationMs, durationMs } from './time.ts';

const STEPS = 5;

export async function losePatience(clock: Clock, patience: DurationMs): Promise<void> {
  for (let step = 1; step <= STEPS; step++) await clock.wait(durationMs(patience / STEPS));
}

/** The answer; rejects when it has not come in time. Close to the invocation's end it is waited for, come what may. */
export async function inTime<T>(clock: Clock, answer: Promise<T>, patience: DurationMs): Promise<T> {
  const never = new Promise<never>(() => undefined);
  const late = losePatience(clock, patience).then(
    () => {
      throw new Error(`no answer within ${patience} ms`);
    },
    () => never,
  );
  return Promise.race([answer, late]);
}
