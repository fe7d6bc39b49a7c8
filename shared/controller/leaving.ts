// What people have to know of an owner that is about to go and keeps the VIP. Pure.
import type { EpochMs } from '../time.ts';
import { elect, isLiveOrder } from '../vip/election.ts';
import { leavingOf, type Vip } from '../vip/vip.ts';

/** Undefined where the owner stays, or the VIP is about to move. */
export function goesWithTheVip(vip: Vip, now: EpochMs): string | undefined {
  const { owner, name } = vip;
  const cause = owner === undefined ? undefined : leavingOf(vip, owner);
  if (owner === undefined || cause === undefined) return undefined;
  if (isLiveOrder(vip.freeze, now))
    return `${owner} is about to go (${cause}), and the VIP is frozen: run vipshift unfreeze ${name}`;
  return elect(vip, now).owner === owner
    ? `${owner} is about to go (${cause}), and keeps the VIP: no other node is eligible`
    : undefined;
}
