// The doctor and keepalived on the same pairs of files: where they do not agree, and how often each said what.
import { answersOf } from './elections.ts';
import type { Answer } from './inside.ts';
import { agree, doctorsVerdict, keepalivedsVerdict, type Pair, questionOf } from './pairs.ts';

export interface Comparison {
  /** One text for each pair on which they do not agree. */
  readonly disagreements: readonly string[];
  /** By what keepalived said, and what the doctor left open. */
  readonly counts: Readonly<Record<string, number>>;
  /** How often each change was drawn. */
  readonly changes: Readonly<Record<string, number>>;
}

/** A pair on which they do not agree is asked a second time, when the machine has nothing else to do for us. */
export async function compare(pairs: readonly Pair[], width: number): Promise<Comparison> {
  const first = await answersOf(pairs.map(questionOf), width);
  const doubtful = pairs.filter((pair) => !isAgreed(pair, first));
  const second = doubtful.length === 0 ? first : await answersOf(doubtful.map(questionOf), 4);
  const counts: Record<string, number> = {};
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const changes: Record<string, number> = {};
  for (const pair of pairs) {
    const { files, isSplit } = keepalivedsVerdict(pair, (second.get(pair.id) ?? first.get(pair.id))!);
    count(isSplit ? 'two masters' : 'one master');
    for (const word of files)
      count(`a file that keepalived ${word === 'takes it' ? 'takes' : 'complains about'}`);
    for (const word of doctorsVerdict(pair).files)
      if (word === 'unchecked') count('a file with unchecked parts');
    for (const change of pair.draft.changes) changes[change] = (changes[change] ?? 0) + 1;
  }
  const disagreements = doubtful
    .filter((pair) => !isAgreed(pair, second))
    .map((pair) => disagreementText(pair, second.get(pair.id)!));
  return { disagreements, counts, changes };
}

const isAgreed = (pair: Pair, answers: ReadonlyMap<string, Answer>): boolean =>
  agree(doctorsVerdict(pair), keepalivedsVerdict(pair, answers.get(pair.id)!));

const disagreementText = (pair: Pair, answer: Answer): string =>
  [
    `${pair.id}: ${pair.draft.changes.join(', ')}`,
    `doctor ${JSON.stringify(doctorsVerdict(pair))}`,
    `keepalived ${JSON.stringify(keepalivedsVerdict(pair, answer))}`,
    ...pair.findings.map(({ check, subject, found }) => `  ${check} ${subject}: ${found}`),
    ...answer.checks.map((check) => check?.said ?? 'keepalived did not start'),
    ...pair.dressed.flatMap(({ files, host }) =>
      Object.entries(files).map(([path, text]) => `--- ${host}/${path}\n${text}`),
    ),
    answer.said,
  ].join('\n');
