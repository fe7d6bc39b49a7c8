// What lasts, out of records that each tell an instant: who owned a VIP from when to when, and which pins and freezes stood. Pure.
//
// Limit: it knows what the records say. What was ordered before the period, and stood in it, is not among them.
import { type EpochMs, epochMs } from '../../shared/time.ts';
import type { OperatorAction } from '../../shared/timeline/operator-action.ts';
import { committed, type Window } from '../../shared/timeline/query.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';

export interface OwnerBand extends Window {
  /** Undefined: no node owned it. */
  readonly node: string | undefined;
}

/** Of one VIP. Before its first failover it was where that found it. */
export function ownerBands(
  failovers: readonly Failover[],
  { sinceMs, untilMs }: Window,
): readonly OwnerBand[] {
  const inOrder = failovers.toSorted((a, b) => a.atMs - b.atMs || a.epoch - b.epoch);
  const [first] = inOrder;
  if (first === undefined) return [];
  const bands: OwnerBand[] = [];
  let from = sinceMs;
  let node = first.from;
  for (const failover of inOrder.filter(committed)) {
    if (failover.to === node) continue;
    if (failover.atMs > from) bands.push({ sinceMs: from, untilMs: failover.atMs, node });
    from = epochMs(Math.max(sinceMs, failover.atMs));
    node = failover.to;
  }
  return [...bands, { sinceMs: from, untilMs, node }];
}

export interface Standing extends Window {
  readonly kind: 'pin' | 'freeze';
  readonly order: OperatorAction;
}

const begins: Readonly<Partial<Record<OperatorAction['order'], Standing['kind']>>> = {
  pin: 'pin',
  'break-glass': 'pin',
  freeze: 'freeze',
};
const ends: Readonly<Partial<Record<OperatorAction['order'], Standing['kind']>>> = {
  unpin: 'pin',
  thaw: 'freeze',
};

/** Of one VIP: each pin and freeze from its order to its end, which is another order or its own time. */
export function standing(
  orders: readonly OperatorAction[],
  { sinceMs, untilMs }: Window,
): readonly Standing[] {
  const failed = new Set(orders.map(({ of }) => of));
  const inOrder = orders.filter(({ id }) => !failed.has(id)).toSorted((a, b) => a.atMs - b.atMs);
  const found: Standing[] = [];
  for (const [n, order] of inOrder.entries()) {
    const kind = begins[order.order];
    if (kind === undefined || order.untilMs === undefined) continue;
    const next = inOrder.slice(n + 1).find((later) => (begins[later.order] ?? ends[later.order]) === kind);
    const end = Math.min(order.untilMs, next?.atMs ?? order.untilMs, untilMs);
    const begin = Math.max(sinceMs, order.atMs);
    if (end > begin) found.push({ kind, order, sinceMs: epochMs(begin), untilMs: epochMs(end) });
  }
  return found;
}

/** What the records of a chart span, a little wider, within the window. */
export function spanOf(instants: readonly EpochMs[], window: Window): Window {
  const [from, to] = [Math.min(...instants), Math.max(...instants)];
  const margin = Math.max(1, (to - from) * 0.04);
  return {
    sinceMs: epochMs(Math.max(Math.min(window.sinceMs, from), from - margin)),
    untilMs: epochMs(Math.max(to + 1, Math.min(window.untilMs, to + margin))),
  };
}
