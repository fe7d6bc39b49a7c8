/**
 * Report: what the lab prints. One row per scenario: the outage, its parts, whose they are, the verdict; under it the timeline's own
 * account. Every figure was measured with an emulated AWS, as the heading says.
 */
import type { Parts } from './outage-phases.ts';
import type { ScenarioResult } from './run-scenario.ts';

const COLUMNS = ['vrrp', 'shim', 'bus', 'handler', 'ec2', 'answer', 'ours', 'emulators'] as const;

function partOf(parts: Parts | undefined, column: (typeof COLUMNS)[number]): number | undefined {
  return parts?.[`${column}Ms`];
}

function ms(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(value < 10 ? 1 : 0);
}

export const HEAD = `${'scenario (ms, emulated AWS)'.padEnd(26)}${[
  'outage',
  ...COLUMNS,
  'refused',
  'lost',
  'cut',
]
  .map((title) => title.padStart(10))
  .join('')}  verdict`;

export function row(result: ScenarioResult): string {
  const cells = [ms(result.outageMs), ...COLUMNS.map((column) => ms(partOf(result.parts, column)))];
  const counts = [String(result.refused), String(result.lost), String(result.cut)];
  const line = [...cells, ...counts].map((cell) => cell.padStart(10)).join('');
  return `${result.scenario.padEnd(26)}${line}  ${result.verdict}`;
}

/** What belongs under a row: the timeline next to the measured parts, and why a scenario is broken. */
export function footnotes({ timeline, broken, tooLong }: ScenarioResult): string[] {
  const account =
    timeline &&
    `timeline, epoch ${timeline.epoch}, ${timeline.outcome}: ${timeline.stages
      .filter(({ afterMs }) => afterMs >= 0)
      .map(({ stage, afterMs }) => `${stage} +${afterMs}`)
      .join(', ')}`;
  return [...(account ? [account] : []), ...[...broken, ...tooLong].map((reason) => `broken: ${reason}`)].map(
    (line) => `    ${line}`,
  );
}

export interface Runs {
  readonly count: number;
  readonly minMs: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** The nearest-rank percentile, so that every figure is one that was measured. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** For a table: `-` where nothing was measured. */
export const figure = (values: readonly number[], percent: number): string =>
  values.length === 0 ? '-' : `${Math.round(percentile(values, percent))} ms`;

export function runsOf(values: readonly number[]): Runs {
  return {
    count: values.length,
    minMs: percentile(values, 0),
    medianMs: percentile(values, 50),
    p99Ms: percentile(values, 99),
  };
}

/** Several runs of one scenario as one: medians of what was measured, broken if any of them is. */
export function summary(results: readonly ScenarioResult[]): ScenarioResult & { readonly runs: Runs } {
  const [first] = results;
  if (first === undefined) throw new Error('a summary needs at least one run');
  const medianOf = (pick: (one: ScenarioResult) => number | undefined): number | undefined => {
    const values = results.map(pick).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : percentile(values, 50);
  };
  const parts = Object.fromEntries(
    COLUMNS.map((column) => [`${column}Ms`, medianOf((one) => partOf(one.parts, column))]),
  ) as unknown as Parts;
  const outages = results.map(({ outageMs }) => outageMs).filter((value) => value !== undefined);
  return {
    ...first,
    outageMs: medianOf(({ outageMs }) => outageMs),
    movedMs: medianOf(({ movedMs }) => movedMs),
    parts,
    refused: Math.max(...results.map(({ refused }) => refused)),
    lost: Math.max(...results.map(({ lost }) => lost)),
    cut: Math.max(...results.map(({ cut }) => cut)),
    verdict: results.every(({ verdict }) => verdict === 'held') ? 'held' : 'broken',
    broken: [...new Set(results.flatMap(({ broken }) => broken))],
    tooLong: [...new Set(results.flatMap(({ tooLong }) => tooLong))],
    tookMs: results.reduce((total, { tookMs }) => total + tookMs, 0),
    runs: runsOf(outages),
  };
}

export function runsLine({ count, minMs, medianMs, p99Ms }: Runs): string {
  return `    ${count} runs, outage min ${ms(minMs)}, median ${ms(medianMs)}, p99 ${ms(p99Ms)}`;
}
