// Percentiles: what all drills of a run say together, part by part and kind by kind.
import { percentile } from '../../bench/figures.ts';
import type { Drill } from '../drill.ts';
import type { DrillKind } from '../options.ts';
import { type Parts, partNames } from './outage-phases.ts';

export interface Percentiles {
  readonly kind: DrillKind;
  readonly part: keyof Parts;
  /** Drills in which the part was seen. */
  readonly n: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

export function percentilesOf(drills: readonly Drill[]): readonly Percentiles[] {
  const kinds = [...new Set(drills.map(({ kind }) => kind))];
  return kinds.flatMap((kind) =>
    partNames.flatMap((part) => {
      const samples = drills
        .filter((drill) => drill.kind === kind)
        .map(({ parts }) => parts[part])
        .filter((sample) => sample !== undefined);
      if (samples.length === 0) return [];
      const p = (share: number) => percentile(samples, share);
      return [
        { kind, part, n: samples.length, p50Ms: p(0.5), p99Ms: p(0.99), worstMs: Math.max(...samples) },
      ];
    }),
  );
}

const titles: Readonly<Record<keyof Parts, string>> = {
  vrrpMs: 'hit → other node is master (VRRP)',
  eventMs: '→ controller began (shim, bus, Lambda)',
  controllerMs: '→ last mutation accepted (EC2)',
  packetsMs: 'accepted → packets moved (probe)',
  totalMs: 'hit → packets moved, all of it',
  outageMs: 'without any answer (probe)',
};

export function percentilesTable(all: readonly Percentiles[]): string {
  const ms = (value: number) => value.toFixed(1).padStart(10);
  const lines = all.map(
    ({ kind, part, n, p50Ms, p99Ms, worstMs }) =>
      `${kind.padEnd(8)}${titles[part].padEnd(40)}${String(n).padStart(5)}${ms(p50Ms)}${ms(p99Ms)}${ms(worstMs)}`,
  );
  const head = `${'kind'.padEnd(48)}${'n'.padStart(5)}${['P50 ms', 'P99 ms', 'worst'].map((h) => h.padStart(10)).join('')}`;
  return [head, ...lines].join('\n');
}
