// Waiting for somebody else's live lease. It is bounded by the invocation's time and never by a count of looks: a plan of many
// cells takes minutes, and its holder is at work. Only writes that were lost to somebody quicker count as races.
import { LOOK_AGAIN } from './lease.ts';
import { type Clock, type DurationMs, type EpochMs, minus, plus, seconds } from './time.ts';

/** Kept of the invocation, so that whoever waited in vain can still write and answer. */
export const ANSWER_WITHIN: DurationMs = seconds(10);

interface Waiting {
  readonly clock: Clock;
  readonly deadline: EpochMs;
}

/** What is left of the invocation is only enough to answer. */
export const isOver = ({ clock, deadline }: Waiting): boolean =>
  plus(clock.now(), LOOK_AGAIN) >= minus(deadline, ANSWER_WITHIN);

/** Waits until it is time to look again; false, at once, when the invocation has no time for it. */
export async function mayWaitOn(wire: Waiting): Promise<boolean> {
  if (isOver(wire)) return false;
  await wire.clock.wait(LOOK_AGAIN);
  return true;
}
