// A forced failover as it stands in the VIP's item while its workflow is under way. It is written there by one conditional
// write before any node is demoted, on condition of what the item says in that very write; later callers see it.
//
// Invariants: no node is demoted on outdated facts. A freeze takes it out in its own write, and the workflow that does not
// find it any more goes back. Two forced failovers of a VIP are never under way at once.
// Limit: SSM takes no condition. What happens between this write and the command (a moment) is seen after the demotion, which
// is then taken back.

import { toFault } from '../fault.ts';
import { defined } from '../optional.ts';
import { update } from '../registry/registry.ts';
import type { Ports } from '../switch/switch-vip.ts';
import { RACES_MAX, whenFree } from '../switch/when-free.ts';
import { type DurationMs, type EpochMs, minutes, plus } from '../time.ts';
import { isLiveOrder, unfit, unfitText } from '../vip/election.ts';
import type { Forced, Vip } from '../vip/vip.ts';
import { withForced, withoutForced } from '../vip/vip.ts';
import type { FailoverOrder } from './order.ts';
import { operatorsReasons } from './preflight.ts';

/** Longer than a workflow has to do with it (runbook/failover.asl.json); one that died blocks no one for longer. */
export const FORCED_LASTS: DurationMs = minutes(45);

/** Whose order is carried out, and what it rests on. */
export interface ForcedRun {
  readonly execution: string;
  /** The owner that the last preflight found. */
  readonly owner: string | undefined;
  /** Whether the order was written into the item: executions of an older definition do not do so. */
  readonly begun: boolean;
}

export type Begun =
  | { readonly outcome: 'begun'; readonly untilMs: EpochMs }
  | { readonly outcome: 'refused'; readonly reasons: readonly string[] };

export const liveForced = (vip: Vip, now: EpochMs): Forced | undefined =>
  isLiveOrder(vip.forced, now) ? vip.forced : undefined;

/** Why this VIP must not be forced there now; judged on the item that is then written. */
export function beginReasons(
  vip: Vip,
  order: FailoverOrder,
  run: ForcedRun,
  now: EpochMs,
): readonly string[] {
  const reasons = [...operatorsReasons(vip, order, now, run.execution)];
  if (vip.owner !== run.owner)
    reasons.push(
      `the owner is ${vip.owner ?? 'no node'} now, expected ${run.owner ?? 'no node'} as the preflight found it; order it again`,
    );
  const why = unfit(vip, order.to);
  if (why !== undefined) reasons.push(`not fit: ${unfitText(why)}`);
  return reasons;
}

/** Writes the order into the item, or says why not. Doing it twice decides twice, and writes once. */
export async function beginForced(ports: Ports, order: FailoverOrder, run: ForcedRun): Promise<Begun> {
  const found = await whenFree<Begun>(ports, order.vip, {
    stops: () => undefined,
    waits: () => undefined,
    decide(vip, now) {
      const reasons = beginReasons(vip, order, run, now);
      const known = liveForced(vip, now);
      const ours = known?.execution === run.execution;
      if (reasons.length === 0 && ours) return { end: { outcome: 'begun', untilMs: known.untilMs } };
      if (reasons.length > 0 && !ours) return { end: refused(reasons) };
      return { write: reasons.length > 0 ? withoutForced(vip) : withForced(vip, forcedOf(order, run, now)) };
    },
    // Looked at again in any case: after a lost reply only the next read tells.
    async write(before, after) {
      await ports.vips.write(before, after).catch((error: unknown) => {
        if (toFault(error).kind !== 'unknown') throw error;
      });
      return undefined;
    },
  });
  switch (found.is) {
    case 'ended':
      return found.end;
    case 'unregistered':
      return refused([`VIP ${order.vip} is no longer in the registry`]);
    case 'under-way': {
      // Its release may change the owner.
      const { epoch, lease } = found.vip;
      return refused([`epoch ${epoch} is still under way (${lease!.cause.why}); order it again`]);
    }
    default:
      return refused([`the item of ${order.vip} changed ${RACES_MAX} times under our hands; order it again`]);
  }
}

const refused = (reasons: readonly string[]): Begun => ({ outcome: 'refused', reasons });

const forcedOf = (order: FailoverOrder, run: ForcedRun, now: EpochMs): Forced => ({
  execution: run.execution,
  node: order.to,
  ...defined({ from: run.owner }),
  by: order.by,
  reason: order.reason,
  atMs: now,
  untilMs: plus(now, FORCED_LASTS),
});

/** Why an order that was begun must go no further; empty while nothing is in its way. */
export function stopReasons(vip: Vip, order: FailoverOrder, run: ForcedRun, now: EpochMs): readonly string[] {
  const reasons = operatorsReasons(vip, order, now, run.execution);
  if (reasons.length > 0 || !run.begun || liveForced(vip, now)?.execution === run.execution) return reasons;
  return [`cancelled: the order ${run.execution} is no longer in the item of ${vip.name}`];
}

/** Takes the order out of the item, where it is this execution's. */
export async function endForced(ports: Ports, name: string, execution: string): Promise<void> {
  await update(ports.vips, name, (vip) => (vip?.forced?.execution === execution ? withoutForced(vip) : vip));
}

/** A pin to another node would pull the rug from under the order. */
export const forbidsPin = (vip: Vip, node: string, now: EpochMs): Forced | undefined => {
  const forced = liveForced(vip, now);
  return forced !== undefined && forced.node !== node ? forced : undefined;
};

/** The pin that the order itself has set keeps what it has moved. */
export const forbidsUnpin = (vip: Vip, now: EpochMs): Forced | undefined => {
  const forced = liveForced(vip, now);
  const { pin } = vip;
  const own = pin?.node === forced?.node && pin?.by === forced?.by && pin?.reason === forced?.reason;
  return pin !== undefined && own ? forced : undefined;
};
