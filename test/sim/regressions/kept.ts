// The smallest history that shows each bug that was found, by the name of its control: one line of kept.jsonl each.
import { readFileSync, writeFileSync } from 'node:fs';
import type { History } from '../history/history.ts';

export interface Kept {
  /** The control that puts the bug back. */
  readonly control: string;
  readonly history: History;
}

const file = new URL('./kept.jsonl', import.meta.url);

export const kept = (): readonly Kept[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Kept);

/** In place of the one that was kept for the same control. */
export function keep(one: Kept): void {
  const all = [...kept().filter(({ control }) => control !== one.control), one];
  const lines = all
    .toSorted((a, b) => (a.control < b.control ? -1 : 1))
    .map(({ control, history }) => JSON.stringify({ control, history }));
  writeFileSync(file, `${lines.join('\n')}\n`);
}
