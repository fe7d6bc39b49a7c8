// Guarantee 5: nothing is stuck. When all has to be right no lease is held and no epoch stands open; the epoch and the
// revision of an item only ever rise.

import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

export function nothingStuck(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const { before, after, atMs } of world.log.writes) {
    const say = (what: string) => found.push({ guarantee: 'nothing stuck', vip: after.name, atMs, what });
    if (before !== undefined && after.rev <= before.rev) say(`rev ${before.rev} became ${after.rev}`);
    if (before !== undefined && after.epoch < before.epoch)
      say(`epoch ${before.epoch} became ${after.epoch}`);
  }
  for (const spec of world.story.vips) {
    const item = world.net.vips.items.get(spec.name)!;
    // A tombstone: a caller that registers the VIP again finds what was left open.
    if (item.removedAtMs !== undefined) continue;
    const say = (what: string) =>
      found.push({ guarantee: 'nothing stuck', vip: spec.name, atMs: world.endAtMs, what });
    if (item.lease !== undefined) say(`${item.lease.holder} still holds epoch ${item.lease.epoch}`);
    for (const [holder, open] of Object.entries(item.open))
      say(`epoch ${open.epoch} of ${holder} stands open`);
  }
  return found;
}
