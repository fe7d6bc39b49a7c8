// Guarantee 1: once events stop and faults end, every labelled route table and every EIP of a VIP lead to the node that
// serves, within 80 s, or 80 s after silence can tell; and stay there.

import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

export const convergence = (world: World): readonly Violation[] =>
  world.found
    .filter((f) => f.when !== 'late' && !f.right)
    .map((f) => ({
      guarantee: 'convergence',
      vip: world.story.vips[f.vip]!.name,
      atMs: f.atMs,
      what: `${f.when === 'end' ? 'later on' : 'when it is due'}: belongs to ${f.belongs!.nodes.join(' or ')} (${f.belongs!.why}), found ${f.cells}`,
    }));
