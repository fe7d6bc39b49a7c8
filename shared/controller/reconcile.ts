// Reconcile: once a minute, what is observed against what should be, whatever was lost on the way. It takes a lease
// only where something differs, and switches like everybody else.
//
// It also keeps what the fast path relies on: the members, and the view that serves when the describes do not.
// Limit: an elected node that EC2 does not show is reported; the second best is never taken in its place.

import { toFault } from '../fault.ts';
import { membersSeen, type Observation, tablesOf } from '../network/observation.ts';
import { type Step, thingOf } from '../network/step.ts';
import { stays, type ViewProblem, viewOf, viewProblemText } from '../network/view-cache.ts';
import { defined } from '../optional.ts';
import { observeAndSwitch, type Ports, take } from '../switch/switch-vip.ts';
import { type DurationMs, type EpochMs, hours, minus, minutes } from '../time.ts';
import { milestone } from '../timeline/milestone.ts';
import { isLiveOrder } from '../vip/election.ts';
import { withoutOldTransitions } from '../vip/flapping.ts';
import { type Cause, isLive } from '../vip/lease.ts';
import { pruned } from '../vip/liveness.ts';
import { enisOf, type Members } from '../vip/member.ts';
import { compareAndSet } from '../vip/store.ts';
import { awaitedSince, unheardFor } from '../vip/unheard.ts';
import type { Vip } from '../vip/vip.ts';
import { withoutEndedDrains } from '../vip/vip.ts';
import { type Assessment, assess, type ReconcileResult } from './assess.ts';
import { type Change, type ChangeLog, changeText } from './hint.ts';
import { withoutDeclined, withoutOldRisks } from './warned.ts';

export interface ReconcilePorts extends Ports {
  /** Who else changed what. */
  readonly changes: ChangeLog;
}

/** EventBridge may deliver for 24 h; until then the claims of a node that is gone must stay known as old. */
export const TOMBSTONE_KEPT: DurationMs = hours(25);
const RACES_MAX = 5;

/** `looked`: an observation that was made for many VIPs at once. */
export async function reconcile(
  ports: ReconcilePorts,
  listed: Vip,
  looked?: Observation,
): Promise<ReconcileResult> {
  if (listed.removedAtMs !== undefined) return idle(listed, 'skipped', 'removed from the registry');
  const [read, seen] = await Promise.all([ports.vips.read(listed.name), looked ?? ports.ec2.observe(listed)]);
  if (read === undefined) return idle(listed, 'skipped', 'the item is gone');
  // Since it was listed.
  if (read.removedAtMs !== undefined) return idle(read, 'skipped', 'removed from the registry');
  const now = ports.clock.now();
  if (isLive(read.lease, now)) {
    return { ...idle(read, 'skipped', `epoch ${read.epoch} is under way`), ...silenceOf(read, now) };
  }
  const vip = await refresh(ports, read, seen);
  const viewProblem = await keepView(ports, vip, seen);
  const acted = { ...(await actOnCurrentItem(ports, vip, seen, now)), ...silenceOf(vip, now) };
  // After the repair, which a slow bus must not delay.
  const result = { ...acted, trouble: [...acted.trouble, ...(await forwarded(ports, vip))] };
  if (viewProblem === undefined) return result;
  return { ...result, viewProblem, trouble: [...result.trouble, viewProblemText(viewProblem)] };
}

/** Announces what break-glass has left; at least once, like every event. What fails is left to the next reconcile. */
async function forwarded({ bus, vips }: Ports, vip: Vip): Promise<readonly string[]> {
  const { unannounced } = vip;
  if (unannounced === undefined) return [];
  try {
    await bus.forward(unannounced);
    await compareAndSet(vips, { name: vip.name, from: vip, racesMax: RACES_MAX }, (was) =>
      was?.unannounced?.detail === unannounced.detail ? withoutAnnouncement(was) : undefined,
    );
    return [];
  } catch (error) {
    return [`a failover by break-glass is not announced: ${toFault(error).message}`];
  }
}

function withoutAnnouncement(vip: Vip): Vip {
  const { unannounced: _told, ...rest } = vip;
  return rest;
}

/** While a VIP is frozen nothing moves, whichever node reports: its nodes may be away on purpose. */
function silenceOf(vip: Vip, now: EpochMs): Pick<ReconcileResult, 'unheard'> {
  const unheard = isLiveOrder(vip.freeze, now) ? undefined : unheardFor(vip, now);
  return defined({ unheard });
}

/** The view only serves when the describes fail: that it cannot be kept now is no reason to leave drift alone. */
async function keepView({ views }: Ports, vip: Vip, seen: Observation): Promise<ViewProblem | undefined> {
  const view = viewOf(vip, seen);
  try {
    if (!stays(await views.view(vip.name), view)) await views.keepView(vip.name, view);
    return undefined;
  } catch (error) {
    // The next reconcile keeps it, or reports it again.
    return { key: 'view-not-kept', why: toFault(error).message };
  }
}

/** Takes the lease if something differs. A claim recorded meanwhile is no reason to wait another minute. */
async function actOnCurrentItem(
  ports: ReconcilePorts,
  found: Vip,
  seen: Observation,
  began: EpochMs,
): Promise<ReconcileResult> {
  let vip = found;
  let report = idle(vip, 'skipped', 'lost every race for the item');
  for (let race = 1; race <= RACES_MAX; race++) {
    const now = ports.clock.now();
    const finding = { ...assess(vip, seen, now), vip: vip.name };
    report = { ...idle(vip, 'nothing', finding.why), ...finding };
    if (finding.take === undefined) return report;
    const cause: Cause = { kind: 'reconcile', why: finding.take + (await byWhom(ports, finding)), atMs: now };
    const taken = await take(ports, vip, vip, cause);
    if (taken !== undefined) {
      const switched = await observeAndSwitch(ports, taken, [milestone('reconcile-began', began)]);
      return { ...report, did: 'switched', why: finding.take, switched };
    }
    const again = await ports.vips.read(vip.name);
    if (again?.removedAtMs !== undefined) return idle(again, 'skipped', 'removed from the registry');
    if (again === undefined || isLive(again.lease, ports.clock.now())) break;
    vip = again;
  }
  return { ...report, did: 'skipped', why: 'another caller was quicker' };
}

/** CloudTrail delivers within minutes. */
const CHANGE_MAX_AGE: DurationMs = minutes(15);

/** Who caused the drift, if an event named them; not knowing is no reason to wait. */
async function byWhom(
  ports: ReconcilePorts,
  finding: Assessment & { readonly vip: string },
): Promise<string> {
  if (finding.reason.key !== 'drift') return '';
  try {
    const changes = await ports.changes.since(finding.vip, minus(ports.clock.now(), CHANGE_MAX_AGE));
    const told = changes.filter((c) => finding.drift.some((step) => speaksOf(c, step)));
    return told.length === 0 ? '' : `; ${told.slice(0, 3).map(changeText).join('; ')} (CloudTrail)`;
  } catch {
    return '';
  }
}

const speaksOf = (change: Change, step: Step): boolean =>
  change.things.includes(thingOf(step)) ||
  (step.call === 'AssociateAddress' && change.call === 'DisassociateAddress');

const idle = (vip: Vip, did: ReconcileResult['did'], why: string): ReconcileResult => ({
  vip: vip.name,
  did,
  why,
  drift: [],
  conflicts: [],
  strays: [],
  splitBrain: [],
  flapping: [],
  trouble: [],
});

/** What reconcile keeps in the item, brought up to date; lost races leave it to the next one. */
async function refresh(ports: Ports, vip: Vip, seen: Observation): Promise<Vip> {
  const refreshed = (item: Vip | undefined): Vip | undefined => {
    const now = ports.clock.now();
    if (item === undefined) return undefined;
    const seenNow = withoutEndedDrains(withSeen(item, seen, now), now);
    const warnedNow = withoutOldRisks(withoutDeclined(seenNow, (_, { untilMs }) => untilMs <= now));
    return withAwaited(withoutOldTransitions(warnedNow, now), now);
  };
  const change = { name: vip.name, from: vip, racesMax: RACES_MAX };
  return (await compareAndSet(ports.vips, change, refreshed)).item ?? vip;
}

/** Members that came and went, and tombstones that have had their time. An empty Describe retires no member. */
function withSeen(item: Vip, seen: Observation, now: EpochMs): Vip {
  const members = membersSeen(item, seen, item.members);
  if (Object.keys(members).length === 0) return item;
  const claims = withoutOldTombstones(item, members, now);
  const heard = pruned(item.heard);
  const tablesSeen = tablesOf(item, seen).length;
  const same = tablesSeen === (item.tablesSeen ?? 0) && sameMembers(item.members, members);
  if (same && claims === item.claims && heard === item.heard) return item;
  return { ...item, members, claims, heard, wrote: withDeparted(item, members), tablesSeen };
}

function withAwaited(item: Vip, now: EpochMs): Vip {
  const awaitedSinceMs = awaitedSince(item, now);
  if (awaitedSinceMs === item.awaitedSinceMs) return item;
  const { awaitedSinceMs: _was, ...rest } = item;
  return awaitedSinceMs === undefined ? rest : { ...rest, awaitedSinceMs };
}

/** What is still on a node that is no longer a member is ours to move away, until a good commit has done so. */
function withDeparted(vip: Vip, members: Members): Vip['wrote'] {
  const gone = Object.values(vip.members).filter((m) => members[m.node] === undefined);
  if (gone.length === 0) return vip.wrote;
  return [...new Set([...vip.wrote, ...enisOf(Object.fromEntries(gone.map((m) => [m.node, m])))])];
}

function withoutOldTombstones(vip: Vip, members: Members, now: EpochMs): Vip['claims'] {
  const old = Object.keys(vip.claims).filter(
    (node) => members[node] === undefined && now - vip.claims[node]!.seenMs > TOMBSTONE_KEPT,
  );
  if (old.length === 0) return vip.claims;
  return Object.fromEntries(Object.entries(vip.claims).filter(([node]) => !old.includes(node)));
}

const sameMembers = (a: Members, b: Members): boolean => {
  const text = (members: Members) =>
    Object.keys(members)
      .sort()
      .map((node) => `${node} ${members[node]!.eni} ${members[node]!.eipEni} ${members[node]!.zone}`)
      .join('\n');
  return text(a) === text(b);
};
