// What follows from a drain, and from a node that is about to go, besides the election: the cause under which a VIP leaves a
// drained node, and what an operator has to know where it stays there. Pure.
import type { EpochMs } from '../time.ts';
import { keptText } from '../timeline/message.ts';
import { elect, isLiveOrder, unfit } from '../vip/election.ts';
import type { Cause } from '../vip/lease.ts';
import type { Stranded, Vip } from '../vip/vip.ts';
import { drainOf, drainText, leavingOf } from '../vip/vip.ts';

/** Undefined where it is not a drain that moves the VIP; then the claim is the cause. */
export function drainCause(vip: Vip, now: EpochMs): Cause | undefined {
  const { owner, reason } = elect(vip, now);
  if (reason.key !== 'drained' || vip.owner !== reason.other || owner === undefined) return undefined;
  const drain = drainOf(vip, reason.other, now)!;
  return { kind: 'order', node: owner, why: drainText(reason.other, drain), by: drain.by, atMs: now };
}

/** What the drains of a VIP's nodes mean for it now. */
export type Outlook =
  /** No drained node owns it. */
  | { readonly key: 'clear' }
  /** The controller moves it, routes only. */
  | { readonly key: 'moves'; readonly to: string }
  /** keepalived has to move first: its master is demoted. */
  | { readonly key: 'demotes'; readonly to: string }
  | { readonly key: 'frozen' }
  /** keepalived would elect a node that is drained, too. */
  | { readonly key: 'next-drained'; readonly next: string }
  /** No other node is eligible. */
  | { readonly key: 'last' };

export function outlookOf(vip: Vip, now: EpochMs): Outlook {
  const { owner } = vip;
  if (owner === undefined || drainOf(vip, owner, now) === undefined) return { key: 'clear' };
  if (isLiveOrder(vip.freeze, now)) return { key: 'frozen' };
  const to = elect(vip, now).owner;
  if (to !== undefined && to !== owner) return { key: 'moves', to };
  const next = nextMaster(vip, owner);
  if (next === undefined) return { key: 'last' };
  return drainOf(vip, next, now) === undefined ? { key: 'demotes', to: next } : { key: 'next-drained', next };
}

/** The owner is drained and keeps the VIP: why. Undefined where it does not. */
export function staysText(vip: Vip, now: EpochMs): string | undefined {
  const outlook = outlookOf(vip, now);
  if (outlook.key === 'clear' || outlook.key === 'moves') return undefined;
  const owner = vip.owner!;
  return `${drainText(owner, drainOf(vip, owner, now)!)}, and keeps the VIP: ${whyText(outlook)}`;
}

function whyText(outlook: Exclude<Outlook, { readonly key: 'clear' | 'moves' }>): string {
  switch (outlook.key) {
    case 'frozen':
      return 'it is frozen, so nothing moves before it is unfrozen';
    case 'demotes':
      return `keepalived’s master is there; a failover to ${outlook.to} moves it`;
    case 'next-drained':
      return `keepalived would elect ${outlook.next}, which is drained too`;
    case 'last':
      return 'no other node is eligible';
    default:
      return outlook satisfies never;
  }
}

/** The standby that keepalived would elect if the node withdrew: of those that are fit and stay the one of the highest priority. */
function nextMaster(vip: Vip, node: string): string | undefined {
  const { claims } = vip;
  const fit = Object.keys(vip.members).filter(
    (other) => other !== node && unfit(vip, other) === undefined && leavingOf(vip, other) === undefined,
  );
  return fit.sort((a, b) => claims[b]!.priority - claims[a]!.priority || (a < b ? -1 : 1))[0];
}

/**
 * Undefined where the owner stays, or keepalived or the controller is about to move the VIP. `isMasterAgain`: it became MASTER while it
 * was about to go.
 */
export function strandedOf(vip: Vip, now: EpochMs, isMasterAgain = false): Stranded | undefined {
  const { owner: node } = vip;
  const cause = node === undefined ? undefined : leavingOf(vip, node);
  if (node === undefined || cause === undefined) return undefined;
  if (isLiveOrder(vip.freeze, now)) return { key: 'frozen', node, cause };
  if (elect(vip, now).owner !== node) return undefined;
  if (vip.hold !== 'master' || nextMaster(vip, node) === undefined) return { key: 'last', node, cause };
  // There its own keepalived gives it away first.
  const told = vip.strandedTold?.[node];
  const isKept = isMasterAgain || (told?.key === 'not-taken' && told.cause === cause);
  return isKept ? { key: 'not-taken', node, cause } : undefined;
}

/** The owner is about to go and keeps the VIP: why. Undefined where it stays, or the VIP is about to move. */
export function goesWithTheVip(vip: Vip, now: EpochMs): string | undefined {
  const stranded = strandedOf(vip, now);
  return stranded && strandedText(vip.name, stranded);
}

function strandedText(vip: string, { key, node, cause }: Stranded): string {
  const goes = `${node} is about to go (${cause})`;
  if (key === 'frozen') return `${goes}, and the VIP is frozen: run vipshift unfreeze ${vip}`;
  return `${goes}, and keeps the VIP: ${keptText[key]}`;
}
