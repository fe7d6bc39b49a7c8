// Operators' orders: those given by hand, and what a workflow has written into the item.
import { forbidsPin, forbidsUnpin, liveForced } from '../../../shared/forced-failover/under-way.ts';
import { entryOf, isRegistered, registered, removed } from '../../../shared/registry/registry.ts';
import { type EpochMs, epochMs } from '../../../shared/time.ts';
import { operatorAction } from '../../../shared/timeline/operator-action.ts';
import { type Override, type Vip, withFreeze, withoutPin, withPin } from '../../../shared/vip/vip.ts';
import type { Act } from '../history/history.ts';
import type { Written } from '../truth/log.ts';
import { lookLater, type World } from './world.ts';

type Ordering = Extract<Act, { does: 'pin' | 'unpin' | 'freeze' }>;

/** What the CLI does: record the order, read, write on `rev`, and let reconcile look at once. */
export function order(world: World, act: Ordering): void {
  const { items } = world.net.vips;
  const item = items.get(world.story.vips[act.vip]!.name)!;
  if (!isRegistered(item)) return;
  const now = world.sched.now();
  const nowMs = epochMs(Math.floor(world.epochAt + now));
  if (act.older !== true && isForbidden(world, item, act, nowMs)) return;
  const untilMs = now + ('forMs' in act ? act.forMs : 0);
  const until = epochMs(Math.floor(world.epochAt + untilMs));
  const words: Override = { by: 'operator', reason: 'because', untilMs: until };
  const node = 'node' in act ? world.machines[act.node]!.id : undefined;
  const asked = { vip: item.name, order: act.does, by: words.by, reason: words.reason };
  const named = node === undefined ? {} : { node };
  world.net.orders.push(operatorAction({ ...asked, ...named, atMs: nowMs, untilMs: until }, 'cli'));
  const after = ordered(item, act, words, node);
  const orders = world.orders[act.vip]!;
  if (act.does === 'freeze') orders.freeze = { untilMs };
  else delete orders.pin;
  if (node !== undefined) {
    orders.pin = { node, untilMs };
    world.known.order(item.name, node);
  }
  if (act.does !== 'unpin') endsLater(world, untilMs);
  world.log
    .wrote(undefined, item.name, items, () => world.net.vips.write(item, after))
    .catch(() => undefined);
  world.sched.stir();
  world.functions.sweep(`order ${now}`);
}

type Entering = Act & { readonly does: 'is removed' | 'is registered' };

/** `vipshift vip remove` and `add`: what nodes said before, pin and freeze are forgotten, the epoch is not. */
export function enter(world: World, act: Entering): void {
  const { items } = world.net.vips;
  const item = items.get(world.story.vips[act.vip]!.name)!;
  const removing = act.does === 'is removed';
  if (isRegistered(item) !== removing) return;
  const nowMs = epochMs(Math.floor(world.epochAt + world.sched.now()));
  if (removing && act.older !== true && liveForced(item, nowMs) !== undefined) return;
  const after = removing ? removed(item, nowMs) : registered(item, entryOf(item), {});
  world.orders[act.vip] = removing ? { removed: true } : {};
  for (const drained of world.drains)
    if (drained.vip === item.name) drained.untilMs = Math.min(drained.untilMs, world.sched.now());
  world.log
    .wrote(undefined, item.name, items, () => world.net.vips.write(item, after))
    .catch(() => undefined);
  world.sched.stir();
}

/** What the command line refuses while a forced failover is under way. */
function isForbidden(world: World, item: Vip, act: Ordering, now: EpochMs): boolean {
  if (act.does === 'pin') return forbidsPin(item, world.machines[act.node]!.id, now) !== undefined;
  return act.does === 'unpin' && forbidsUnpin(item, now) !== undefined;
}

function ordered(item: Vip, act: Ordering, words: Override, node: string | undefined): Vip {
  if (act.does === 'freeze') return act.older === true ? { ...item, freeze: words } : withFreeze(item, words);
  return node === undefined ? withoutPin(item) : withPin(item, { ...words, node });
}

/** An order that ends later than this after the quiet begins outlasts the history. */
const OUTLASTS_MS = 400_000;
/** A drain for a spot interruption lasts a quarter of an hour, and a departure takes its minutes before all is quiet. */
const DEPARTS_MS = 1_300_000;

/** Its end changes where the VIP belongs, like every fault. */
export function endsLater(world: World, untilMs: number): void {
  const lastsMs = world.net.departs ? DEPARTS_MS : OUTLASTS_MS;
  if (untilMs < world.story.quietAtMs + lastsMs)
    world.troubleUntilMs = Math.max(world.troubleUntilMs, untilMs);
}

/** A workflow's step has pinned, or taken its pin away. Any other caller that does is found by checks/orders.ts. */
export function obey(world: World, { by, before, after }: Written): void {
  if (by === undefined || before?.pin === after.pin || !by.name.startsWith('execution')) return;
  const vip = world.story.vips.findIndex((v) => v.name === after.name);
  const { pin } = after;
  world.lastDeed[vip] = 'forced failover';
  if (pin === undefined) delete world.orders[vip]!.pin;
  else {
    world.orders[vip]!.pin = { node: pin.node, untilMs: pin.untilMs - world.epochAt };
    endsLater(world, pin.untilMs - world.epochAt);
  }
  lookLater(world);
}
