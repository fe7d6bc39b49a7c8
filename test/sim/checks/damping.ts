// Damping (docs/decisions/0035): a node is damped only while it truly flaps, and for a minute after it became MASTER last at most; no VIP stays
// at a node that cannot serve it for longer than without a storm; people get one notice of a storm, and none of its failovers.
import type { Act } from '../history/history.ts';
import { dampedSince, mayBeDamped } from '../truth/flapping.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

export const damping = (world: World): readonly Violation[] => [
  ...dampedForNothing(world),
  ...heldBack(world),
  ...tooManyNotices(world),
];

/** How long a holder may take from its lease to its decision, and how often that time is looked at. */
const DECIDES_WITHIN_MS = 15_000;
const STEP_MS = 500;

function dampedForNothing(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const entry of world.net.timeline.entries) {
    if (entry.entry !== 'outcome') continue;
    const { vip, epoch } = entry;
    for (const node of entry.flapping ?? []) {
      const { atMs } = takenBy(world, vip, epoch);
      if (isEver(atMs, atMs + DECIDES_WITHIN_MS, (at) => mayBeDamped(world, vip, node, at))) continue;
      const what = `epoch ${epoch} took ${node} for damped, which had not become MASTER four times in a minute, or not for a minute`;
      found.push({ guarantee: 'damping', vip, atMs, what });
    }
  }
  return found;
}

/** The write that took the lease of an epoch. */
const takenBy = (world: World, vip: string, epoch: number) =>
  world.log.writes.find((w) => w.after.name === vip && w.after.lease?.epoch === epoch)!;

function isEver(fromMs: number, toMs: number, holds: (atMs: number) => boolean): boolean {
  for (let at = fromMs; at <= toMs; at += STEP_MS) if (holds(at)) return true;
  return false;
}

/** Acts after which nothing else keeps a VIP from where it should go. */
const plain: ReadonlySet<Act['does']> = new Set([
  'flaps',
  'dies',
  'boots',
  'stops',
  'starts',
  'fails',
  'recovers',
  'is transient',
  'is cut off',
  'heals',
  'clock jumps',
  'table appears',
]);

/** Guarantee 1: a lease, a reconcile, the switch itself. */
const CONVERGES_WITHIN_MS = 80_000;
/** What a dead node that damping prefers is waited for, and then the next claim of the other, and the switch. */
const DEAD_FOR_MS = { MASTER: 35_000 + 25_000, BACKUP: 75_000 + 25_000 } as const;

/** A VIP that leads to a node which withdrew or died, or with hold `master` to one that is not master. */
function heldBack(world: World): readonly Violation[] {
  const { odds, acts } = world.story;
  if (Object.keys(odds).length > 0 || !acts.every((act) => plain.has(act.does))) return [];
  return world.stuck.flatMap(({ vip, node, why, sinceMs, endedAtMs = world.endAtMs }) => {
    const isDead = typeof why === 'object';
    const most = isDead ? DEAD_FOR_MS[why.deadAs === 'MASTER' ? 'MASTER' : 'BACKUP'] : CONVERGES_WITHIN_MS;
    if (endedAtMs - sinceMs <= most) return [];
    const what = `it led to ${node} for ${Math.round(endedAtMs - sinceMs)} ms: ${isDead ? 'dead' : why}`;
    return [{ guarantee: 'damping' as const, vip: world.story.vips[vip]!.name, atMs: endedAtMs, what }];
  });
}

function tooManyNotices(world: World): readonly Violation[] {
  const found: Violation[] = [];
  const notices = world.net.notices.filter(({ of }) => of !== 'leaving');
  for (const [n, { atMs, vip, of, epoch, node }] of notices.entries()) {
    const say = (what: string) => found.push({ guarantee: 'damping', vip, atMs, what });
    if (of === 'flapping') {
      const before = notices.slice(0, n).findLast((e) => e.of === of && e.vip === vip && e.node === node);
      if (before !== undefined && isOneStorm(world, { vip, node: node! }, before.atMs, atMs))
        say(`a second notice that ${node} flaps, in the storm of which the first one came at ${before.atMs}`);
      continue;
    }
    const taken = takenBy(world, vip, epoch!);
    const takenAtMs = taken.atMs;
    for (const member of Object.keys(taken.after.members)) {
      const since = dampedSince(world, vip, member, takenAtMs);
      if (since === undefined || !isOneStorm(world, { vip, node: member }, takenAtMs, atMs)) continue;
      say(`a notice of a failover, though ${member} is damped since ${since}`);
    }
  }
  return found;
}

/** Damped without a break, for certain, from one instant to the other. */
const isOneStorm = (
  world: World,
  { vip, node }: { readonly vip: string; readonly node: string },
  fromMs: number,
  toMs: number,
): boolean => !isEver(fromMs, toMs, (at) => dampedSince(world, vip, node, at) === undefined);
