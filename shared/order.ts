// A forced failover: an operator's order that a VIP goes to a node. It takes the same lease and the same switch as
// everybody else; the pin, where there is one, is set in the very write that takes the lease, so that no reconcile comes
// between the two.
//
// Invariant: what the election does not name after the pin is set is not switched to; freeze and foreign pins are honoured.
// Limit: under `routes-only` keepalived's own master stays master, so the pin is what keeps the VIP; when it runs out
// reconcile follows keepalived.
import { elect, isLiveOrder, unfit } from './election.ts';
import { Fault, faultOf } from './fault.ts';
import { endForced, type ForcedRun, stopReasons } from './forced.ts';
import { type Cause, isLive, LOOK_AGAIN } from './lease.ts';
import { isOver, mayWaitOn } from './lease-wait.ts';
import { stands, update } from './ledger.ts';
import { withoutForced, withoutPin, withPin } from './ledger-order.ts';
import { membersSeen } from './observation.ts';
import { plan } from './plan.ts';
import type { ReleaseWish } from './release.ts';
import { type Switched, switchVip, take, type Wire } from './switch.ts';
import { type EpochMs, minutes, plus, seconds } from './time.ts';
import type { Failover } from './timeline.ts';
import type { Pin, Vip } from './vip.ts';

export interface FailoverOrder {
  readonly vip: string;
  readonly to: string;
  /** `routes-only`: the routes move, keepalived stays. `via-keepalived`: its master is demoted and the claim awaited. */
  readonly mode: 'routes-only' | 'via-keepalived';
  readonly reason: string;
  /** Who gave it, as the caller said. */
  readonly by: string;
  readonly dryRun: boolean;
  readonly approval: boolean;
  /** 0 for no pin. */
  readonly pinMinutes: number;
  /** How long, via keepalived, the target may take to become master and say so. */
  readonly claimWaitSeconds: number;
  /** When, via keepalived, the demoted master is released again; `safe` unless told. */
  readonly release?: ReleaseWish;
}

export type Carried =
  | {
      readonly outcome: 'switched';
      readonly owner: string;
      readonly epoch: number;
      readonly failover?: Failover;
    }
  /** The invocation ends before the switch does: ask again. Nothing is wrong, and nothing may be undone for it. */
  | {
      readonly outcome: 'moving';
      readonly why: string;
      readonly owner?: string;
      readonly failover?: Failover;
    }
  | {
      readonly outcome: 'failed';
      readonly why: string;
      readonly owner?: string;
      readonly failover?: Failover;
    };

/** Writes that somebody else was quicker than; whoever holds a lease is waited for, and is none. */
const RACES_MAX = 200;
/** How often the workflow asks again while the VIP is moving (runbook/failover.asl.json): 20 minutes of EC2's budget. */
export const SWITCH_ROUNDS_MAX = 4;
/** Reads that may be older than the switch are asked again for as long. */
export const VERIFY_WAIT = seconds(15);

const pinOf = (order: FailoverOrder, now: EpochMs): Pin => ({
  node: order.to,
  by: order.by,
  reason: order.reason,
  untilMs: plus(now, minutes(order.pinMinutes)),
});

const isOurs = (pin: Pin | undefined, order: FailoverOrder): boolean =>
  pin !== undefined && pin.node === order.to && pin.by === order.by && pin.reason === order.reason;

/** Pins where asked, and switches. Doing it twice moves nothing the second time. */
export async function carryOut(wire: Wire, order: FailoverOrder, run: ForcedRun): Promise<Carried> {
  const cause = causeOf(order, run.execution, wire.clock.now(), order.reason);
  const carried = await underLease(wire, order, cause, {
    stops(vip, now) {
      if (isThere(vip, order)) return undefined;
      const reasons = stopReasons(vip, order, run, now);
      return reasons.length === 0 ? undefined : reasons.join('; ');
    },
    decide(vip, now) {
      if (isThere(vip, order)) return { is: 'done' };
      const after = order.pinMinutes === 0 ? vip : withPin(vip, pinOf(order, now));
      const { owner, why } = elect(after, now);
      if (owner === order.to) return { is: 'after', vip: after };
      return { is: 'against', why: `the election names ${owner ?? 'nobody'}: ${why}` };
    },
  });
  const end = judged(carried, order);
  // The report does it again, should this fail.
  if (end.outcome === 'switched') await endForced(wire, order.vip, run.execution).catch(() => undefined);
  return end;
}

const isThere = (vip: Vip, order: FailoverOrder): boolean =>
  vip.owner === order.to && (order.pinMinutes === 0 || isOurs(vip.pin, order));

/** Takes our pin away and goes where the election then says: back, unless keepalived itself has moved. */
export async function switchBack(wire: Wire, order: FailoverOrder, run: ForcedRun): Promise<Carried> {
  const cause = causeOf(order, run.execution, wire.clock.now(), 'switching back, the order failed');
  const letGo = (vip: Vip): Vip => {
    const freed = vip.forced?.execution === run.execution ? withoutForced(vip) : vip;
    return isOurs(freed.pin, order) ? withoutPin(freed) : freed;
  };
  const carried = await underLease(wire, order, cause, {
    stops: (vip, now) => (isLiveOrder(vip.freeze, now) ? 'frozen meanwhile' : undefined),
    decide: (vip) => ({ is: 'after', vip: letGo(vip) }),
  });
  // Where nothing was switched the pin must not stay either: it would move the VIP when the freeze ends.
  if (carried.outcome !== 'switched')
    await update(wire.vips, order.vip, (vip) => (vip === undefined ? vip : letGo(vip))).catch(
      () => undefined,
    );
  return carried;
}

const causeOf = (order: FailoverOrder, execution: string, atMs: EpochMs, why: string): Cause => ({
  kind: 'order',
  node: order.to,
  id: execution,
  why,
  by: order.by,
  atMs,
});

interface Way {
  /** Why not to go on, also while somebody else's lease is live: what an operator has said is followed at once. */
  stops(vip: Vip, now: EpochMs): string | undefined;
  decide(vip: Vip, now: EpochMs): Decision;
}
type Decision =
  | { readonly is: 'done' }
  | { readonly is: 'against'; readonly why: string }
  | { readonly is: 'after'; readonly vip: Vip };

async function underLease(wire: Wire, order: FailoverOrder, cause: Cause, way: Way): Promise<Carried> {
  for (let race = 1; race <= RACES_MAX; ) {
    const vip = await wire.vips.read(order.vip);
    if (!stands(vip)) return { outcome: 'failed', why: `VIP ${order.vip} is not in the ledger any more` };
    const now = wire.clock.now();
    const stopped = way.stops(vip, now);
    if (stopped !== undefined) return { outcome: 'failed', why: stopped, ...ownerOf(vip) };
    if (isLive(vip.lease, now)) {
      if (await mayWaitOn(wire)) continue;
      const why = `epoch ${vip.epoch} is still under way: ${vip.lease!.cause.why}`;
      const moving = elect(vip, now).owner === order.to;
      return { outcome: moving ? 'moving' : 'failed', why, ...ownerOf(vip) };
    }
    const decision = way.decide(vip, now);
    if (decision.is === 'done') return { outcome: 'switched', owner: vip.owner!, epoch: vip.epoch };
    if (decision.is === 'against') return { outcome: 'failed', why: decision.why, ...ownerOf(vip) };
    const taken = await take(wire, vip, decision.vip, cause);
    if (taken !== undefined) {
      const observing = wire.ec2.observe(taken);
      observing.catch(() => undefined);
      const stages = [{ stage: 'order began', atMs: cause.atMs }];
      return told(wire, await switchVip(wire, taken, observing, stages), taken.epoch);
    }
    race += 1;
  }
  return { outcome: 'failed', why: `lost ${RACES_MAX} races for the item of ${order.vip}` };
}

const ownerOf = ({ owner }: Vip) => (owner === undefined ? {} : { owner });

function told(wire: Wire, { vip, failovers }: Switched, epoch: number): Carried {
  const failover = failovers.at(-1);
  const story = failover === undefined ? {} : { failover };
  // Committed means: every step was carried out. What was left to a stranger is in the record.
  const well = failover !== undefined && ['switched', 'unchanged', 'partial'].includes(failover.outcome);
  if (well && vip.lease === undefined && vip.owner === failover.to && vip.owner !== undefined)
    return { outcome: 'switched', owner: vip.owner, epoch, ...story };
  const why = [`outcome ${failover?.outcome ?? 'unknown'}`, ...(failover?.notes ?? [])].join('; ');
  const outcome = failover !== undefined && isCutOff(wire, failover) ? 'moving' : 'failed';
  return { outcome, why, ...ownerOf(vip), ...story };
}

/** Nothing was refused; the invocation's time was over before the last step could be sent. */
const isCutOff = (wire: Wire, { steps }: Failover): boolean =>
  isOver(wire) &&
  steps.some((step) => step.result === 'unsent') &&
  steps.every((step) => step.result === 'done' || step.result === 'unsent');

const judged = (carried: Carried, order: FailoverOrder): Carried =>
  carried.outcome === 'switched' && carried.owner !== order.to
    ? { ...carried, outcome: 'failed', why: `the VIP went to ${carried.owner}, want ${order.to}` }
    : carried;

export interface Awaited {
  /** `stopped`: it makes no sense to wait any longer, so go back at once. */
  readonly outcome: 'heard' | 'missing' | 'stopped';
  readonly why: string;
}

/**
 * Waits, after the demotion, until the election over the nodes' own words names the target. Ends at once when an operator has
 * stopped the order, or when the target cannot take over any more.
 */
export async function awaitClaim(wire: Wire, order: FailoverOrder, run: ForcedRun): Promise<Awaited> {
  const end = plus(wire.clock.now(), seconds(order.claimWaitSeconds));
  let why = 'nothing was read';
  while (wire.clock.now() < end) {
    const vip = await wire.vips.read(order.vip).catch((error: unknown) => faultOf(error));
    if (vip instanceof Fault) why = vip.message;
    else {
      const now = wire.clock.now();
      const reasons = awaitStops(vip, order, run, now);
      if (reasons.length > 0) return { outcome: 'stopped', why: reasons.join('; ') };
      const stint = vip!.claims[order.to];
      const election = elect(vip!, now);
      if (election.owner === order.to && stint?.state === 'MASTER')
        return { outcome: 'heard', why: election.why };
      why = `${order.to} says ${stint?.state ?? 'nothing'}; the election names ${election.owner ?? 'nobody'}`;
    }
    await wire.clock.wait(LOOK_AGAIN);
  }
  return { outcome: 'missing', why: `no claim within ${order.claimWaitSeconds} s: ${why}` };
}

function awaitStops(
  vip: Vip | undefined,
  order: FailoverOrder,
  run: ForcedRun,
  now: EpochMs,
): readonly string[] {
  if (!stands(vip)) return [`VIP ${order.vip} is not in the ledger any more`];
  const reasons = stopReasons(vip, order, run, now);
  const why = unfit(vip, order.to);
  return why === undefined ? reasons : [...reasons, `${order.to} cannot take over: ${why}`];
}

export interface Verified {
  readonly outcome: 'right' | 'wrong';
  readonly wrong: readonly string[];
  /** Left to somebody else; was so before. */
  readonly conflicts: readonly string[];
}

/**
 * Looks at EC2 anew until it shows every cell right, or VERIFY_WAIT has passed. Throws when it could not look at the end: that
 * is no reason to go back (guarantee 8).
 */
export async function verifyOrder(wire: Wire, order: FailoverOrder): Promise<Verified> {
  const end = plus(wire.clock.now(), VERIFY_WAIT);
  for (;;) {
    const found = await look(wire, order).catch((error: unknown) => faultOf(error));
    const over = wire.clock.now() >= end;
    if (found instanceof Fault) {
      if (over) throw found;
    } else if (found.outcome === 'right' || over) return found;
    await wire.clock.wait(seconds(1));
  }
}

async function look(wire: Wire, order: FailoverOrder): Promise<Verified> {
  const vip = await wire.vips.read(order.vip);
  if (vip?.owner !== order.to)
    return { outcome: 'wrong', wrong: [`the owner is ${vip?.owner ?? 'nobody'}`], conflicts: [] };
  const seen = await wire.ec2.observe(vip);
  const target = membersSeen(vip, seen, vip.members)[order.to];
  if (target === undefined)
    return { outcome: 'wrong', wrong: [`EC2 shows no labelled ENI of ${order.to}`], conflicts: [] };
  const { steps, conflicts } = plan(vip, seen, target, true);
  const wrong = steps.map((s) => `${s.cell} → ${s.from}`);
  return {
    outcome: wrong.length === 0 ? 'right' : 'wrong',
    wrong,
    conflicts: conflicts.map((c) => `${c.cell} → ${c.found}`),
  };
}
