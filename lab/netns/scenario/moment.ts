/**
 * Moment: instants of the lab, in milliseconds of the machine's monotonic clock, which every process here shares.
 * Emulators and functions stamp wall time; it is brought over with an offset taken when it is asked for.
 */

export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What to add to a wall-clock instant to have it on the monotonic clock: read off where Date.now() ticks, within 2 ms. */
export function wallToMonotonicMs(): number {
  const first = Date.now();
  let wallMs = first;
  while (wallMs === first) wallMs = Date.now();
  return monotonicMs() - wallMs;
}
