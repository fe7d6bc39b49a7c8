// A switch that could not be carried out, so that not every assertion tries it again: a table whose permission is missing
// would otherwise cost a failover, a record and an alarm for each word of a master, every 10 s and for ever.
//
// Only claims that are not themselves a transition to MASTER hold back. Reconcile never does, so that what can be repaired
// is repaired within a minute of the fault's end (guarantee 1).
import { type DurationMs, type EpochMs, minutes, seconds } from '../time.ts';
import type { Election } from './election.ts';
import type { FailedSwitch } from './vip.ts';

const FIRST_PAUSE: DurationMs = seconds(10);
/** From then on it is reconcile's alone, which comes every minute. */
const PAUSE_MAX: DurationMs = minutes(2);

export const afterFailure = (before: FailedSwitch | undefined, node: string, now: EpochMs): FailedSwitch => ({
  node,
  times: before?.node === node ? before.times + 1 : 1,
  atMs: now,
});

/** Whether the elected node's switch failed so recently that a mere assertion leaves it alone. */
export function isBackingOff(tried: FailedSwitch | undefined, election: Election, now: EpochMs): boolean {
  if (tried === undefined || tried.node !== election.owner) return false;
  return now - tried.atMs < Math.min(FIRST_PAUSE * 2 ** (tried.times - 1), PAUSE_MAX);
}
