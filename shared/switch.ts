// To switch: to carry out, under a lease, what the election says. switchVip alone decides the order: lease, observe,
// plan, apply, verify, record, commit, release. Everybody who moves a VIP comes through here.
//
// Invariants: the lease is released only when the outcome stands in the record, and only if nothing new came meanwhile;
// a claim that changed the election is followed under a new epoch (guarantees 4 and 6).
import { readable, SENTENCE_MAX } from './bounded.ts';
import { turnsFor } from './budget-turn.ts';
import { elect } from './election.ts';
import { type Fault, faultOf } from './fault.ts';
import { grip as gripOf } from './grip.ts';
import type { ChangeLog } from './hint.ts';
import { type Held, hold, type Tools } from './hold.ts';
import { type Cause, isLive, LEASE_TTL, type Lease, type Open, UNKNOWN_LANDS_WITHIN } from './lease.ts';
import { enisOf, type Member } from './member.ts';
import type { Observation } from './observation.ts';
import { type EpochMs, epochMs, plus, seconds } from './time.ts';
import type { Failover, Stage } from './timeline.ts';
import { triedAgain } from './tried.ts';
import { type Scope, type Vip, withLease } from './vip.ts';

export interface Announcer {
  /** Publishes `VIP Failover Finished` for the users' own automation; throws a Fault when the bus does not take it. */
  finished(failover: Failover): Promise<void>;
  /** Publishes `VIP Failover Failed`, for people; what was not carried out stays to be done. */
  failed?(failover: Failover): Promise<void>;
}

export interface Wire extends Tools {
  readonly bus: Announcer;
  /** Who else changed what, where somebody keeps it. */
  readonly changes?: ChangeLog;
  /** Unique per call, unpredictable enough that two sandboxes never agree. */
  nonce(): string;
  /** The invocation's end: nothing is started that may not finish before. */
  readonly deadline: EpochMs;
  /** Labels of VIPs met before, so that the next describe need not guess; only ever a hint. */
  readonly scopes: Map<string, Scope>;
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
 * Takes the lease of `vip` if that is free, the VIP in the ledger and the item unchanged. Undefined when not: read again.
 * A lost reply is settled by a consistent read.
 */
export async function take(wire: Wire, before: Vip, after: Vip, cause: Cause): Promise<Vip | undefined> {
  const now = wire.clock.now();
  if (isLive(before.lease, now) || before.removedAtMs !== undefined) return undefined;
  const holder = wire.nonce();
  try {
    return await wire.vips.write(
      before,
      withLease(after, { holder, expiresAtMs: plus(now, LEASE_TTL), cause }),
    );
  } catch (error) {
    if (faultOf(error).kind !== 'unknown') throw error;
    const item = await wire.vips.read(before.name);
    return item?.lease?.holder === holder ? item : undefined;
  }
}

/** Switches `vip`, whose lease the caller has just taken. Throws only what makes a redelivery worth while. */
export async function switchVip(
  wire: Wire,
  taken: Vip,
  observing: Promise<Observation>,
  before: readonly Stage[],
): Promise<Switched> {
  const failovers: Failover[] = [];
  const faults: Fault[] = [];
  let vip = taken;
  let looking = observing;
  for (let epoch = 1; epoch <= EPOCHS_MAX; epoch++) {
    const lease = vip.lease!;
    // Booked while the describes are under way.
    const turns = turnsFor(wire, vip);
    const held = await hold(
      { ...wire, turns },
      gripOf(vip.name, lease, wire.vips, wire.clock, wire.deadline),
      vip,
      looking,
      before,
    );
    failovers.push(held.failover);
    const ended = turns.end();
    // Without an outcome in the record the lease runs out by itself, and the next holder closes this epoch.
    if (!held.recorded) {
      if (held.unrecorded !== undefined) faults.push(held.unrecorded);
      await ended;
      break;
    }
    const next = await release(wire, vip, lease, held, epoch < EPOCHS_MAX);
    await ended;
    if (next.committed) await announce(wire, vip, held, faults);
    vip = next.vip;
    if (!next.again) break;
    looking = wire.ec2.observe(vip);
  }
  return { vip, failovers, faults };
}

async function announce(wire: Wire, vip: Vip, held: Held, faults: Fault[]): Promise<void> {
  // Only a commit that changed the owner: users' automation must not act on a half-done switch.
  const changed = held.good && held.failover.outcome !== 'failed' && held.target?.node !== vip.owner;
  if (!changed && !isNewsOfFailure(held.failover)) return;
  try {
    if (changed) await wire.bus.finished(held.failover);
    else await wire.bus.failed?.(held.failover);
  } catch (error) {
    faults.push(faultOf(error));
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

async function release(
  wire: Wire,
  image: Vip,
  lease: Lease,
  held: Held,
  mayGoOn: boolean,
): Promise<Released> {
  let item = image;
  for (let attempt = 1; attempt <= RELEASES_MAX; attempt++) {
    if (item.lease?.epoch !== lease.epoch || item.lease.holder !== lease.holder) {
      return { vip: item, committed: false, again: false };
    }
    const committed = withCommit(wire, item, held);
    const elected = elect(withTarget(committed, held.target), wire.clock.now());
    const again =
      mayGoOn &&
      item.removedAtMs === undefined &&
      hasTime(wire) &&
      (held.target?.node ?? held.failover.to) !== elected.owner;
    const cause: Cause = {
      kind: lease.cause.kind,
      why: readable(
        `the election changed while epoch ${lease.epoch} was under way: ${elected.why}`,
        SENTENCE_MAX,
      ),
      atMs: wire.clock.now(),
      ...(elected.owner === undefined ? {} : { node: elected.owner }),
    };
    const { lease: _gone, ...free } = committed;
    const next = { holder: wire.nonce(), expiresAtMs: plus(wire.clock.now(), LEASE_TTL), cause };
    const after = again ? withLease(committed, next) : free;
    const written = await writeOrSettle(wire, item, after);
    if (written !== undefined) return { vip: written, committed: true, again };
    const seen = await wire.vips.read(item.name);
    if (seen === undefined) return { vip: item, committed: false, again: false };
    item = seen;
  }
  return { vip: item, committed: false, again: false };
}

/** Undefined when the item is not as `before` any more, also when that cannot be told from a lost reply. */
async function writeOrSettle(wire: Wire, before: Vip, after: Vip): Promise<Vip | undefined> {
  try {
    return await wire.vips.write(before, after);
  } catch (error) {
    if (faultOf(error).kind !== 'unknown') throw error;
    const item = await wire.vips.read(before.name);
    if (after.lease !== undefined && item?.lease?.holder === after.lease.holder) return item;
    // Free, or another epoch: the release went through, whatever came after it.
    return after.lease === undefined && item?.lease?.epoch !== before.lease?.epoch ? item : undefined;
  }
}

function withCommit(wire: Wire, item: Vip, held: Held): Vip {
  const { target } = held;
  const sent = held.failover.steps.some((s) => s.attempts > 0);
  // What could not be moved lies where it did, and must stay known as ours; so must whoever may still be hit by an
  // attempt that had no answer, or by a holder that did not come back.
  const unmet = held.failover.conflicts.some((c) => c.kind === 'unmet');
  const mayLand = item.touchedAtMs > wire.clock.now() || Object.keys(item.open).length > 1;
  const unanswered = held.failover.steps.some((s) => s.unanswered > 0);
  const touchedAtMs = unanswered ? plus(wire.clock.now(), UNKNOWN_LANDS_WITHIN) : wire.clock.now();
  const open: Record<string, Open> = { ...item.open };
  for (const holder of held.closed) delete open[holder];
  const { tried, ...rest } = withTarget(item, target);
  const { outcome, to } = held.failover;
  const failed = !held.good && (outcome === 'failed' || outcome === 'partial') && to !== undefined;
  return {
    ...rest,
    ...(failed ? { tried: triedAgain(tried, to, wire.clock.now()) } : {}),
    ...(held.good && target !== undefined ? { owner: target.node } : {}),
    wrote: wroteAfter(item, target, held.good && !unmet && !mayLand, sent),
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
const hasTime = (wire: Wire): boolean => wire.deadline - wire.clock.now() > seconds(5);
