// What `vipshift drain` and `undrain` do: an override in the item of each VIP of the node, and, where keepalived has to move
// first, a forced failover.
import { outlookOf } from '../../../../shared/controller/drained.ts';
import { declining } from '../../../../shared/controller/warned.ts';
import { liveForced } from '../../../../shared/forced-failover/under-way.ts';
import { isRegistered } from '../../../../shared/registry/registry.ts';
import { epochMs } from '../../../../shared/time.ts';
import { operatorAction } from '../../../../shared/timeline/operator-action.ts';
import type { Vip } from '../../../../shared/vip/vip.ts';
import { withDrain, withoutDrain } from '../../../../shared/vip/vip.ts';
import { force } from '../../functions/workflow.ts';
import type { Act } from '../../history/history.ts';
import { endsLater } from '../orders.ts';
import type { World } from '../world.ts';

type Draining = Extract<Act, { does: 'drain' | 'undrain' }>;

export function drain(world: World, act: Draining): void {
  const { items } = world.net.vips;
  const { id: node } = world.machines[act.node]!;
  const now = world.sched.now();
  const nowMs = epochMs(Math.floor(world.epochAt + now));
  for (const [vip, { name }] of world.story.vips.entries()) {
    const item = items.get(name)!;
    if (!isRegistered(item) || item.members[node] === undefined) continue;
    if (act.does === 'undrain' && item.drains?.[node] === undefined) continue;
    if (act.does === 'drain' && liveForced(item, nowMs)?.node === node) continue;
    const untilMs = now + (act.does === 'drain' ? act.forMs : 0);
    const words = {
      by: 'operator',
      reason: 'to be rebooted',
      untilMs: epochMs(Math.floor(world.epochAt + untilMs)),
    };
    const { does: order } = act;
    world.net.orders.push(operatorAction({ vip: name, order, node, ...words, atMs: nowMs }, 'cli'));
    const declined = declining(item, node, nowMs);
    const after = order === 'drain' ? withDrain(declined, node, words) : withoutDrain(declined, node);
    note(world, vip, node, untilMs);
    world.log.wrote(undefined, name, items, () => world.net.vips.write(item, after)).catch(() => undefined);
    if (order === 'drain') demote(world, act, vip, after);
  }
  world.sched.stir();
}

/** An undrain is a drain that ends now. */
export function note(world: World, vip: number, node: string, untilMs: number): void {
  const now = world.sched.now();
  const orders = world.orders[vip]!;
  orders.drains = { ...orders.drains, [node]: { untilMs } };
  const { name } = world.story.vips[vip]!;
  for (const one of world.drains)
    if (one.vip === name && one.node === node) one.untilMs = Math.min(one.untilMs, now);
  if (untilMs > now) world.drains.push({ vip: name, node, fromMs: now, untilMs });
  endsLater(world, untilMs);
}

function demote(world: World, { atMs }: Draining, vip: number, after: Vip): void {
  const outlook = outlookOf(after, epochMs(Math.floor(world.epochAt + world.sched.now())));
  if (outlook.key !== 'demotes') return;
  const node = world.machines.findIndex(({ id }) => id === outlook.to);
  const how = { mode: 'via-keepalived', pinMinutes: 0, claimWaitSeconds: 30 } as const;
  if (node >= 0) force(world, { does: 'forced failover', vip, node, ...how, atMs });
}
