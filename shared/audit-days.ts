// A window cut into UTC days, because the index by day has one partition for each.
import type { Window } from './audit.ts';
import { type EpochMs, hours, iso } from './time.ts';

const DAY = hours(24);

/** Newest first. Empty when the window is. */
export function daysOf({ sinceMs, untilMs }: Window): readonly string[] {
  const days: string[] = [];
  const first = sinceMs - (sinceMs % DAY);
  for (let day = untilMs - 1 - ((untilMs - 1) % DAY); day >= first && untilMs > sinceMs; day -= DAY) {
    days.push(iso(day as EpochMs).slice(0, 10));
  }
  return days;
}
