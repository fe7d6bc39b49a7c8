// To switch: to carry out, under a lease, what the election says. switchVip alone decides the order: lease, observe,
// plan, apply, verify, record, commit, release. Everybody who moves a VIP comes through here.
//
// Invariants: the lease is released only when the outcome stands in the record, and only if nothing new came meanwhile;
// a claim that changed the election is followed under a new epoch (guarantees 4 and 6).
import { readable, SENTENCE_MAX } from '../bounded.ts';
import { type Fault, toFault } from '../fault.ts';
import { unmetCells } from '../network/conflict.ts';
import type { Observation } from '../network/observation.ts';
import { defined } from '../optional.ts';
import { callQueueFor } from '../rate-limit/call-queue.ts';
import type { PrefetchMemory } from '../rate-limit/prefetch-memory.ts';
import { type EpochMs, epochMs, plus, seconds } from '../time.ts';
import type { Milestone } from '../timeline/milestone.ts';
import type { Failover } from '../timeline/timeline.ts';
import { elect, electionText } from '../vip/election.ts';
import type { Flapping } from '../vip/flapping.ts';
import { type Cause, isLive, LEASE_TTL, type Open, UNKNOWN_LANDS_WITHIN } from '../vip/lease.ts';
import { enisOf, type Member } from '../vip/member.ts';
import { afterFailure } from '../vip/retry-backoff.ts';
import { type Announcement, type Stranded, type Vip, withLease } from '../vip/vip.ts';
import type { ScheduledEvent } from '../warning/scheduled.ts';
import { heldLease as holdLease } from './held-lease.ts';
import { type EpochPorts, type EpochResult, runEpoch } from './run-epoch.ts';

export interface EventPublisher {
  /** Publishes `VIP Failover Finished` for the users' own automation; throws a Fault when the bus does not take it. */
  finished(failover: Failover): Promise<void>;
  /** Publishes `VIP Failover Failed`, for people; what was not carried out is still to do. */
  failed(failover: Failover): Promise<void>;
  /** Publishes `VIP Node Flapping`, for people: one for a storm, and none of its failovers is for them. */
  flapping(vip: string, flapping: Flapping): Promise<void>;
  /** Publishes `VIP Node Leaving`, for people: the owner is about to go and keeps the VIP. One for each leaving. */
  leaving(vip: string, stranded: Stranded): Promise<void>;
  /** Publishes `VIP Node Warned`, which starts the node's departure: what EC2 has scheduled, or that it is over. */
  warned(event: ScheduledEvent): Promise<void>;
  /** Publishes what a caller that may not publish has left in the VIP's item. */
  forward(announcement: Announcement): Promise<void>;
}

export interface Ports extends EpochPorts {
  readonly bus: EventPublisher;
  /** Unique per call, unpredictable enough that two sandboxes never agree. */
  nonce(): string;
  /** The invocation's end: nothing is started that may not finish before. */
  readonly deadline: EpochMs;
  /** What this execution environment knows of names, so that few describes are without use; only ever a hint. */
  readonly prefetchMemory: PrefetchMemory;
}

/** A VIP whose election keeps changing is followed this often by one invocation; then the next claim or reconcile does. */
export const EPOCHS_MAX = 8;
/** Releases that meet a newer item are repeated this often; assertions of 200 nodes come a few times a second. */
const RELEASES_MAX = 20;

export interface Switched {
  readonly vip: Vip;
  /** One for each epoch that this invocation held. */
  readonly failovers: readonly Failover[];
  /** What went wrong without hurting the switch itself: told, not thrown. */
  readonly faults: readonly Fault[];
}

/**
 * Takes the lease of `vip` if that is free, the VIP in the registry and the item unchanged. Undefined when not: read again.
 * A lost reply is settled by a consistent read.
 */
export async function take(ports: Ports, before: Vip, after: Vip, cause: Cause): Promise<Vip | undefined> {
  const now = ports.clock.now();
  if (isLive(before.lease, now) || before.removedAtMs !== undefined) return undefined;
  const holder = ports.nonce();
  try {
    return await ports.vips.write(
      before,
      withLease(after, { holder, expiresAtMs: plus(now, LEASE_TTL), cause }),
    );
  } catch (error) {
    if (toFault(error).kind !== 'unknown') throw error;
    const item = await ports.vips.read(before.name);
    return item?.lease?.holder === holder ? item : undefined;
  }
}

/** Switches `vip`, whose lease the caller has just taken. Throws only what makes a redelivery worth while. */
export async function switchVip(
  ports: Ports,
  taken: Vip,
  observing: Promise<Observation>,
  before: readonly Milestone[],
): Promise<Switched> {
  const failovers: Failover[] = [];
  const faults: Fault[] = [];
  let vip = taken;
  let observed = observing;
  for (let epochs = 1; epochs <= EPOCHS_MAX; epochs++) {
    const lease = vip.lease!;
    // Booked while the describes are under way.
    const callQueue = callQueueFor(ports, vip);
    const heldLease = holdLease(vip.name, lease, ports.vips, ports);
    const epochPorts = { ...ports, callQueue };
    const held = await runEpoch({ ports: epochPorts, heldLease, vip }, observed, before);
    failovers.push(held.failover);
    faults.push(...held.bugs);
    const ended = callQueue.end();
    // Without an outcome in the record the lease runs out by itself, and the next holder closes this epoch.
    if (!held.recorded) {
      faults.push(held.unrecorded!);
      await ended;
      break;
    }
    const next = await release(ports, vip, held, epochs < EPOCHS_MAX ? releaseOrGoOn : releaseOnly);
    await ended;
    if (next.committed) await announce(ports, vip, held, faults);
    vip = next.vip;
    if (!next.again) break;
    observed = ports.ec2.observe(vip);
  }
  return { vip, failovers, faults };
}

/** The same for a caller who has not begun to observe: what was seen before the lease was taken may be out of date. */
export function observeAndSwitch(ports: Ports, taken: Vip, before: readonly Milestone[]): Promise<Switched> {
  const observing = ports.ec2.observe(taken);
  // It may fail before anything awaits it.
  // Stryker disable next-line CallExpression: today switchVip awaits it in the same tick
  observing.catch(() => undefined);
  return switchVip(ports, taken, observing, before);
}

async function announce(ports: Ports, vip: Vip, held: EpochResult, faults: Fault[]): Promise<void> {
  // Only a commit that changed the owner: users' automation must not act on a half-done switch.
  const changed = held.committable && held.failover.outcome !== 'failed' && held.target!.node !== vip.owner;
  if (!changed && !isNewsOfFailure(held.failover)) return;
  try {
    if (changed) await ports.bus.finished(held.failover);
    else await ports.bus.failed(held.failover);
  } catch (error) {
    faults.push(toFault(error));
  }
}

/** Reconcile tries again every minute: its failures are an alarm's, or a night would bring hundreds of messages. */
const isNewsOfFailure = ({ outcome, cause }: Failover): boolean =>
  (outcome === 'failed' || outcome === 'partial') && cause.kind !== 'reconcile';

interface Released {
  readonly vip: Vip;
  /** Owner and outcome of this epoch stand in the item. */
  readonly committed: boolean;
  /** The lease was not let go but taken again under a new epoch, because the election has changed. */
  readonly again: boolean;
}

/** Commits and lets the lease go, as `after` says, until nothing new has come in between. */
async function release(
  ports: Ports,
  image: Vip,
  held: EpochResult,
  after: (ports: Ports, committed: Vip, held: EpochResult) => After,
): Promise<Released> {
  const { epoch, holder } = held.failover;
  let item = image;
  for (let attempt = 1; attempt <= RELEASES_MAX; attempt++) {
    if (item.lease?.epoch !== epoch || item.lease.holder !== holder)
      return { vip: item, committed: false, again: false };
    const { vip, again } = after(ports, withCommit(ports, item, held), held);
    const written = await writeOrSettle(ports, item, vip);
    if (written !== undefined) return { vip: written, committed: true, again };
    const seen = await ports.vips.read(item.name);
    if (seen === undefined) return { vip: item, committed: false, again: false };
    item = seen;
  }
  return { vip: item, committed: false, again: false };
}

/** The item as it is to be written. */
type After = Pick<Released, 'vip' | 'again'>;

function releaseOnly(_ports: Ports, committed: Vip): After {
  const { lease: _gone, ...free } = committed;
  return { vip: free, again: false };
}

/** Begins the next epoch in the same write where the election has changed meanwhile. */
function releaseOrGoOn(ports: Ports, item: Vip, held: EpochResult): After {
  const { target, failover } = held;
  const elected = elect(withTarget(item, target), ports.clock.now());
  const again =
    item.removedAtMs === undefined && hasTime(ports) && (target?.node ?? failover.to) !== elected.owner;
  if (!again) return releaseOnly(ports, item);
  const why = `the election changed while epoch ${failover.epoch} was under way: ${electionText(elected.reason)}`;
  const cause: Cause = {
    kind: failover.cause.kind,
    why: readable(why, SENTENCE_MAX),
    atMs: ports.clock.now(),
    ...defined({ node: elected.owner }),
  };
  const next = { holder: ports.nonce(), expiresAtMs: plus(ports.clock.now(), LEASE_TTL), cause };
  const { lease: _gone, ...free } = item;
  return { vip: withLease(free, next), again };
}

/** Undefined when the item is not as `before` any more, also when that cannot be told from a lost reply. */
async function writeOrSettle(ports: Ports, before: Vip, after: Vip): Promise<Vip | undefined> {
  try {
    return await ports.vips.write(before, after);
  } catch (error) {
    if (toFault(error).kind !== 'unknown') throw error;
    const item = await ports.vips.read(before.name);
    if (after.lease !== undefined && item?.lease?.holder === after.lease.holder) return item;
    // Free, or another epoch: the release went through, whatever came after it.
    return after.lease === undefined && item?.lease?.epoch !== before.lease!.epoch ? item : undefined;
  }
}

function withCommit(ports: Ports, item: Vip, held: EpochResult): Vip {
  const { target } = held;
  const sent = held.failover.steps.some((s) => s.attempts > 0);
  // What could not be moved is where it was, and must stay known as ours; so must a target that may still be hit by an
  // attempt that had no answer, or by a holder that did not come back.
  const unmet = unmetCells(held.failover.conflicts).length > 0;
  const mayLand = item.touchedAtMs > ports.clock.now() || Object.keys(item.open).length > 1;
  const unanswered = held.failover.steps.some((s) => s.unanswered > 0);
  const touchedAtMs = unanswered ? plus(ports.clock.now(), UNKNOWN_LANDS_WITHIN) : ports.clock.now();
  const open: Record<string, Open> = { ...item.open };
  for (const holder of held.closedHolders) delete open[holder];
  const { tried, ...rest } = withTarget(item, target);
  const { outcome, to } = held.failover;
  const failed = !held.committable && (outcome === 'failed' || outcome === 'partial');
  return {
    ...rest,
    ...(failed ? { tried: afterFailure(tried, to!, ports.clock.now()) } : {}),
    ...(held.committable ? { owner: target!.node } : {}),
    wrote: wroteAfter(item, target, held.committable && !unmet && !mayLand, sent),
    open,
    touchedAtMs: sent ? epochMs(Math.max(touchedAtMs, item.touchedAtMs)) : item.touchedAtMs,
  };
}

/** The target is a member: EC2 shows it, though reconcile may not have told the item yet. */
const withTarget = (item: Vip, target: Member | undefined): Vip =>
  target === undefined ? item : { ...item, members: { ...item.members, [target.node]: target } };

/** A half-done switch leaves cells on both sides; both stay ours until a good commit. */
function wroteAfter(item: Vip, target: Member | undefined, good: boolean, sent: boolean): readonly string[] {
  if (target === undefined) return item.wrote;
  const now = [...enisOf({ [target.node]: target })];
  if (good) return now;
  return sent ? [...new Set([...item.wrote, ...now])] : item.wrote;
}

/** Enough for a plain switch; with less the next claim or reconcile does it. */
const hasTime = (ports: Ports): boolean => ports.deadline - ports.clock.now() > seconds(5);
