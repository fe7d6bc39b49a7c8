// Remove: removes everything a run has made, and checks that it is gone.
//
// Invariant: nothing is called gone that was not looked for after it was taken; one thing that cannot be removed hides no other; it ends,
// since rounds and waits are bounded. Limit: Describes may be old by seconds, so the last check is made twice.
import { setTimeout as delay } from 'node:timers/promises';
import { saysAbsent } from './absence.ts';
import type { Kind } from './kinds.ts';

export interface Left {
  readonly what: string;
  /** Empty when it could not even be listed. */
  readonly id: string;
  readonly why: string;
}

export interface Removing {
  readonly say: (text: string) => void;
  /** Between two rounds, and between two checks. */
  readonly pauseMs: number;
}

const ROUNDS = 6;

/** What could not be removed; nothing in the good case. */
export async function removeAll(kinds: readonly Kind[], removing: Removing): Promise<readonly Left[]> {
  let left: readonly Left[] = [];
  let clean = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    left = await removeOnce(kinds, removing);
    clean = left.length === 0 ? clean + 1 : 0;
    // Twice, for what a Describe does not show yet.
    if (clean === 2) return [];
    if (round < ROUNDS) await delay(removing.pauseMs);
  }
  return left;
}

/** One round; what it took and is gone is not left, what it found and could not take is. */
async function removeOnce(kinds: readonly Kind[], removing: Removing): Promise<readonly Left[]> {
  const left: Left[] = [];
  for (const kind of kinds) {
    try {
      left.push(...(await removeKind(kind, removing)));
    } catch (error) {
      left.push({ what: kind.what, id: '', why: `cannot list: ${reasonOf(error)}` });
    }
  }
  return left;
}

async function removeKind(kind: Kind, { say, pauseMs }: Removing): Promise<readonly Left[]> {
  const there = await kind.find();
  const refused = new Map<string, string>();
  for (const id of there) {
    try {
      await kind.take(id);
      say(`removed ${kind.what} ${id}`);
    } catch (error) {
      if (!saysAbsent(error)) refused.set(id, reasonOf(error));
    }
  }
  if (there.length === 0) return [];
  const until = Date.now() + (kind.lingersMs ?? 0);
  let still = await kind.find();
  while (still.length > refused.size && Date.now() < until) {
    await delay(Math.min(pauseMs, 5_000));
    still = await kind.find();
  }
  return still.map((id) => ({ what: kind.what, id, why: refused.get(id) ?? 'it is still there' }));
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
