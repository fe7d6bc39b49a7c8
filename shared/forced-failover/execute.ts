// A forced failover: an operator's order that a VIP goes to a node. It takes the same lease and the same switch as
// everybody else; the pin, where there is one, is set in the very write that takes the lease, so that no reconcile comes
// between the two.
//
// Invariant: what the election does not name after the pin is set is not switched to; freeze and foreign pins are honoured.
// Limit: under `routes-only` keepalived's own master stays master, so the pin is what keeps the VIP; when it runs out
// reconcile follows keepalived.
import { Fault, toleratedFault } from '../fault.ts';
import { unmetCells } from '../network/conflict.ts';
import { membersSeen } from '../network/observation.ts';
import { plan } from '../network/plan.ts';
import { defined, ifDefined } from '../optional.ts';
import { isRegistered, update } from '../registry/registry.ts';
import { isOver } from '../switch/lease-wait.ts';
import { observeAndSwitch, type Ports, type Switched, take } from '../switch/switch-vip.ts';
import { RACES_MAX, whenFree } from '../switch/when-free.ts';
import { type EpochMs, minutes, plus, seconds } from '../time.ts';
import { milestone } from '../timeline/milestone.ts';
import type { Failover } from '../timeline/timeline.ts';
import { elect, electionText, isLiveOrder, unfit, unfitText } from '../vip/election.ts';
import { type Cause, LOOK_AGAIN } from '../vip/lease.ts';
import { type Pin, type Vip, withoutForced, withoutPin, withPin } from '../vip/vip.ts';
import type { FailoverOrder, SwitchResult } from './order.ts';
import { endForced, type ForcedRun, stopReasons } from './under-way.ts';

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
export async function executeForcedFailover(
  ports: Ports,
  order: FailoverOrder,
  run: ForcedRun,
): Promise<SwitchResult> {
  const cause = causeOf(order, run.execution, ports.clock.now(), order.reason);
  const carried = await underLease(ports, order, cause, {
    stops(vip, now) {
      if (isThere(vip, order)) return undefined;
      const reasons = stopReasons(vip, order, run, now);
      return reasons.length === 0 ? undefined : reasons.join('; ');
    },
    decide(vip, now) {
      if (isThere(vip, order)) return { is: 'done' };
      const after = order.pinMinutes === 0 ? vip : withPin(vip, pinOf(order, now));
      const { owner, reason } = elect(after, now);
      if (owner === order.to) return { is: 'after', vip: after };
      return { is: 'against', why: `the election names ${owner ?? 'no node'}: ${electionText(reason)}` };
    },
  });
  const end = judged(carried, order);
  // The report does it again, should this fail.
  if (end.outcome === 'switched') await endForced(ports, order.vip, run.execution).catch(() => undefined);
  return end;
}

const isThere = (vip: Vip, order: FailoverOrder): boolean =>
  vip.owner === order.to && (order.pinMinutes === 0 || isOurs(vip.pin, order));

/** Takes our pin away and goes where the election then says: back, unless keepalived itself has moved. */
export async function switchBack(ports: Ports, order: FailoverOrder, run: ForcedRun): Promise<SwitchResult> {
  const cause = causeOf(order, run.execution, ports.clock.now(), 'switching back, the order failed');
  const letGo = (vip: Vip): Vip => {
    const freed = vip.forced?.execution === run.execution ? withoutForced(vip) : vip;
    return isOurs(freed.pin, order) ? withoutPin(freed) : freed;
  };
  const carried = await underLease(ports, order, cause, {
    stops: (vip, now) => (isLiveOrder(vip.freeze, now) ? 'frozen meanwhile' : undefined),
    decide: (vip) => ({ is: 'after', vip: letGo(vip) }),
  });
  // Where nothing was switched the pin must not stay either: it would move the VIP when the freeze ends.
  if (carried.outcome !== 'switched')
    await update(ports.vips, order.vip, (vip) => (vip === undefined ? vip : letGo(vip))).catch(
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
  /** Why not to go on, also while another caller's lease is live: an operator's command is followed at once. */
  stops(vip: Vip, now: EpochMs): string | undefined;
  decide(vip: Vip, now: EpochMs): Decision;
}
type Decision =
  | { readonly is: 'done' }
  | { readonly is: 'against'; readonly why: string }
  | { readonly is: 'after'; readonly vip: Vip };

async function underLease(ports: Ports, order: FailoverOrder, cause: Cause, way: Way): Promise<SwitchResult> {
  const failed = (why: string, vip?: Vip): SwitchResult => ({
    outcome: 'failed',
    why,
    ...ifDefined(vip, ownerOf),
  });
  const found = await whenFree<SwitchResult>(ports, order.vip, {
    stops(vip, now) {
      const why = way.stops(vip, now);
      return why === undefined ? undefined : failed(why, vip);
    },
    waits: () => undefined,
    decide(vip, now) {
      const decision = way.decide(vip, now);
      if (decision.is === 'after') return { write: decision.vip };
      if (decision.is === 'against') return { end: failed(decision.why, vip) };
      return { end: { outcome: 'switched', owner: vip.owner!, epoch: vip.epoch } };
    },
    write: (before, after) => take(ports, before, after, cause),
  });
  switch (found.is) {
    case 'written': {
      const switched = await observeAndSwitch(ports, found.after, [milestone('order-began', cause.atMs)]);
      return told(ports, switched, found.after.epoch);
    }
    case 'ended':
      return found.end;
    case 'unregistered':
      return failed(`VIP ${order.vip} is no longer in the registry`);
    case 'under-way':
      return stillMoving(found.vip, order, ports.clock.now());
    case 'contended':
      return failed(`lost ${RACES_MAX} races for the item of ${order.vip}`);
    default:
      throw new TypeError(`no such end: ${JSON.stringify(found satisfies never)}`);
  }
}

/** Another caller has the lease, perhaps to move the VIP where the order wants it. */
function stillMoving(vip: Vip, order: FailoverOrder, now: EpochMs): SwitchResult {
  const why = `epoch ${vip.epoch} is still under way: ${vip.lease!.cause.why}`;
  const moving = elect(vip, now).owner === order.to;
  return { outcome: moving ? 'moving' : 'failed', why, ...ownerOf(vip) };
}

const ownerOf = ({ owner }: Vip) => defined({ owner });

function told(ports: Ports, { vip, failovers }: Switched, epoch: number): SwitchResult {
  const failover = failovers.at(-1);
  const record = defined({ failover });
  // Committed means: every step was carried out. What was left to a stranger is in the record. Whether every cell of the
  // VIP's own leads there is what `verify` asks, by newer reads than the plan was made from.
  const well = failover !== undefined && ['switched', 'unchanged', 'partial'].includes(failover.outcome);
  if (well && vip.lease === undefined && vip.owner === failover.to && vip.owner !== undefined)
    return { outcome: 'switched', owner: vip.owner, epoch, ...unmetOf(failover), ...record };
  const why = [`outcome ${failover?.outcome ?? 'unknown'}`, ...(failover?.notes ?? [])].join('; ');
  const outcome = failover !== undefined && isCutOff(ports, failover) ? 'moving' : 'failed';
  return { outcome, why, ...ownerOf(vip), ...record };
}

const unmetOf = ({ conflicts }: Failover): { readonly unmet?: readonly string[] } => {
  const unmet = unmetCells(conflicts);
  return unmet.length === 0 ? {} : { unmet };
};

/** Nothing was refused; the invocation's time was over before the last step could be sent. */
const isCutOff = (ports: Ports, { steps }: Failover): boolean =>
  isOver(ports) &&
  steps.some((step) => step.result === 'unsent') &&
  steps.every((step) => step.result === 'done' || step.result === 'unsent');

const judged = (carried: SwitchResult, order: FailoverOrder): SwitchResult =>
  carried.outcome === 'switched' && carried.owner !== order.to
    ? { ...carried, outcome: 'failed', why: `the VIP went to ${carried.owner}, expected ${order.to}` }
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
export async function awaitClaim(ports: Ports, order: FailoverOrder, run: ForcedRun): Promise<Awaited> {
  const end = plus(ports.clock.now(), seconds(order.claimWaitSeconds));
  let why = 'nothing was read';
  while (ports.clock.now() < end) {
    const vip = await ports.vips.read(order.vip).catch(toleratedFault);
    if (vip instanceof Fault) why = vip.message;
    else {
      const now = ports.clock.now();
      const reasons = awaitStops(vip, order, run, now);
      if (reasons.length > 0) return { outcome: 'stopped', why: reasons.join('; ') };
      const nodeState = vip!.claims[order.to];
      const election = elect(vip!, now);
      if (election.owner === order.to && nodeState?.state === 'MASTER')
        return { outcome: 'heard', why: electionText(election.reason) };
      why = `${order.to} says ${nodeState?.state ?? 'nothing'}; the election names ${election.owner ?? 'no node'}`;
    }
    await ports.clock.wait(LOOK_AGAIN);
  }
  return { outcome: 'missing', why: `no claim within ${order.claimWaitSeconds} s: ${why}` };
}

function awaitStops(
  vip: Vip | undefined,
  order: FailoverOrder,
  run: ForcedRun,
  now: EpochMs,
): readonly string[] {
  if (!isRegistered(vip)) return [`VIP ${order.vip} is no longer in the registry`];
  const reasons = stopReasons(vip, order, run, now);
  const why = unfit(vip, order.to);
  return why === undefined ? reasons : [...reasons, `${order.to} cannot take over: ${unfitText(why)}`];
}

export interface Verified {
  readonly outcome: 'right' | 'wrong';
  /** Cells of the VIP's own that lead elsewhere, those that cannot be set among them: a preflight refuses for these, too. */
  readonly wrong: readonly string[];
  /** Left to someone else. Rolling back would not change them. */
  readonly conflicts: readonly string[];
}

/**
 * Reads EC2 again until it shows every cell right, or VERIFY_WAIT has passed. Throws when the last read failed: that
 * is no reason to go back (guarantee 8).
 */
export async function verifyOrder(ports: Ports, order: FailoverOrder): Promise<Verified> {
  const end = plus(ports.clock.now(), VERIFY_WAIT);
  for (;;) {
    const found = await look(ports, order).catch(toleratedFault);
    const over = ports.clock.now() >= end;
    if (found instanceof Fault) {
      if (over) throw found;
    } else if (found.outcome === 'right' || over) return found;
    await ports.clock.wait(seconds(1));
  }
}

async function look(ports: Ports, order: FailoverOrder): Promise<Verified> {
  const vip = await ports.vips.read(order.vip);
  if (vip?.owner !== order.to)
    return { outcome: 'wrong', wrong: [`the owner is ${vip?.owner ?? 'no node'}`], conflicts: [] };
  const seen = await ports.ec2.observe(vip);
  const target = membersSeen(vip, seen, vip.members)[order.to];
  if (target === undefined)
    return { outcome: 'wrong', wrong: [`EC2 shows no labelled ENI of ${order.to}`], conflicts: [] };
  const { steps, conflicts } = plan(vip, seen, target, true);
  const wrong = [...steps.map((s) => `${s.cell} → ${s.from}`), ...unmetCells(conflicts)];
  return {
    outcome: wrong.length === 0 ? 'right' : 'wrong',
    wrong,
    conflicts: conflicts.filter((c) => c.kind === 'foreign').map((c) => `${c.cell} → ${c.found}`),
  };
}
