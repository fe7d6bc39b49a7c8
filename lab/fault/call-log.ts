/** What a fault proxy has seen, and how deep it went. */
import type { AwsCall } from './aws-call.ts';
import type { Verdict } from './rule-book.ts';

export interface LoggedCall extends AwsCall {
  /** Wall clock, comparable with what other processes log. */
  readonly startedAtMs: number;
  /** Monotonic, of this process: the request had come in whole; and the reply was out, or the fault done. */
  readonly startMs: number;
  readonly endMs: number | undefined;
  /** What the client got: a status, or the fault that left it without one. */
  readonly outcome: number | 'reset' | 'stalled' | 'client gone' | undefined;
  /** Whether it reached the emulator, and what that answered. */
  readonly landed: number | undefined;
  readonly fault: Verdict['does'] | undefined;
}

/** A call while the proxy still writes on it. */
export type OpenCall = { -readonly [K in keyof LoggedCall]: LoggedCall[K] };

export function openCall(call: AwsCall): OpenCall {
  const times = { startedAtMs: Date.now(), startMs: performance.now(), endMs: undefined };
  return { ...call, ...times, outcome: undefined, landed: undefined, fault: undefined };
}

/** How many trips one after another these calls were: the longest chain of them in which each began after the one before had ended. */
export function sequentialTrips(calls: readonly LoggedCall[]): number {
  let trips = 0;
  let endMs = Number.NEGATIVE_INFINITY;
  for (const call of calls.toSorted((a, b) => endOf(a) - endOf(b))) {
    if (call.startMs < endMs) continue;
    trips += 1;
    endMs = endOf(call);
  }
  return trips;
}

const endOf = ({ endMs }: LoggedCall): number => endMs ?? Number.POSITIVE_INFINITY;
