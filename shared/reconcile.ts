// Reconcile: once a minute, what is observed against what should be, whatever was lost on the way. It takes a lease
// only where something differs, and switches like everybody else.
//
// It also keeps what the fast path relies on: the members, and the view that serves when the describes do not.
// Limit: an elected node that EC2 does not show is reported; the second best is never taken in its place.
import { listText } from './bounded.ts';
import { elect, isLiveOrder } from './election.ts';
import { troubleOf } from './health.ts';
import { type Change, changeText } from './hint.ts';
import { type Cause, isLive, STALE_READ } from './lease.ts';
import { enisOf, type Members } from './member.ts';
import { membersSeen, type Observation, type Stray, sameView, strays, tablesOf } from './observation.ts';
import { type Conflict, plan, type Step } from './plan.ts';
import { pruned } from './silent.ts';
import { type Switched, switchVip, take, type Wire } from './switch.ts';
import { type DurationMs, type EpochMs, hours, minus, minutes } from './time.ts';
import { awaitedSince, type Unheard, unheardFor } from './unheard.ts';
import type { Vip } from './vip.ts';

/** EventBridge may deliver for 24 h; until then the claims of a node that is gone must stay known as old. */
export const TOMBSTONE_KEPT: DurationMs = hours(25);
const RACES_MAX = 5;

export interface Report {
  readonly vip: string;
  readonly did: 'nothing' | 'skipped' | 'switched';
  /** Why a lease was asked for, or why not. */
  readonly why: string;
  readonly drift: readonly Step[];
  readonly conflicts: readonly Conflict[];
  readonly strays: readonly Stray[];
  readonly splitBrain: readonly string[];
  readonly suspendedPin?: string;
  /** What would keep a failover from doing what it should, one sentence each. */
  readonly trouble: readonly string[];
  /** No claim of any member was accepted for minutes, and no order says that nothing is to move anyway. */
  readonly unheard?: Unheard;
  readonly switched?: Switched;
}

/** `looked`: an observation that was made for many VIPs at once. */
export async function reconcile(wire: Wire, listed: Vip, looked?: Observation): Promise<Report> {
  if (listed.removedAtMs !== undefined) return idle(listed, 'skipped', 'removed from the ledger');
  const [read, seen] = await Promise.all([wire.vips.read(listed.name), looked ?? wire.ec2.observe(listed)]);
  if (read === undefined) return idle(listed, 'skipped', 'the item is gone');
  // Since it was listed.
  if (read.removedAtMs !== undefined) return idle(read, 'skipped', 'removed from the ledger');
  const now = wire.clock.now();
  if (isLive(read.lease, now)) {
    return { ...idle(read, 'skipped', `epoch ${read.epoch} is under way`), ...silenceOf(read, now) };
  }
  const vip = await refresh(wire, read, seen);
  await keepView(wire, vip.name, seen);
  return { ...(await settle(wire, vip, seen, now)), ...silenceOf(vip, now) };
}

/** While a VIP is frozen nothing would move whoever spoke: its nodes may be away on purpose. */
function silenceOf(vip: Vip, now: EpochMs): Pick<Report, 'unheard'> {
  const unheard = isLiveOrder(vip.freeze, now) ? undefined : unheardFor(vip, now);
  return unheard === undefined ? {} : { unheard };
}

/** The view only serves when the describes fail: that it cannot be kept now is no reason to leave drift alone. */
async function keepView(wire: Wire, name: string, seen: Observation): Promise<void> {
  try {
    if (!sameView(await wire.vips.view(name), seen)) await wire.vips.keepView(name, seen);
  } catch {
    // The next reconcile keeps it.
  }
}

/** Takes the lease if something differs. A claim recorded meanwhile is no reason to wait another minute. */
async function settle(wire: Wire, found: Vip, seen: Observation, began: EpochMs): Promise<Report> {
  let vip = found;
  let report = idle(vip, 'skipped', 'lost every race for the item');
  for (let race = 1; race <= RACES_MAX; race++) {
    const now = wire.clock.now();
    const finding = { ...judge(vip, seen, now), vip: vip.name };
    report = { ...idle(vip, 'nothing', finding.why), ...finding };
    if (finding.take === undefined) return report;
    const cause: Cause = { kind: 'reconcile', why: finding.take + (await byWhom(wire, finding)), atMs: now };
    const taken = await take(wire, vip, vip, cause);
    if (taken !== undefined) {
      // Seen before the lease was taken: another may have written since.
      const fresh = wire.ec2.observe(taken);
      fresh.catch(() => undefined);
      const stages = [{ stage: 'reconcile began', atMs: began }];
      const switched = await switchVip(wire, taken, fresh, stages);
      return { ...report, did: 'switched', why: finding.take, switched };
    }
    const again = await wire.vips.read(vip.name);
    if (again?.removedAtMs !== undefined) return idle(again, 'skipped', 'removed from the ledger');
    if (again === undefined || isLive(again.lease, wire.clock.now())) break;
    vip = again;
  }
  return { ...report, did: 'skipped', why: 'somebody else was quicker' };
}

/** CloudTrail delivers within minutes. */
const CHANGE_MAX_AGE: DurationMs = minutes(15);

/** Who changed what is to be mended, where an event was there to say so; not knowing is no reason to wait. */
async function byWhom(wire: Wire, finding: Finding & { readonly vip: string }): Promise<string> {
  if (finding.why !== 'drift' || wire.changes === undefined) return '';
  try {
    const changes = await wire.changes.since(finding.vip, minus(wire.clock.now(), CHANGE_MAX_AGE));
    const told = changes.filter((c) => finding.drift.some((step) => speaksOf(c, step)));
    return told.length === 0 ? '' : `; ${told.slice(0, 3).map(changeText).join('; ')} (CloudTrail)`;
  } catch {
    return '';
  }
}

const speaksOf = (change: Change, step: Step): boolean =>
  change.things.some((thing) => step.cell.split(' ').includes(thing)) ||
  (step.call === 'AssociateAddress' && change.call === 'DisassociateAddress');

const idle = (vip: Vip, did: Report['did'], why: string): Report => ({
  vip: vip.name,
  did,
  why,
  drift: [],
  conflicts: [],
  strays: [],
  splitBrain: [],
  trouble: [],
});

type Finding = Pick<
  Report,
  'why' | 'drift' | 'conflicts' | 'strays' | 'splitBrain' | 'suspendedPin' | 'trouble'
> & {
  /** The cause under which a lease is needed; undefined when nothing is to be done. */
  readonly take?: string;
};

export function judge(vip: Vip, seen: Observation, now: EpochMs): Finding {
  const election = elect(vip, now);
  const frozen = isLiveOrder(vip.freeze, now);
  const target =
    election.owner === undefined ? undefined : membersSeen(vip, seen, vip.members)[election.owner];
  const { steps: drift, conflicts } =
    target === undefined || frozen ? { steps: [], conflicts: [] } : plan(vip, seen, target, true);
  const pin = election.suspendedPin === undefined ? {} : { suspendedPin: election.suspendedPin };
  const unseen = target === undefined && election.owner !== undefined ? { unseen: election.owner } : {};
  const said = {
    drift,
    conflicts,
    strays: strays(vip, seen),
    splitBrain: election.splitBrain,
    trouble: troubleOf(vip, { conflicts, ...pin, ...unseen }),
    ...pin,
  };
  const left = Object.values(vip.open)[0];
  if (left !== undefined) return { ...said, why: 'open epoch', take: `epoch ${left.epoch} was left open` };
  if (vip.lease !== undefined)
    return { ...said, why: 'dead lease', take: `the lease of epoch ${vip.epoch} ran out` };
  if (frozen) return { ...said, why: 'frozen by order' };
  if (election.owner === undefined) return { ...said, why: election.why };
  if (target === undefined) {
    return { ...said, why: `EC2 shows no labelled ENI of the elected node ${election.owner}` };
  }
  if (election.owner !== vip.owner)
    return { ...said, why: election.why, take: `missed claim: ${election.why}` };
  // A read this soon after a mutation may be older than it: look again in a minute rather than undo it in vain.
  const fresh = seen.beganAtMs >= vip.touchedAtMs + STALE_READ;
  if (drift.length === 0 || !fresh) return { ...said, why: 'as it should be' };
  return { ...said, why: 'drift', take: `drift at ${listText(drift.map((s) => s.cell))}` };
}

/** What reconcile keeps in the item, brought up to date; lost races leave it to the next one. */
async function refresh(wire: Wire, vip: Vip, seen: Observation): Promise<Vip> {
  let item = vip;
  for (let race = 1; race <= RACES_MAX; race++) {
    const now = wire.clock.now();
    const is = withAwaited(withSeen(item, seen, now), now);
    if (is === item) return item;
    const written = await wire.vips.write(item, is);
    if (written !== undefined) return written;
    const again = await wire.vips.read(item.name);
    if (again === undefined) return item;
    item = again;
  }
  return item;
}

/** Members that came and went, and tombstones that have had their time. An empty Describe retires nobody. */
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

/** What still lies on a node that is no member any more is ours to take away, until a good commit has done so. */
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
