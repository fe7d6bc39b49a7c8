// Which nodes flap, from what keepalived truly did: the rule of docs/decisions/0035 applied to the truth. What is measured against it
// has a doubt on both sides: AWS stamps whole seconds, and a request may take its time.
import type { History } from '../history/history.ts';
import type { Forged } from '../node/forged.ts';
import type { Known } from './known.ts';
import type { Log } from './log.ts';

export interface TransitionMade {
  readonly atMs: number;
  readonly node: string;
  readonly vip: string;
}

/** What decides who flaps. */
export interface Seen {
  readonly story: Pick<History, 'acts' | 'nodes'>;
  readonly transitions: readonly TransitionMade[];
  readonly forged: readonly Forged[];
  readonly everMembers: readonly string[];
  readonly known: Known;
  readonly log: Pick<Log, 'answers'>;
}

const FLAPS_MIN = 6;
const WINDOW_MS = 60_000;
/** A node's request is tried again for as long, and its stamp is cut to a second. */
const DOUBT_MS = 6000;
/** Of words made up in its name no one knows what transition they speak of. */
const FORGED_MS = 240_000;

/** True instants of the transitions of a node at a VIP, newest first. */
const madeBy = (world: Seen, vip: string, node: string, untilMs: number): readonly number[] =>
  world.transitions
    .filter((t) => t.vip === vip && t.node === node && t.atMs <= untilMs)
    .map((t) => t.atMs)
    .sort((a, b) => b - a);

/** Whether the clock of a boot of this node ever stood still: what it did then may seem to have been done later. */
const isOddClock = (world: Seen, node: string): boolean =>
  world.story.acts.some((act) => act.does === 'stands still' && world.story.nodes[act.node]!.id === node);

/** Whether the node may be damped at that instant, by all that anyone can have heard. */
export function mayBeDamped(world: Seen, vip: string, node: string, atMs: number): boolean {
  if (isOddClock(world, node.replace(/x+$/, ''))) return true;
  if (
    world.forged.some(
      ({ word, came }) =>
        word.vip === vip &&
        word.node === node &&
        came.some((c) => c.atMs <= atMs && c.atMs > atMs - FORGED_MS),
    )
  )
    return true;
  const made = madeBy(world, vip, node, atMs);
  const window = WINDOW_MS + DOUBT_MS;
  if (made.length < FLAPS_MIN || atMs - made[0]! > window) return false;
  for (let n = 0; n + FLAPS_MIN <= made.length; n++) {
    if (made[n]! - made[n + FLAPS_MIN - 1]! < window) return true;
    if (made[n]! - made[n + 1]! > window) return false;
  }
  return false;
}

/** Whether any node of the VIP may be damped then. */
export const isInStorm = (world: Seen, vip: string, atMs: number): boolean =>
  world.everMembers.some((node) => mayBeDamped(world, vip, node, atMs));

/** From when on the node is damped for certain, by claims that were answered; undefined when it is not at `atMs`. */
export function dampedSince(world: Seen, vip: string, node: string, atMs: number): number | undefined {
  const known = new Map<string, { sinceMs: number; answeredMs: number }>();
  for (const { word, answer, atMs: answeredMs } of world.log.answers) {
    if (word.vip !== vip || word.node !== node || answeredMs > atMs || word.forged) continue;
    if (answer !== 'recorded' && answer !== 'switched') continue;
    const sinceMs = world.known.at(word.bootId, word.since / 1000);
    const id = `${word.bootId} ${word.since}`;
    if (sinceMs !== undefined && answeredMs - sinceMs < DOUBT_MS && !known.has(id))
      known.set(id, { sinceMs, answeredMs });
  }
  const all = [...known.values()].sort((a, b) => b.sinceMs - a.sinceMs).slice(0, FLAPS_MIN);
  const [newest] = all;
  if (newest === undefined || all.length < FLAPS_MIN) return undefined;
  const isTight = newest.sinceMs - all.at(-1)!.sinceMs < WINDOW_MS - DOUBT_MS;
  const isRecent = atMs - newest.sinceMs < WINDOW_MS - DOUBT_MS;
  return isTight && isRecent ? Math.max(...all.map((t) => t.answeredMs)) : undefined;
}
