// What came of many histories, for people and for programs.

import { deedNames, faultNames } from './history/history.ts';
import type { Tally } from './run.ts';

export const nodeStates = ['MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED', 'dead'] as const;

export const pairsWanted: readonly string[] = nodeStates.flatMap((state) =>
  [...faultNames, ...deedNames].map((fault) => `${state} × ${fault}`),
);

interface Spread {
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

export const median = (numbers: readonly number[]): number => spread(numbers).p50;

export function spread(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { n: sorted.length, p50: at(0.5), p99: at(0.99), worst: sorted.at(-1) ?? 0 };
}

const convergence = (tally: Tally): Record<string, Spread> => {
  const kinds = Object.keys(tally.convergeMs).sort();
  const all = kinds
    .filter((kind) => !kind.startsWith('after the last fault'))
    .flatMap((kind) => tally.convergeMs[kind]!);
  const each = kinds.map((kind) => [kind, spread(tally.convergeMs[kind]!)] as const);
  return Object.fromEntries([['all', spread(all)], ...each]);
};

/** How often every pair has to occur in a run of FULL_RUN histories. */
export const PAIR_MIN = 100;
export const FULL_RUN = 100_000;

/** Pairs that did not occur often enough; a smaller run is not judged. */
export const shortPairs = (tally: Tally): readonly { readonly pair: string; readonly n: number }[] =>
  tally.histories < FULL_RUN ? [] : rarest(tally).filter(({ n }) => n < PAIR_MIN);

const rarest = (tally: Tally) =>
  pairsWanted.map((pair) => ({ pair, n: tally.pairs[pair] ?? 0 })).sort((a, b) => a.n - b.n);

export interface Run {
  /** Of the first history. */
  readonly seed: number;
  readonly tookMs: number;
}

/** What came of a run, without its single histories. */
export const outcomeOf = (tally: Tally, { seed, tookMs }: Run) => ({
  seed,
  histories: tally.histories,
  violations: tally.failures.length,
  tookMs: Math.round(tookMs),
  medianClaims: median(tally.claims),
  medianFaults: median(tally.faults),
  medianAwaits: median(tally.awaits),
  pairs: {
    wanted: pairsWanted.length,
    atLeast: PAIR_MIN,
    short: shortPairs(tally),
    rarest: rarest(tally)[0]!,
    counts: tally.pairs,
  },
  convergeMs: convergence(tally),
  failures: tally.failures.slice(0, 20),
});
export type RunOutcome = ReturnType<typeof outcomeOf>;

/** A row for each run, and the seeds of histories that failed. */
export function summary(outcomes: readonly RunOutcome[]): string {
  const head = ['from seed', 'histories', 'failed', 'rare pairs', 'claims', 'faults', 'awaits', 'time'];
  const rows = outcomes.map((of) => [
    of.seed,
    of.histories,
    of.violations,
    of.pairs.short.length,
    of.medianClaims,
    of.medianFaults,
    of.medianAwaits,
    `${Math.round(of.tookMs / 1000)} s`,
  ]);
  const lines = [head, ...rows].map((cells) => cells.map((cell) => String(cell).padStart(11)).join(''));
  const failed = outcomes.flatMap(({ failures }) => failures.map(({ seed }) => seed));
  return [...lines, ...(failed.length === 0 ? [] : [`failed: ${failed.join(', ')}`])].join('\n');
}

export function asText(tally: Tally, { seed, tookMs }: Run): string {
  const [pair] = rarest(tally);
  const lines = Object.entries(convergence(tally)).map(
    ([kind, s]) =>
      `  ${kind.padEnd(33)} ${String(s.n).padStart(8)} times   median ${ms(s.p50)}   p99 ${ms(s.p99)}   worst ${ms(s.worst)}`,
  );
  const failed = tally.failures.slice(0, 20).map(({ seed, violations }) => {
    const [first] = violations;
    return `  seed ${seed}: ${first!.guarantee}: ${first!.vip}: ${first!.what.slice(0, 300)}`;
  });
  return [
    `${tally.histories} histories from seed ${seed} on in ${Math.round(tookMs / 1000)} s, ${tally.failures.length} violated a guarantee`,
    `medians per history: ${median(tally.claims)} claims, ${median(tally.faults)} faults, ${median(tally.awaits)} scheduled awaits`,
    `${pairsWanted.length} pairs of node state and fault; the rarest: ${pair!.pair}, ${pair!.n} times`,
    ...shortPairs(tally).map((p) => `  ${p.pair}: ${p.n} times, expected ${PAIR_MIN}`),
    'how long a VIP was not where it belongs, by what happened last before:',
    ...lines,
    ...failed,
  ].join('\n');
}

const ms = (value: number): string => `${(value / 1000).toFixed(2)} s`.padStart(9);
