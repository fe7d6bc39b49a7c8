// Guarantee 8: no fault of the controller's world causes a failover: nothing goes to a node that never was MASTER and that
// no order named; and where no node's keepalived, power or membership changed, nothing moves after the first convergence.
import type { Act } from '../story.ts';
import { eipEni, serviceEni } from '../truth.ts';
import type { World } from '../world.ts';
import type { Violation } from './violation.ts';

/** Acts that leave every node's VRRP state, membership and orders as they are. */
const harmless: ReadonlySet<Act['does']> = new Set([
  'clock jumps',
  'bus goes',
  'bus returns',
  'describes fail',
  'describes work',
  'bucket is drained',
  'table appears',
  'foreign route',
  'foreign eip',
  'route is changed',
  'route is deleted',
  'eip is loosed',
  'stranger speaks',
  'freeze',
]);

export function neverWorse(world: World): readonly Violation[] {
  const found: Violation[] = [];
  const calm = world.story.acts.every((act) => harmless.has(act.does));
  for (const [vip, spec] of world.story.vips.entries()) {
    const rightful = [...world.rightful[vip]!];
    const enis = new Set(rightful.flatMap((node) => [serviceEni(node), eipEni(node)]));
    for (const sent of world.log.sends) {
      if (sent.vip !== spec.name || sent.step.call === 'ModifyNetworkInterfaceAttribute') continue;
      if (enis.has(sent.step.eni) && !(calm && rightful.length > 1)) continue;
      const what = `${sent.by.name} moves ${sent.step.cell} to ${sent.step.eni}; MASTER was ${rightful.join(', ') || 'nobody'}`;
      found.push({ guarantee: 'never worse', vip: spec.name, atMs: sent.atMs, what });
    }
  }
  return found;
}
