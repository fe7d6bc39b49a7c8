// What the benchmark says: rows of figures, and the numbers in them.
import { defined } from '../shared/optional.ts';

export interface Row {
  readonly name: string;
  readonly n: number;
  /** null where no time was taken. */
  readonly medianMs: number | null;
  readonly p99Ms: number | null;
  /** The median over that of the bare calls of the same run, latencies and N; null where there are none. */
  readonly ratioToFloor: number | null;
  readonly runs?: number;
  /** A figure that is no time, with its unit in the name. */
  readonly value?: number;
  readonly note?: string;
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

/** By nearest rank: the p99 of fewer than 100 samples is the largest. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

const rounded = (ms: number): number => Number(ms.toFixed(ms < 10 ? 3 : 1));

interface Against {
  /** The bare calls of the same run; without them there is no ratio. */
  readonly floorMs?: number;
  readonly note?: string;
}

export const rowOf = (
  name: string,
  n: number,
  samples: readonly number[],
  { floorMs, note }: Against = {},
): Row => ({
  name,
  n,
  medianMs: rounded(median(samples)),
  p99Ms: rounded(percentile(samples, 0.99)),
  ratioToFloor: floorMs === undefined ? null : Number((median(samples) / floorMs).toFixed(2)),
  runs: samples.length,
  ...defined({ note }),
});

export const valueRow = (name: string, n: number, value: number, note?: string): Row => ({
  name,
  n,
  medianMs: null,
  p99Ms: null,
  ratioToFloor: null,
  value: Number(value.toFixed(2)),
  ...defined({ note }),
});

export function tableOf(rows: readonly Row[]): string {
  const head = ['', 'N', 'median ms', 'p99 ms', '× floor', 'runs', ''];
  const lines = rows.map((row) => [
    row.name,
    String(row.n),
    row.medianMs === null ? String(row.value ?? '') : row.medianMs.toFixed(1),
    row.p99Ms === null ? '' : row.p99Ms.toFixed(1),
    row.ratioToFloor === null ? '' : row.ratioToFloor.toFixed(2),
    row.runs === undefined ? '' : String(row.runs),
    row.note ?? '',
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column]!.length)));
  const text = (line: readonly string[]) =>
    line
      .map((cell, column) =>
        column === 0 || column === 6 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
      )
      .join('  ')
      .trimEnd();
  return [head, ...lines].map(text).join('\n');
}
