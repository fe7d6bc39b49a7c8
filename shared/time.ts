// Instants and durations are different types, because two shipped peers have dead safety code for lack of it.
//
// Nothing in shared/*.ts reads a clock: an instant is always handed in. `Clock` is the port for code that has to
// wait; its AWS form is made in aws/wire.ts, its simulated form in memory/clock.ts.

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number & { readonly unit: 'epoch-ms' };
/** A length of time in milliseconds; may be fractional, never NaN. */
export type DurationMs = number & { readonly unit: 'duration-ms' };

export const epochMs = (value: number): EpochMs => value as EpochMs;
export const durationMs = (value: number): DurationMs => value as DurationMs;
export const seconds = (value: number): DurationMs => (value * 1000) as DurationMs;
export const minutes = (value: number): DurationMs => seconds(value * 60);
export const hours = (value: number): DurationMs => minutes(value * 60);

export const plus = (instant: EpochMs, duration: DurationMs): EpochMs => (instant + duration) as EpochMs;
export const minus = (instant: EpochMs, duration: DurationMs): EpochMs => (instant - duration) as EpochMs;
/** From `earlier` to `later`; negative when they are the other way round. */
export const between = (earlier: EpochMs, later: EpochMs): DurationMs => (later - earlier) as DurationMs;

export interface Clock {
  now(): EpochMs;
  /** Resolves after `duration`; rejects with a Fault `deadline` as soon as the invocation has no time left for it. */
  wait(duration: DurationMs): Promise<void>;
}

/** `2026-11-22T14:03:07.123Z`: the one way an instant is written in records and messages. */
export const iso = (instant: EpochMs): string => new Date(instant).toISOString();

// A timeout passes in a few steps: timers fire before sockets are read, so a process that had no CPU for a while would
// otherwise give up an answer that has come meanwhile.
const TIMEOUT_STEPS = 5;

export async function timeoutAfter(clock: Clock, timeout: DurationMs): Promise<void> {
  for (let step = 1; step <= TIMEOUT_STEPS; step++) await clock.wait(durationMs(timeout / TIMEOUT_STEPS));
}

/** The answer; rejects when it has not come in time. Close to the end of the invocation it is waited for without a timeout. */
export async function withTimeout<T>(clock: Clock, answer: Promise<T>, timeout: DurationMs): Promise<T> {
  const never = new Promise<never>(() => undefined);
  const late = timeoutAfter(clock, timeout).then(
    () => {
      throw new Error(`no answer within ${timeout} ms`);
    },
    () => never,
  );
  return Promise.race([answer, late]);
}
