// Guarantee 2: an old claim that is delivered late moves nothing, and neither does a claim repeated: once everything is
// where it belongs, and no one says anything new, no route and no EIP changes and no epoch begins.
// That any order of delivery leaves the same record is a property of its own (test/properties/order.test.ts).

import { sinceAt } from '../node/machine.ts';
import { eipEni } from '../truth/truth.ts';
import type { Violation } from '../violation.ts';
import type { Finding, World } from '../world/world.ts';

/**
 * Whether the owner itself said that it withdrew; or, where no one serves any more, that it became MASTER once more: what is known of that only
 * from a late claim has come in time for nothing, so that the owner counts as silent, and another dead node may not
 * (docs/decisions/0010).
 */
function withdrew(world: World, vip: string, end: Finding, late: Finding): boolean {
  const item = world.log.writes.findLast((w) => w.after.name === vip && w.atMs <= end.atMs)?.after;
  const known = item?.claims[item.owner ?? ''];
  return world.log.answers.some(({ word, deliveredAtMs }) => {
    if (word.vip !== vip || word.node !== item?.owner) return false;
    const isAgain = word.bootId !== known?.bootId || word.since > known.since;
    const counts = word.state !== 'MASTER' || (end.belongs === undefined && isAgain);
    return counts && deliveredAtMs > end.atMs && deliveredAtMs <= late.atMs;
  });
}

/**
 * Whether a clock stood still since one of several masters became it: without its words from before, which a removal forgets,
 * its transition seems later by as much, and a late one of them puts that right (docs/architecture.md, "Limits").
 */
const isMisdated = (world: World, vip: number, { belongs }: Finding): boolean =>
  belongs !== undefined &&
  belongs.nodes.length > 1 &&
  world.machines.some(
    (m) =>
      belongs.nodes.includes(m.id) &&
      m.clock.parts.some(
        (p) => p.stoodSinceMs !== undefined && p.stoodSinceMs >= sinceAt(m, m.instances[vip]!),
      ),
  );

/** Without an ENI for EIPs a node takes one only where its service ENI has an address free: another VIP's move may free it. */
const havePlaces = (world: World, vip: number, nodes: readonly string[]): boolean =>
  world.story.vips[vip]!.eips.length === 0 || nodes.every((node) => world.region.ec2.enis.has(eipEni(node)));

export function order(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const [vip, spec] of world.story.vips.entries()) {
    const seen = world.found.filter((f) => f.vip === vip);
    const at = (when: Finding['when']) => seen.find((f) => f.when === when);
    const [due, end, late] = [at('due')!, at('end')!, at('late')];
    // Where the elected node cannot be reached every word may have it tried again; it moves nothing.
    const served = due.belongs !== undefined && due.right && havePlaces(world, vip, due.belongs.nodes);
    const rests = (before: Finding, later: Finding, what: string): void => {
      const say = (text: string) =>
        found.push({ guarantee: 'order', vip: spec.name, atMs: later.atMs, what: `${what}: ${text}` });
      if (later.moves !== before.moves) say(`${before.cells} became ${later.cells}`);
      else if (served && later.epoch !== before.epoch)
        say(`epoch ${before.epoch} became ${later.epoch}, though nothing was to be done`);
    };
    if (served) rests(due, end, 'after all was right');
    // Also where no one serves: what is old does not decide then either, but for an owner's own word that it withdrew.
    if (late === undefined || isMisdated(world, vip, end)) continue;
    if (!withdrew(world, spec.name, end, late)) rests(end, late, 'after late claims');
  }
  return found;
}
