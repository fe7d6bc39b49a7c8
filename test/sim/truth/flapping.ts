// Which nodes flap, from what keepalived truly did: the rule of docs/decisions/0035 applied to the truth. What is measured against it
// has a doubt on both sides: AWS stamps whole seconds, and a request may take its time.
import type { VrrpState } from '../../../shared/vip/claim.ts';
import type { History } from '../history/history.ts';
import type { Forged } from '../node/forged.ts';
import type { Known } from './known.ts';
import type { Log } from './log.ts';

export interface TransitionMade {
  readonly atMs: number;
  readonly state: VrrpState;
  readonly node: string;
  readonly vip: string;
  readonly bootId: string;
  /** Into the FIFO, under the name that the shim knows. */
  readonly written: boolean;
}

/** What decides who flaps. */
export interface Seen {
  readonly story: Pick<History, 'acts' | 'nodes'>;
  readonly transitions: readonly TransitionMade[];
  readonly forged: readonly Forged[];
  readonly everMembers: readonly string[];
  readonly known: Known;
  readonly log: Pick<Log, 'answers' | 'writes'>;
}

const FLAPS_MIN = 4;
const WINDOW_MS = 60_000;
/** A node's request is tried again for as long, and its stamp is cut to a second. */
const DOUBT_MS = 6000;
/** Nothing that is older than this has to do with who is damped now. */
const REACH_MS = 4 * WINDOW_MS;

/** When a node became MASTER of a VIP, newest first. */
const madeBy = (world: Seen, vip: string, node: string, untilMs: number): readonly number[] =>
  world.transitions
    .filter((t) => t.vip === vip && t.node === node && t.state === 'MASTER' && t.atMs <= untilMs)
    .map((t) => t.atMs)
    .sort((a, b) => b - a);

/** What it did before its clock stood still seems to have been done later, by as much. */
const stoodForMs = ({ story: { acts, nodes } }: Seen, node: string): number =>
  acts.reduce(
    (sum, act) => sum + (act.does === 'stands still' && nodes[act.node]!.id === node ? act.forMs : 0),
    0,
  );

/** Each made-up word that came is one transition, which may seem to have been made up to a minute before. */
const madeUp = (world: Seen, vip: string, node: string, atMs: number): number =>
  world.forged.filter(
    ({ word, came }) =>
      word.vip === vip &&
      word.node === node &&
      word.state === 'MASTER' &&
      came.some((c) => c.atMs <= atMs && c.atMs > atMs - REACH_MS),
  ).length;

/** Whether the node may be damped at that instant, by all that anyone can have heard. */
export const mayBeDamped = (world: Seen, vip: string, node: string, atMs: number): boolean =>
  mayBeDampedUntil(world, vip, node, atMs) !== undefined;

/** Until when at the most, unless it becomes MASTER again; undefined when it is not at `atMs`. */
export function mayBeDampedUntil(world: Seen, vip: string, node: string, atMs: number): number | undefined {
  // A replaced node goes on under the id of the one before it, and a little more.
  const window = WINDOW_MS + DOUBT_MS + stoodForMs(world, node.replace(/x+$/, ''));
  const made = madeBy(world, vip, node, atMs);
  const forged = madeUp(world, vip, node, atMs);
  if (forged > 0) {
    const reached = made.filter((at) => at > atMs - REACH_MS);
    return reached.length + forged < FLAPS_MIN ? undefined : atMs + WINDOW_MS;
  }
  const [newest] = made;
  if (newest === undefined || atMs - newest > window) return undefined;
  for (let n = 0; n + FLAPS_MIN <= made.length; n++) {
    if (made[n]! - made[n + FLAPS_MIN - 1]! < window) return newest + window;
    if (made[n]! - made[n + 1]! > window) return undefined;
  }
  return undefined;
}

/** Whether any node of the VIP may be damped then. */
export const isInStorm = (world: Seen, vip: string, atMs: number): boolean =>
  world.everMembers.some((node) => mayBeDamped(world, vip, node, atMs));

/** From when on the node is damped for certain, by claims that were answered; undefined when it is not at `atMs`. */
export function dampedSince(world: Seen, vip: string, node: string, atMs: number): number | undefined {
  const known = new Map<string, { sinceMs: number; answeredMs: number }>();
  for (const { word, answer, atMs: answeredMs } of world.log.answers) {
    if (word.vip !== vip || word.node !== node || answeredMs > atMs || word.forged) continue;
    if (word.state !== 'MASTER' || (answer !== 'recorded' && answer !== 'switched')) continue;
    const sinceMs = world.known.at(word.bootId, word.since / 1000);
    const id = `${word.bootId} ${word.since}`;
    if (sinceMs !== undefined && answeredMs - sinceMs < DOUBT_MS && !known.has(id))
      known.set(id, { sinceMs, answeredMs });
  }
  const all = [...known.values()].sort((a, b) => b.sinceMs - a.sinceMs).slice(0, FLAPS_MIN);
  const [newest] = all;
  const oldest = all.at(-1);
  if (newest === undefined || oldest === undefined || all.length < FLAPS_MIN) return undefined;
  if (isForgotten(world, vip, oldest.sinceMs, atMs)) return undefined;
  const isTight = newest.sinceMs - oldest.sinceMs < WINDOW_MS - DOUBT_MS;
  const isRecent = atMs - newest.sinceMs < WINDOW_MS - DOUBT_MS;
  return isTight && isRecent ? Math.max(...all.map((t) => t.answeredMs)) : undefined;
}

/** What a forced failover may have made its nodes do does not count, nor what was before a VIP came back into the registry. */
const isForgotten = (world: Seen, vip: string, fromMs: number, toMs: number): boolean =>
  world.log.writes.some(
    ({ before, after, atMs }) =>
      after.name === vip &&
      atMs > fromMs - DOUBT_MS &&
      atMs <= toMs &&
      (after.forced !== undefined || before?.forced !== undefined || after.removedAtMs !== undefined),
  );
