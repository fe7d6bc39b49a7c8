// Waiting for another caller's live lease. It is bounded by the invocation's time and never by a count of reads: a plan of many
// cells takes minutes, and its holder is at work. Only writes that were lost to a quicker caller count as races.

import { type Clock, type DurationMs, type EpochMs, minus, plus, seconds } from '../time.ts';
import { LOOK_AGAIN } from '../vip/lease.ts';

/** Kept of the invocation, so that a caller whose wait ends without the lease can still write and answer. */
export const ANSWER_WITHIN: DurationMs = seconds(10);

interface Waiting {
  readonly clock: Clock;
  readonly deadline: EpochMs;
}

/** What is left of the invocation is only enough to answer. */
export const isOver = ({ clock, deadline }: Waiting): boolean =>
  plus(clock.now(), LOOK_AGAIN) >= minus(deadline, ANSWER_WITHIN);

/** Waits until it is time to look again; false, at once, when the invocation has no time for it. */
export async function mayWaitOn(ports: Waiting): Promise<boolean> {
  if (isOver(ports)) return false;
  await ports.clock.wait(LOOK_AGAIN);
  return true;
}
