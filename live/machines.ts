// Machines: what the drills can do to the two nodes and learn from the probe, wherever they run.

import type { DrillKind } from './options.ts';
import type { NodeName } from './plan.ts';

/** One node answered the probe from the first to the last of these, without a gap. Wall clock of the probe. */
export interface Stretch {
  readonly who: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
}

export interface Machines {
  /** Breaks a node; the instant before, by that node's wall clock. */
  hit(node: NodeName, kind: DrillKind): Promise<number>;
  repair(node: NodeName, kind: DrillKind): Promise<void>;
  /** The probe's stretches that ended at or after an instant of its clock, in order. */
  answers(fromMs: number): Promise<readonly Stretch[]>;
  /** How far each machine's clock may be off, in ms; undefined where unknown. */
  clocks(): Promise<Readonly<Record<string, number | undefined>>>;
  close(): Promise<void>;
}

export function stretchesFrom(text: string): readonly Stretch[] {
  return text
    .split('\n')
    .map((line) => line.split(' '))
    .filter((words) => words.length === 4)
    .map(([who = '', first, last, count]) => ({
      who,
      firstMs: Number(first),
      lastMs: Number(last),
      count: Number(count),
    }))
    .toSorted((one, other) => one.firstMs - other.firstMs);
}
