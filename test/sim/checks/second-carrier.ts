// A transition that comes by two ways survives the invocation that carried it first: where that one dies with the lease, the other copy
// that came meanwhile takes over within a second of the lease's end. Looked at only where nothing else goes wrong by chance.
import type { Carried, Written } from '../truth/log.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

/** Clocks of two environments, a look every 200 ms, and the way to the store and back. */
const WITHIN_MS = 1000;
/** The second copy has to come that long before the lease ends, so that it has noted that it is the second. */
const IN_TIME_MS = 500;

/** Faults that the direct path alone has. */
const harmless = new Set(['first carrier dies', 'direct failed', 'direct delayed', 'direct reply lost']);

export function secondCarrier(world: World): readonly Violation[] {
  const { log, epochAt, story } = world;
  if (Object.keys(story.odds).some((name) => !harmless.has(name))) return [];
  const found: Violation[] = [];
  for (const taken of log.writes) {
    const first = carriedBy(world, taken);
    if (first === undefined) continue;
    const { after } = taken;
    const own = log.writes.filter((w) => w.after.name === after.name && w.atMs >= taken.atMs);
    const goneAt = own.findIndex((w) => w.after.lease?.holder !== after.lease!.holder);
    const held = goneAt === -1 ? own : own.slice(0, goneAt);
    const last = held.at(-1)!.after;
    const endsMs = last.lease!.expiresAtMs - epochAt;
    const overMs = goneAt === -1 ? Number.POSITIVE_INFINITY : own[goneAt]!.atMs;
    const isPresent =
      last.claims[first.word.node]?.since === first.word.since &&
      last.claims[first.word.node]?.state === 'MASTER' &&
      last.members[first.word.node] !== undefined &&
      last.removedAtMs === undefined;
    // EC2's hint took the word back meanwhile, and with it the reason to wait; or someone made up a later one.
    const stood = held.every((w) => {
      const is = w.after.claims[first.word.node];
      return is?.state === 'MASTER' && is.since === first.word.since;
    });
    if (!stood || overMs <= endsMs + WITHIN_MS || endsMs + WITHIN_MS > world.endAtMs || !isPresent) continue;
    const second = log.carried.find(
      (c) => isSame(c, first) && c.way !== first.way && c.atMs > taken.atMs && c.atMs < endsMs - IN_TIME_MS,
    );
    if (second === undefined || before(taken, first) !== first.way) continue;
    const what = `${first.by.name} died with the lease of ${first.word.node}'s MASTER, which ended at ${Math.round(endsMs)}; ${second.by.name} had come by the other way, and no one took it until ${Math.round(overMs)}`;
    found.push({ guarantee: 'second carrier', vip: after.name, atMs: endsMs, what });
  }
  return found;
}

/** What the invocation that took the lease in this write carried; undefined where it took none for its own claim. */
function carriedBy({ log }: World, { by, before: was, after }: Written): Carried | undefined {
  const { lease } = after;
  if (lease === undefined || lease.holder === was?.lease?.holder || by === undefined) return undefined;
  const carried = log.carried.find((c) => c.by === by);
  const { kind, node, seq } = lease.cause;
  const isOwn = kind === 'claim' && node === carried?.word.node && seq === carried?.word.seq;
  return isOwn && carried?.word.state === 'MASTER' && carried.word.kind === 'transition'
    ? carried
    : undefined;
}

const isSame = ({ word: a }: Carried, { word: b }: Carried): boolean =>
  a.vip === b.vip && a.node === b.node && a.bootId === b.bootId && a.seq === b.seq && a.kind === b.kind;

/** By which way alone the item has the transition as the lease is taken; another one has the second copy behind it. */
function before({ after }: Written, { word }: Carried): 'direct' | 'both' | undefined {
  return after.claims[word.node]?.ways;
}
