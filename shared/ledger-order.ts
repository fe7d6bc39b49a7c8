// An operator's order as the timeline keeps it: who changed the ledger, pinned, froze, or moved a VIP by hand, when,
// why and until when. It lies beside the failovers of its VIP under `order/<instant>/<nonce>`, put if absent and never
// updated, and stands in the indexes by day and, for orders that name a node, by node.
//
// Invariant: the order is written before it takes effect. When it then does not take effect, a second entry says so:
// so the record may name an order that was in vain, never hide one that was carried out.
import type { Fault } from './fault.ts';
import { type EpochMs, iso } from './time.ts';
import type { Forced, LedgerEntry, Order, Pin, Vip } from './vip.ts';

export const orderKinds = [
  'add',
  'set',
  'remove',
  'adopt',
  'pin',
  'unpin',
  'freeze',
  'thaw',
  'break-glass',
  'failover',
  'approve',
  'deny',
  'not-carried-out',
] as const;
export type OrderKind = (typeof orderKinds)[number];

export interface OrderEntry {
  readonly entry: 'order';
  readonly vip: string;
  /** `order/<instant>/<nonce>`. */
  readonly id: string;
  readonly order: OrderKind;
  /** Who gave it: the caller's ARN as AWS knows it. */
  readonly by: string;
  readonly reason: string;
  readonly atMs: EpochMs;
  /** When a pin or freeze runs out. */
  readonly untilMs?: EpochMs;
  /** The node that a pin or a failover names. */
  readonly node?: string;
  /** What the ledger said before and says now, for orders that change it. */
  readonly before?: Partial<LedgerEntry>;
  readonly after?: Partial<LedgerEntry>;
  /** Of `not-carried-out`: the order meant, and why. */
  readonly of?: string;
  readonly why?: string;
}

export type OrderWords = Omit<OrderEntry, 'entry' | 'id'>;

/** The port that records orders. Throws a Fault; put-if-absent, so a repetition is harmless. */
export interface OrderBook {
  put(order: OrderEntry): Promise<void>;
}

export const orderEntry = (words: OrderWords, nonce: string): OrderEntry => ({
  entry: 'order',
  id: `order/${iso(words.atMs)}/${nonce}`,
  ...words,
});

export const inVain = (order: OrderEntry, fault: Fault, atMs: EpochMs, nonce: string): OrderEntry =>
  orderEntry(
    {
      vip: order.vip,
      order: 'not-carried-out',
      by: order.by,
      reason: order.reason,
      atMs,
      of: order.id,
      why: fault.message,
    },
    nonce,
  );

export const withPin = (vip: Vip, pin: Pin): Vip => ({ ...vip, pin });
/** The emergency stop: it also cancels a forced failover that is under way. */
export const withFreeze = (vip: Vip, freeze: Order): Vip => ({ ...withoutForced(vip), freeze });
export const withForced = (vip: Vip, forced: Forced): Vip => ({ ...vip, forced });
export function withoutForced(vip: Vip): Vip {
  const { forced: _forced, ...rest } = vip;
  return rest;
}
export function withoutPin(vip: Vip): Vip {
  const { pin: _pin, ...rest } = vip;
  return rest;
}
export function withoutFreeze(vip: Vip): Vip {
  const { freeze: _freeze, ...rest } = vip;
  return rest;
}

export const forcedText = (vip: string, { node, execution, by, atMs, reason }: Forced): string =>
  `a forced failover of ${vip} to ${node} is under way (${execution}, ordered by ${by}, begun ${iso(atMs)}: ${reason})`;
