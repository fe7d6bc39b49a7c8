// Where a VIP goes when an order ends or its entry changes, as the claims stand: the same election, asked beforehand. Pure.
//
// Limit: what keepalived says until then is not known; every answer is "as things stand".
import { elect } from './election.ts';
import type { EpochMs } from './time.ts';
import type { Vip } from './vip.ts';

/** Where the next claim or reconcile takes it, once the item is `after`; undefined when it stays where it is. */
export function movesTo(after: Vip, now: EpochMs): string | undefined {
  const { owner } = elect(after, now);
  return owner === after.owner ? undefined : owner;
}

/** Who owns the VIP when its pin runs out, should it be at the pin's node by then. */
export const ownerAfterPin = (vip: Vip): string | undefined =>
  vip.pin === undefined ? undefined : elect({ ...vip, owner: vip.pin.node }, vip.pin.untilMs).owner;

/** Who owns it when its freeze runs out. */
export const ownerAfterFreeze = (vip: Vip): string | undefined =>
  vip.freeze === undefined ? undefined : elect(vip, vip.freeze.untilMs).owner;
