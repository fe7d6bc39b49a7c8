// What is reported of a run: by group of files how many mutants died and of what, and every survivor with the reason why it is harmless.
import { harmless } from './harmless.ts';
import type { Mutant } from './mutants.ts';
import { type Verdict, verdictKinds } from './verdict.ts';

/** The share of each group that has to die. */
export const WANTED = 0.95;

export interface Judged {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
}

interface Survivor {
  readonly place: string;
  readonly harmless: string;
}
interface Group {
  readonly name: string;
  readonly mutants: number;
  readonly killed: number;
  readonly share: number;
  readonly by: Readonly<Record<string, number>>;
  readonly survivors: readonly Survivor[];
  /** These say nothing about the tests, so they can be looked at one by one. */
  readonly endless: readonly string[];
  readonly crash: readonly string[];
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 80);
const place = (m: Mutant): string =>
  `${m.file}:${m.line} ${m.operator}: ${oneLine(m.was)} → ${oneLine(m.by)}`;

function groupOf(name: string, told: readonly Judged[]): Group {
  const born = told.filter(({ verdict }) => verdict.kind !== 'stillborn');
  const as = (kind: Verdict['kind']) => born.filter(({ verdict }) => verdict.kind === kind);
  const killed = born.length - as('survived').length;
  const listed = (kind: Verdict['kind']) =>
    as(kind).map(({ mutant, verdict }) => `${place(mutant)} (${verdict.by})`);
  return {
    name,
    mutants: born.length,
    killed,
    share: born.length === 0 ? 1 : killed / born.length,
    by: Object.fromEntries(
      verdictKinds.map((kind) => [kind, told.filter((t) => t.verdict.kind === kind).length]),
    ),
    survivors: as('survived')
      .map(({ mutant }) => ({
        place: place(mutant),
        harmless: harmless(mutant, mutant.source) ?? 'not looked at yet',
      }))
      .sort((a, b) => a.place.localeCompare(b.place)),
    endless: listed('endless'),
    crash: listed('crash'),
  };
}

const told = (group: Group): string => {
  const by = Object.entries(group.by).map(([kind, n]) => `${kind} ${n}`);
  return [
    `${group.name}: ${group.killed} of ${group.mutants} mutants killed (${(100 * group.share).toFixed(1)} %); ${by.join(', ')}`,
    ...group.survivors.map((s) => `  ${s.place}\n    ${s.harmless}`),
  ].join('\n');
};

export function reportOf(groups: Readonly<Record<string, readonly string[]>>, all: readonly Judged[]) {
  const inGroup = (names: readonly string[]) =>
    all.filter(({ mutant }) => names.includes(mutant.file.slice(7, -3)));
  const each = Object.entries(groups)
    .map(([name, names]) => groupOf(name, inGroup(names)))
    .filter((group) => group.mutants > 0);
  const files = [...new Set(all.map(({ mutant }) => mutant.file))].map((file) => {
    const { mutants, killed } = groupOf(
      file,
      all.filter(({ mutant }) => mutant.file === file),
    );
    return { file, mutants, killed };
  });
  return { data: { groups: each, files }, text: each.map(told).join('\n') };
}
