// Runs histories and adds up what came of them.
import { violationsOf } from './checkers.ts';
import { historyFrom } from './history/generator.ts';
import type { History } from './history/history.ts';
import type { Violation } from './violation.ts';
import { simulate } from './world/simulate.ts';
import { convergesWithinMs, type World } from './world/world.ts';

/** For controls: the same simulation with a protection taken out. */
export { simulate };

export interface Failure {
  readonly seed: number;
  readonly violations: readonly Violation[];
}

/** Sums that can be added up over workers. */
export interface Tally {
  histories: number;
  readonly failures: Failure[];
  readonly claims: number[];
  readonly faults: number[];
  readonly awaits: number[];
  readonly pairs: Record<string, number>;
  /** Durations of wrong intervals by the deed that began them. */
  readonly convergeMs: Record<string, number[]>;
}

export const emptyTally = (): Tally => ({
  histories: 0,
  failures: [],
  claims: [],
  faults: [],
  awaits: [],
  pairs: {},
  convergeMs: {},
});

export function count(tally: Tally, world: World, violations: readonly Violation[]): void {
  tally.histories += 1;
  if (violations.length > 0) tally.failures.push({ seed: world.story.seed, violations });
  tally.claims.push(world.bus.claims);
  tally.faults.push([...world.faults.values()].reduce((a, b) => a + b, 0));
  tally.awaits.push(world.awaits);
  for (const [fault, states] of world.pairs) {
    for (const [state, n] of states) {
      const pair = `${state} × ${fault}`;
      tally.pairs[pair] = (tally.pairs[pair] ?? 0) + n;
    }
  }
  for (const { kind, forMs } of world.intervals) {
    tally.convergeMs[kind] ??= [];
    tally.convergeMs[kind].push(Math.round(forMs));
  }
  calmed(tally, world);
}

/** How long each VIP still was wrong when everything was over: what guarantee 1 bounds. */
function calmed(tally: Tally, world: World): void {
  for (const vip of world.groups.keys()) {
    const last = world.intervals.findLast((i) => i.vip === vip)?.endedAtMs ?? 0;
    const bySilence = world.dueAtMs[vip]! - world.calmAtMs > convergesWithinMs(world, vip);
    const kind = bySilence ? 'after the last fault, by silence' : 'after the last fault';
    tally.convergeMs[kind] ??= [];
    tally.convergeMs[kind].push(Math.max(0, Math.round(last - world.calmAtMs)));
  }
}

export async function runSeeds(from: number, runs: number, tally: Tally = emptyTally()): Promise<Tally> {
  for (let seed = from; seed < from + runs; seed++) {
    const world = await simulate(historyFrom(seed));
    count(tally, world, violationsOf(world));
  }
  return tally;
}

export const violationsIn = async (history: History): Promise<readonly Violation[]> =>
  violationsOf(await simulate(history));
