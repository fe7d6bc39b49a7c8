// Guarantee 9: no gap that we cause: what leads somewhere is never made to lead nowhere first, neither a route nor an
// EIP, nor someone else's EIP on the address that ours goes to.

import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

export function noGap(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const change of world.region.changes) {
    if (change.by === undefined || change.is !== undefined) continue;
    const sent = world.log.sends[change.by]!;
    if (sent.step.cell !== change.cell) {
      // Two VIPs may choose the same free address at once; only what the sender could have seen is its fault.
      const since = world.region.changesOf(change.cell).findLast((c) => c.atMs < change.atMs)?.atMs ?? 0;
      if (since >= sent.knewAtMs) continue;
    }
    found.push({
      guarantee: 'no gap',
      vip: sent.vip,
      atMs: change.atMs,
      what: `${sent.by.name} took ${change.cell} from ${change.was} and put nothing in its place`,
    });
  }
  return found;
}
