// Guarantee 2: an old claim that is delivered late moves nothing, and neither does a claim repeated: once everything is
// where it belongs, and nobody says anything new, no route and no EIP changes and no epoch begins.
// That any order of delivery leaves the same record is a property of its own (test/properties/order.test.ts).
import type { World } from '../world.ts';
import type { Violation } from './violation.ts';

export function order(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const [vip, spec] of world.story.vips.entries()) {
    const seen = world.found.filter((f) => f.vip === vip);
    const due = seen.find((f) => f.when === 'due')!;
    if (due.belongs === undefined || !due.right) continue;
    for (const later of seen.filter((f) => f.when === 'end' || f.when === 'late')) {
      const what = `${later.when === 'late' ? 'after late claims' : 'after all was right'}`;
      const say = (text: string) =>
        found.push({ guarantee: 'order', vip: spec.name, atMs: later.atMs, what: `${what}: ${text}` });
      if (later.moves !== due.moves) say(`${due.cells} became ${later.cells}`);
      else if (later.epoch !== due.epoch)
        say(`epoch ${due.epoch} became ${later.epoch}, though nothing was to be done`);
    }
  }
  return found;
}
