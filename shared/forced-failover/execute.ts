// A forced failover: an operator's order that a VIP goes to a node. It takes the same lease and the same switch as
// everybody else; the pin, where there is one, is set in the very write that takes the lease, so that no reconcile comes
// between the two.
//
// Invariant: what the election does not name after the pin is set is not switched to; freeze and foreign pins are honoured.
// Limit: under `routes-only` keepalived's own master stays master, so the pin is what keeps the VIP; when it runs out
// reconcile follows keepalived.
import { Fault, toFault } from '../fault.ts';
import { membersSeen } from '../network/observation.ts';
import { plan } from '../network/plan.ts';
import { type Ports, type Switched, switchVip, take } from '../switch/switch-vip.ts';
import { type EpochMs, minutes, plus, seconds } from '../time.ts';
import { elect, isLiveOrder } from '../vip/election.ts';
import { type Cause, isLive, LOOK_AGAIN } from '../vip/lease.ts';
import { type Pin, type Vip, withoutPin, withPin } from '../vip/vip.ts';
import type { FailoverOrder, SwitchResult } from './order.ts';
import { operatorsReasons } from './preflight.ts';

/** Changes of the item met on the way; each costs a read and a wait at the most. */
const RACES_MAX = 200;
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
  execution: string,
): Promise<SwitchResult> {
  const cause = causeOf(order, execution, ports.clock.now(), order.reason);
  return underLease(ports, order.vip, cause, (vip, now) => {
    const pin = order.pinMinutes === 0 ? undefined : pinOf(order, now);
    const done = vip.owner === order.to && (pin === undefined || isOurs(vip.pin, order));
    if (done) return { is: 'done' };
    const against = operatorsReasons(vip, order, now);
    if (against.length > 0) return { is: 'against', why: against.join('; ') };
    const after = pin === undefined ? vip : withPin(vip, pin);
    const { owner, why } = elect(after, now);
    if (owner !== order.to) return { is: 'against', why: `the election names ${owner ?? 'nobody'}: ${why}` };
    return { is: 'after', vip: after };
  }).then((carried) => judged(carried, order));
}

/** Takes our pin away and goes where the election then says: back, unless keepalived itself has moved. */
export async function switchBack(
  ports: Ports,
  order: FailoverOrder,
  execution: string,
): Promise<SwitchResult> {
  const cause = causeOf(order, execution, ports.clock.now(), 'switching back, the order failed');
  return underLease(ports, order.vip, cause, (vip, now) =>
    isLiveOrder(vip.freeze, now)
      ? { is: 'against', why: 'frozen meanwhile' }
      : { is: 'after', vip: isOurs(vip.pin, order) ? withoutPin(vip) : vip },
  );
}

const causeOf = (order: FailoverOrder, execution: string, atMs: EpochMs, why: string): Cause => ({
  kind: 'order',
  node: order.to,
  id: execution,
  why,
  by: order.by,
  atMs,
});

type Decision =
  | { readonly is: 'done' }
  | { readonly is: 'against'; readonly why: string }
  | { readonly is: 'after'; readonly vip: Vip };

async function underLease(
  ports: Ports,
  name: string,
  cause: Cause,
  decide: (vip: Vip, now: EpochMs) => Decision,
): Promise<SwitchResult> {
  for (let race = 1; race <= RACES_MAX; race++) {
    const vip = await ports.vips.read(name);
    if (vip === undefined || vip.removedAtMs !== undefined)
      return { outcome: 'failed', why: `VIP ${name} is not in the ledger any more` };
    const now = ports.clock.now();
    if (isLive(vip.lease, now)) {
      await ports.clock.wait(LOOK_AGAIN);
      continue;
    }
    const decision = decide(vip, now);
    if (decision.is === 'done') return { outcome: 'switched', owner: vip.owner!, epoch: vip.epoch };
    if (decision.is === 'against') return { outcome: 'failed', why: decision.why, ...ownerOf(vip) };
    const taken = await take(ports, vip, decision.vip, cause);
    if (taken === undefined) continue;
    const observing = ports.ec2.observe(taken);
    observing.catch(() => undefined);
    const stages = [{ stage: 'order began', atMs: cause.atMs }];
    return told(await switchVip(ports, taken, observing, stages), taken.epoch);
  }
  return { outcome: 'failed', why: `lost ${RACES_MAX} races for the item of ${name}` };
}

const ownerOf = ({ owner }: Vip) => (owner === undefined ? {} : { owner });

function told({ vip, failovers }: Switched, epoch: number): SwitchResult {
  const failover = failovers.at(-1);
  const history = failover === undefined ? {} : { failover };
  // Committed means: every step was carried out. What was left to a stranger is in the record.
  const well = failover !== undefined && ['switched', 'unchanged', 'partial'].includes(failover.outcome);
  if (well && vip.lease === undefined && vip.owner === failover.to && vip.owner !== undefined)
    return { outcome: 'switched', owner: vip.owner, epoch, ...history };
  const why = [`outcome ${failover?.outcome ?? 'unknown'}`, ...(failover?.notes ?? [])].join('; ');
  return { outcome: 'failed', why, ...ownerOf(vip), ...history };
}

const judged = (carried: SwitchResult, order: FailoverOrder): SwitchResult =>
  carried.outcome === 'switched' && carried.owner !== order.to
    ? { ...carried, outcome: 'failed', why: `the VIP went to ${carried.owner}, want ${order.to}` }
    : carried;

export interface Awaited {
  readonly outcome: 'heard' | 'missing';
  readonly why: string;
}

/** Waits, after the demotion, until the election over the nodes' own words names the target. */
export async function awaitClaim(ports: Ports, order: FailoverOrder): Promise<Awaited> {
  const end = plus(ports.clock.now(), seconds(order.claimWaitSeconds));
  let why = 'nothing was read';
  while (ports.clock.now() < end) {
    const vip = await ports.vips.read(order.vip).catch((error: unknown) => toFault(error));
    if (vip instanceof Fault) why = vip.message;
    else {
      const nodeState = vip?.claims[order.to];
      const election = vip === undefined ? undefined : elect(vip, ports.clock.now());
      if (election?.owner === order.to && nodeState?.state === 'MASTER')
        return { outcome: 'heard', why: election.why };
      why = `${order.to} says ${nodeState?.state ?? 'nothing'}; the election names ${election?.owner ?? 'nobody'}`;
    }
    await ports.clock.wait(LOOK_AGAIN);
  }
  return { outcome: 'missing', why: `no claim within ${order.claimWaitSeconds} s: ${why}` };
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
export async function verifyOrder(ports: Ports, order: FailoverOrder): Promise<Verified> {
  const end = plus(ports.clock.now(), VERIFY_WAIT);
  for (;;) {
    const found = await look(ports, order).catch((error: unknown) => toFault(error));
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
    return { outcome: 'wrong', wrong: [`the owner is ${vip?.owner ?? 'nobody'}`], conflicts: [] };
  const seen = await ports.ec2.observe(vip);
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
