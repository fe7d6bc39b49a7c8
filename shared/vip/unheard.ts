// A VIP is unheard when it has members and no claim of any of them was accepted for UNHEARD_AFTER: a policy, a key or a
// bus that shuts all nodes out. Silence (liveness.ts) cannot tell: it is counted in reports of other nodes, and here no
// node reports.
//
// Invariant: only an accepted claim is evidence. What is rejected, superseded or a probe leaves the item's claims as
// they are. Nothing moves because of it (guarantee 8): it is told, and that is all.
// Limit: it looks at what the nodes vouched for by AWS's stamps, so a claim that was a minute under way is a minute old.
import { durationText } from '../instants.ts';
import { between, type DurationMs, type EpochMs, epochMs, minutes } from '../time.ts';
import type { Vip } from './vip.ts';

/**
 * Masters assert every 10 s and others every 60 s, so that each member has lost an assertion by then, a master eleven.
 * The alarm wants it twice in a row, a minute apart: three minutes (docs/decisions/0026).
 */
export const UNHEARD_AFTER: DurationMs = minutes(2);

/** When a member's word was heard last; undefined when none ever was. Words of former members do not count. */
export function lastHeardAt({ members, claims }: Vip): EpochMs | undefined {
  const seen = Object.keys(members).flatMap((node) => claims[node]?.seenMs ?? []);
  return seen.length === 0 ? undefined : epochMs(Math.max(...seen));
}

/** Since when the first word of the members has been waited for; undefined when one has spoken or there are none. */
export function awaitedSince(vip: Vip, now: EpochMs): EpochMs | undefined {
  if (Object.keys(vip.members).length === 0 || lastHeardAt(vip) !== undefined) return undefined;
  return vip.awaitedSinceMs ?? now;
}

export interface Unheard {
  readonly forMs: DurationMs;
  /** Undefined when no member was ever heard: then it counts from when reconcile began to wait. */
  readonly lastMs?: EpochMs;
}

/** Undefined in health, for a VIP without members, and for one that reconcile has not looked at yet. */
export function unheardFor(vip: Vip, now: EpochMs): Unheard | undefined {
  if (vip.removedAtMs !== undefined || Object.keys(vip.members).length === 0) return undefined;
  const lastMs = lastHeardAt(vip);
  const sinceMs = lastMs ?? vip.awaitedSinceMs;
  if (sinceMs === undefined) return undefined;
  const forMs = between(sinceMs, now);
  if (forMs < UNHEARD_AFTER) return undefined;
  return lastMs === undefined ? { forMs } : { forMs, lastMs };
}

/** What was found. */
export function unheardFound({ forMs, lastMs }: Unheard): string {
  const length = durationText(forMs);
  return lastMs === undefined ? `no claim accepted yet, after ${length}` : `no claim accepted for ${length}`;
}
