// A forced failover as it stands in the VIP's item while its workflow is under way. It is written there by one conditional
// write before anybody is demoted, on what the item says in that very write; whoever comes later sees it.
//
// Invariants: nobody is demoted on what was so once. A freeze takes it out in its own write, and the workflow that does not
// find it any more goes back. Two forced failovers of a VIP are never under way at once.
// Limit: SSM takes no condition. What happens between this write and the command (a moment) is seen after the demotion, which
// is then taken back.

import { toFault } from '../fault.ts';
import { defined } from '../optional.ts';
import { isRegistered, update } from '../registry/registry.ts';
import type { Ports } from '../switch/switch-vip.ts';
import { type DurationMs, type EpochMs, minutes, plus } from '../time.ts';
import { isLiveOrder, unfit, unfitText } from '../vip/election.ts';
import { isLive } from '../vip/lease.ts';
import { mayWaitOn } from '../vip/lease-wait.ts';
import type { Forced, Vip } from '../vip/vip.ts';
import { withForced, withoutForced } from '../vip/vip.ts';
import type { FailoverOrder } from './order.ts';
import { operatorsReasons } from './preflight.ts';

/** Longer than a workflow has to do with it (runbook/failover.asl.json); one that died blocks nobody for longer. */
export const FORCED_LASTS: DurationMs = minutes(45);
/** Writes that somebody else was quicker than. */
const RACES_MAX = 40;

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
      `the owner is ${vip.owner ?? 'nobody'} now, expected ${run.owner ?? 'nobody'} as the preflight found it; order it again`,
    );
  const why = unfit(vip, order.to);
  if (why !== undefined) reasons.push(`not fit: ${unfitText(why)}`);
  return reasons;
}

/** Writes the order into the item, or says why not. Doing it twice decides twice, and writes once. */
export async function beginForced(ports: Ports, order: FailoverOrder, run: ForcedRun): Promise<Begun> {
  for (let race = 1; race <= RACES_MAX; ) {
    const vip = await ports.vips.read(order.vip);
    if (!isRegistered(vip))
      return refused([`VIP ${order.vip} is not in the ledger any more: vipshift vip list`]);
    const now = ports.clock.now();
    if (isLive(vip.lease, now)) {
      // Its release may change the owner.
      if (await mayWaitOn(ports)) continue;
      return refused([`epoch ${vip.epoch} is still under way (${vip.lease!.cause.why}); order it again`]);
    }
    const reasons = beginReasons(vip, order, run, now);
    const known = liveForced(vip, now);
    const ours = known?.execution === run.execution;
    if (reasons.length === 0 && ours) return { outcome: 'begun', untilMs: known.untilMs };
    if (reasons.length > 0 && !ours) return refused(reasons);
    const after = reasons.length > 0 ? withoutForced(vip) : withForced(vip, forcedOf(order, run, now));
    // After a lost reply the next read tells.
    await ports.vips.write(vip, after).catch((error: unknown) => {
      if (toFault(error).kind !== 'unknown') throw error;
    });
    race += 1;
  }
  return refused([`the item of ${order.vip} changed ${RACES_MAX} times under our hands; order it again`]);
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
