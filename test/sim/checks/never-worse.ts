// Guarantee 8: no fault of the controller's world causes a failover: nothing goes to a node that never was MASTER and that
// no order named, but for a standby where a node flaps or is drained; and where no node's keepalived, power or membership changed, nothing moves after the first convergence.

import { LEASE_TTL } from '../../../shared/vip/lease.ts';
import type { Act, FaultName } from '../history/history.ts';
import { bootId } from '../node/machine.ts';
import { instanceOf } from '../node/vrrp.ts';
import { whereItBelongs } from '../truth/belonging.ts';
import { mayBeDamped } from '../truth/flapping.ts';
import { isAccepted } from '../truth/known.ts';
import type { Sent } from '../truth/log.ts';
import { eipEni, serviceEni } from '../truth/truth.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

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

/** With these away no node can seem silent by chance. */
const deafening: readonly FaultName[] = [
  'event lost',
  'event late',
  'send failed',
  'send reply lost',
  'invocation killed',
  'store failed before effect',
];

export function neverWorse(world: World): readonly Violation[] {
  const found: Violation[] = [];
  const calm = isCalm(world);
  for (const [vip, spec] of world.story.vips.entries()) {
    const rightful = [...world.known.rightful.get(spec.name)!];
    const enis = new Set(rightful.flatMap((node) => [serviceEni(node), eipEni(node)]));
    const at = calm ? whereItBelongs(world, vip)?.nodes : undefined;
    const settledMs = Math.max(SETTLED_MS, heardAt(world, vip, at?.[0]) + HEEDED_MS);
    const still = at?.length === 1 ? [serviceEni(at[0]!), eipEni(at[0]!)] : undefined;
    for (const sent of world.log.sends) {
      if (sent.vip !== spec.name || sent.step.call === 'ModifyNetworkInterfaceAttribute') continue;
      const say = (what: string) =>
        found.push({
          guarantee: 'never worse',
          vip: spec.name,
          atMs: sent.atMs,
          what: `${sent.by.name} moves ${sent.step.cell} to ${sent.step.eni}; ${what}`,
        });
      if (!enis.has(sent.step.eni) && !isRest(world, sent))
        say(`those that said MASTER in time are ${rightful.join(', ') || 'none'}`);
      else if (still !== undefined && sent.atMs > settledMs && !still.includes(sent.step.eni)) {
        say(`nothing has happened to any node, and it belongs to ${at![0]}`);
      }
    }
  }
  return found;
}

/**
 * With hold `both` a VIP may rest at a node that stands by, while another one that said MASTER is damped, or one is drained. It may
 * be set again there later, where it has had no other owner since: a switch away from it that was given up is undone.
 */
const isRest = (world: World, sent: Sent): boolean =>
  mayRest(world, sent) ||
  (sent.item?.owner !== undefined &&
    isOf(sent, sent.item.owner) &&
    world.log.sends.some(
      (of) => of.vip === sent.vip && of.atMs < sent.atMs && isOf(of, sent.item!.owner!) && mayRest(world, of),
    ));

const isOf = ({ step }: Sent, node: string): boolean =>
  step.call !== 'ModifyNetworkInterfaceAttribute' &&
  (step.eni === serviceEni(node) || step.eni === eipEni(node));

function mayRest(world: World, sent: Sent): boolean {
  const { vip, atMs } = sent;
  const { hold } = world.story.vips.find(({ name }) => name === vip)!;
  if (hold === 'master') return false;
  const said = [...world.known.newest.get(vip)!.values()].map(({ word: { node } }) => node);
  const isAt = (node: string): boolean => isOf(sent, node);
  return (
    said.some(isAt) &&
    world.everMembers.some(
      (node) => !isAt(node) && (mayBeDamped(world, vip, node, atMs) || isDrainedLately(world, sent, node)),
    )
  );
}

/** A step may go out that long after the look that it rests on. */
const isDrainedLately = ({ drains, leavings }: World, { vip, item, atMs }: Sent, node: string): boolean =>
  drains.some((d) => d.vip === vip && d.node === node && d.fromMs <= atMs && d.untilMs > atMs - LOOKED_MS) ||
  leavings.some(
    (l) =>
      l.node === node &&
      l.fromMs <= atMs &&
      // Whether a node stays can be known once it has said it: not while its bus is down.
      (l.untilMs > atMs - HEARD_MS || item?.claims[node]?.leaving !== undefined),
  );
const LOOKED_MS = 60_000;
/** And the word that a node stays may come that long after. */
const HEARD_MS = 180_000;

/** By then the first masters have been found, also where the first words took their time. */
const SETTLED_MS = 75_000;
/** Nothing is sent under a lease that has not been renewed for as long, and each renewal shows what was said meanwhile. */
const HEEDED_MS = LEASE_TTL + 5000;

/** When what it is was accepted first: before, no one can know that it is the master, as when no read finds its ENI. */
function heardAt(world: World, vip: number, node: string | undefined): number {
  const machine = world.machines.find(({ id }) => id === node);
  if (machine === undefined) return Number.POSITIVE_INFINITY;
  const { vipName, sinceUs } = instanceOf(machine, vip);
  const first = world.log.answers.find(
    ({ word, answer }) =>
      word.vip === vipName &&
      word.bootId === bootId(machine) &&
      word.since === sinceUs &&
      word.state === 'MASTER' &&
      isAccepted(answer),
  );
  return first?.atMs ?? Number.POSITIVE_INFINITY;
}

const isCalm = (world: World): boolean =>
  deafening.every((name) => !(world.story.odds[name]! > 0)) &&
  world.story.acts.every(
    (act) => harmless.has(act.does) || (act.does === 'is cut off' && act.atMs < 20_000),
  ) &&
  !world.story.acts.some((act) => act.does === 'bus goes' && act.zone !== undefined);
