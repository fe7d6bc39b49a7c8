// An entry of the timeline made to fit where it is kept. Size alone must never keep an outcome out of the record: without one
// the lease is not released, and the next holder can only say `abandoned` (guarantees 5 and 6).
//
// Invariant: outcome, cause, epoch, from and to always stay, and so do the reasons with their counts, which are notes. What was
// left out is counted in `omitted`, and an outcome's first note reports it. An entry that fits is not touched.

import { cut } from '../bounded.ts';
import type { StepDone } from '../network/step.ts';
import { defined } from '../optional.ts';
import { itemBytes, RECORD_MAX } from './size.ts';
import type { Entry, Failover, Omitted, StepsOmitted } from './timeline.ts';

export interface Limit {
  /** Where it would be too large. */
  readonly place: string;
  readonly max: number;
  bytes(entry: Entry): number;
}

export const recordLimit: Limit = { place: 'the record', max: RECORD_MAX, bytes: itemBytes };

/** Of each list, where it cannot be kept whole. */
export const LISTED_MAX = 50;
/** The last resort: together these bound every entry, whatever stands in it. */
const TEXT_MIN = 100;
const LIST_MIN = 20;

/** The entry, or as much of it as fits, reduced step by step. */
export function fitted<E extends Entry>(entry: E, limit: Limit = recordLimit): E {
  let fit = entry;
  for (const reduce of reductions) {
    const told = sayingSo(fit, entry, limit);
    if (limit.bytes(told) <= limit.max) return told;
    fit = reduce(fit);
  }
  return sayingSo(fit, entry, limit);
}

type Reduction = <E extends Entry>(entry: E) => E;

const fewerSteps =
  (max: number): Reduction =>
  (entry) => {
    const { steps } = entry;
    if (steps.length <= max) return entry;
    // What was not done comes first: a reader who asks whether every step was done must not be misled.
    const ranked = [...steps].sort((a, b) => Number(isDone(a)) - Number(isDone(b)));
    const beyond = ranked.slice(max).map((step) => ({ ...step, count: 1 }));
    const left = counted([...(entry.omitted?.steps ?? []), ...beyond]);
    return { ...omitting(entry, { steps: left }), steps: ranked.slice(0, max) };
  };

const fewer =
  (list: 'conflicts' | 'notes', max: number): Reduction =>
  (entry) => {
    if (entry.entry === 'intent' || entry[list].length <= max) return entry;
    const left = (entry.omitted?.[list] ?? 0) + entry[list].length - max;
    return { ...omitting(entry, { [list]: left }), [list]: entry[list].slice(0, max) };
  };

/** Those of the nodes that the failover is about stay. */
const fewerClaims: Reduction = (entry) => {
  if (entry.entry === 'intent') return entry;
  const about = new Set([entry.from, entry.to, entry.cause.node]);
  const all = Object.entries(entry.claims);
  const claims = Object.fromEntries(all.filter(([node]) => about.has(node)));
  const left = all.length - Object.keys(claims).length;
  return left === 0 ? entry : { ...omitting(entry, { claims: left }), claims };
};

const shorterTexts: Reduction = (entry) => {
  const { vip, holder, omitted, ...rest } = entry;
  const texts = { ...(shorter(rest) as typeof rest), vip, holder } as typeof entry;
  return omitting(omitted === undefined ? texts : { ...texts, omitted }, { texts: true });
};

function shorter(value: unknown): unknown {
  if (typeof value === 'string') return cut(value, TEXT_MIN);
  if (Array.isArray(value)) return value.slice(0, LISTED_MAX).map(shorter);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shorter(inner)]));
}

const reductions: readonly Reduction[] = [
  fewerSteps(LISTED_MAX),
  fewer('conflicts', LISTED_MAX),
  fewer('notes', LISTED_MAX),
  fewerClaims,
  fewerSteps(LIST_MIN),
  fewer('conflicts', LIST_MIN),
  fewer('notes', LIST_MIN),
  shorterTexts,
];

const omitting = <E extends Entry>(entry: E, more: Omitted): E => ({
  ...entry,
  omitted: { ...entry.omitted, ...more },
});

const isDone = ({ result }: Partial<StepDone>): boolean => result === 'done';

/** By what became of them; of an intent's steps nothing has yet. */
function counted(steps: readonly StepsOmitted[]): readonly StepsOmitted[] {
  const counts = new Map<string, StepsOmitted>();
  for (const { result, code, count } of steps) {
    const key = JSON.stringify([result, code]);
    const kind = { ...defined({ result, code }) };
    counts.set(key, { count: (counts.get(key)?.count ?? 0) + count, ...kind });
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
}

/** Who reads an outcome with an older version sees it among the notes. */
function sayingSo<E extends Entry>(entry: E, whole: E, { place }: Limit): E {
  const { omitted } = entry;
  if (omitted === whole.omitted || omitted === undefined || entry.entry === 'intent') return entry;
  const note = `too large for ${place}, left out: ${omittedText(omitted)}`;
  return { ...entry, notes: [note, ...(entry as Failover).notes] };
}

/** As a person reads it. */
export function omittedText({ steps = [], conflicts, notes, claims, texts }: Omitted): string {
  const count = (many: number | undefined, what: string) => (many === undefined ? [] : [`${many} ${what}`]);
  const kinds = steps.map(({ count: n, result, code }) =>
    [n, result, code].filter((w) => w !== undefined).join(' '),
  );
  return [
    ...(steps.length === 0 ? [] : [`steps: ${kinds.join(', ')}`]),
    ...count(conflicts, 'conflicts'),
    ...count(notes, 'notes'),
    ...count(claims, 'nodes’ claims'),
    ...(texts === true ? ['the ends of lists and the middle of texts'] : []),
  ].join('; ');
}
