// What operators read beforehand: that a VIP moves, and where to, when an order ends or its entry changes.

import { movesTo, ownerAfterFreeze, ownerAfterPin } from '../../../shared/controller/forecast.ts';
import { membersSeen, type Observation } from '../../../shared/network/observation.ts';
import { changed, isRegistered } from '../../../shared/registry/registry.ts';
import { type EpochMs, iso } from '../../../shared/time.ts';
import { elect, electionText, isLiveOrder } from '../../../shared/vip/election.ts';
import { type RegistryEntry, type Vip, withoutFreeze, withoutPin } from '../../../shared/vip/vip.ts';
import type { Session } from '../session.ts';

/** `after`: the item without the order, or with its new entry. */
export function moveText(after: Vip, now: EpochMs): string | undefined {
  const to = movesTo(after, now);
  if (to === undefined) return undefined;
  const from = `it is at ${after.owner ?? 'no node yet'}`;
  const pinned = isLiveOrder(after.pin, now) && after.pin!.node === to;
  return pinned
    ? `${after.name} is pinned to ${to}: the VIP moves there now (${from})`
    : `VRRP’s master is ${to}: ${after.name} moves there now (${from})`;
}

/** Why nothing moves although the order ends. */
export function stayText(after: Vip, now: EpochMs): string {
  const { name, owner, freeze } = after;
  if (freeze !== undefined && isLiveOrder(freeze, now))
    return `nothing moves: ${name} is frozen until ${iso(freeze.untilMs)}; ${freezeEndText(after)}`;
  const at = owner === undefined ? 'no node owns it' : `it stays at ${owner}`;
  return `nothing moves: ${electionText(elect(after, now).reason)}, ${at}`;
}

export function pinEndText(vip: Vip): string {
  const { node, untilMs } = vip.pin!;
  const to = ownerAfterPin(vip);
  const end = `when the pin ends at ${iso(untilMs)}`;
  if (to === undefined || to === node) return `${end}, ${vip.name} stays there, as things stand`;
  return `${end}, ${vip.name} goes back to ${to} unless keepalived’s master is ${node} by then`;
}

/** As things stand; then it has to be said when the freeze begins. */
export const leavesAfterFreeze = (vip: Vip): boolean => {
  const to = ownerAfterFreeze(vip);
  return to !== undefined && to !== vip.owner;
};

export function freezeEndText(vip: Vip): string {
  const end = `when the freeze ends at ${iso(vip.freeze!.untilMs)}`;
  return leavesAfterFreeze(vip)
    ? `${end}, ${vip.name} goes to ${ownerAfterFreeze(vip)} unless keepalived’s master is another one by then`
    : `${end}, ${vip.name} goes to whichever node is VRRP’s master then; as things stand it stays where it is`;
}

/** By the VIP's name, a sentence for each that moves at once when its order is taken back. */
export async function movesWithout(
  session: Session,
  vips: readonly Vip[],
  kind: 'unpin' | 'thaw',
): Promise<ReadonlyMap<string, string>> {
  // The list may lag behind.
  const items = await Promise.all(vips.map((vip) => session.ports.vips.read(vip.name)));
  const now = session.now();
  const moves = new Map<string, string>();
  for (const vip of items.filter(isRegistered)) {
    const order = kind === 'unpin' ? vip.pin : vip.freeze;
    const text = moveText(kind === 'unpin' ? withoutPin(vip) : withoutFreeze(vip), now);
    // What has run out ends by itself; taking it away changes nothing.
    if (text !== undefined && isLiveOrder(order, now)) moves.set(vip.name, text);
  }
  return moves;
}

export interface EntryChange {
  readonly was: Vip | undefined;
  readonly entry: RegistryEntry;
  readonly seen: Observation;
}

/** Whether writing the entry moves the VIP: to another node, or to another ENI of its owner. */
export function entryMoveText({ was, entry, seen }: EntryChange, now: EpochMs): string | undefined {
  if (was === undefined) return undefined;
  const members = membersSeen(entry, seen, was.members);
  const after = changed(was, entry, members);
  const moves = moveText(after, now);
  if (moves !== undefined || was.owner === undefined || isLiveOrder(was.freeze, now)) return moves;
  const [before, then] = [was.members[was.owner]?.eni, members[was.owner]?.eni];
  return before === undefined || then === undefined || before === then
    ? undefined
    : `the routes of ${was.name} move from ${before} to ${then} of ${was.owner} now`;
}
