// What one block states: the values of its words, and what in it is not understood.
//
// A value that is not there is the default, unless something in the block is not understood: then it is not known.
import { addressText, rangeFrom } from '../../../registry/ip-range.ts';
import type { Statement } from '../grammar/blocks.ts';
import { isUnresolved, type Place, type Written } from '../grammar/definitions.ts';

/** A block that a line can be put into, and how it is called. */
export interface Hold {
  readonly title: string;
  readonly head: Written;
  readonly opensAt?: Place | undefined;
  readonly endsAt?: Place | undefined;
}

export const holdOf = ({ words, line, opensAt, endsAt }: Statement): Hold => ({
  title: words.slice(0, 2).join(' '),
  head: line,
  opensAt,
  endsAt,
});

/** Something that keepalived complains of, and what it then does. */
export interface Complaint {
  readonly at: Place;
  readonly says: string;
  /** It runs as it was meant to nevertheless. */
  readonly isHarmless?: true;
  /** The line that is the reason. */
  readonly line?: Written;
  /** What has to stand there instead; words in capitals are the operator's. */
  readonly put?: string;
  /** Where `put` is missing. */
  readonly into?: Hold;
}

/** What the doctor cannot judge. */
export interface Unread {
  readonly at: Place;
  readonly text: string;
  readonly why: 'include' | 'words';
}

export interface Notes {
  readonly complaints: Complaint[];
  readonly unread: Unread[];
}

/** `value` is undefined where it is not known. `line` is where it stands; without one it is the default. */
export interface Value<T> {
  readonly value: T | undefined;
  readonly line?: Written;
}

const OPAQUE = /^(?:include[rmwba]?$|[~$@])/;

const isOpaque = ({ words }: Statement): boolean => OPAQUE.test(words[0]!);

/** Of a block of words: notes what is not understood. True where it may hide other words of this block. */
export function noteUnread(block: readonly Statement[], known: ReadonlySet<string>, notes: Notes): boolean {
  let isPartial = false;
  for (const one of block) {
    const isHidden = isOpaque(one);
    if (!isHidden && known.has(one.words[0]!)) continue;
    notes.unread.push(unreadOf(one));
    if (isHidden || one.block !== undefined) isPartial = true;
  }
  return isPartial;
}

/** Of the lines of a list: notes those that may be anything. */
export function noteOpaque(block: readonly Statement[], notes: Notes): boolean {
  const opaque = block.filter(isOpaque);
  notes.unread.push(...opaque.map(unreadOf));
  return opaque.length > 0;
}

const unreadOf = ({ words, line }: Statement): Unread => ({
  at: line.at,
  text: line.text,
  why: words[0]!.startsWith('include') ? 'include' : 'words',
});

export interface Scope {
  readonly block: readonly Statement[];
  readonly isPartial: boolean;
  readonly notes: Notes;
  /** Of the block, in complaints. */
  readonly name: string;
}

export const statementsOf = ({ block }: Scope, word: string): readonly Statement[] =>
  block.filter(({ words }) => words[0] === word);

/** What `parse` makes of a word's value: undefined refuses it, and keepalived goes on as if it were not there. */
export interface Reading<T> {
  readonly word: string;
  /** Another word for the same. */
  readonly synonym?: string;
  readonly parse: (value: string) => T | undefined;
  readonly wanted: string;
  readonly fallback: T | undefined;
}

/** The last one counts, as for most words. */
export function statedValue<T>(
  scope: Scope,
  { word, synonym = word, parse, wanted, fallback }: Reading<T>,
): Value<T> {
  let found: Value<T> = { value: scope.isPartial ? undefined : fallback };
  for (const { words, line } of scope.block.filter(
    ({ words: [first] }) => first === word || first === synonym,
  )) {
    const [, given] = words;
    if (given !== undefined && isUnresolved(given)) {
      scope.notes.unread.push({ at: line.at, text: line.text, why: 'words' });
      found = { value: undefined, line };
      continue;
    }
    const value = given === undefined ? undefined : parse(given);
    if (value !== undefined) found = { value, line };
    else
      scope.notes.complaints.push({
        at: line.at,
        line,
        says: `${scope.name}: ${word} ${given ?? 'without a value'}, expected ${wanted}`,
        put: `${word} VALUE`,
      });
  }
  return found;
}

/** A word that is there or not; with `off`, `false` or `no` it is not. */
export function flagOf(scope: Scope, word: string): Value<boolean> {
  const last = statementsOf(scope, word).at(-1);
  if (last === undefined) return { value: scope.isPartial ? undefined : false };
  return { value: !/^(?:off|false|no)$/.test(last.words[1] ?? ''), line: last.line };
}

export function wholeFrom(min: number, max: number): (text: string) => number | undefined {
  return (text) => {
    const value = /^\s*\+?\d+$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  };
}

/** As it is written in one way only; a prefix length is left out. */
export function addressFrom(text: string): string | undefined {
  const range = rangeFrom(text);
  return range === undefined ? undefined : addressText(range);
}

/** A line of a list, by its address. */
export interface Listed {
  readonly address: string;
  readonly family: 4 | 6;
  readonly line: Written;
}

export interface List {
  readonly listed: readonly Listed[];
  readonly isPartial: boolean;
  /** The blocks of this name. */
  readonly blocks: readonly Statement[];
}

/** The addresses of all blocks of this name. */
export function listOf(scope: Scope, word: string): List {
  const blocks = statementsOf(scope, word);
  const listed: Listed[] = [];
  let { isPartial } = scope;
  for (const one of blocks.flatMap(({ block }) => block ?? [])) {
    const [first = ''] = one.words;
    if (isOpaque(one) || isUnresolved(first)) {
      scope.notes.unread.push(unreadOf(one));
      isPartial = true;
      continue;
    }
    const range = rangeFrom(first);
    if (range === undefined)
      scope.notes.complaints.push({
        at: one.line.at,
        line: one.line,
        says: `${scope.name}: ${first} in ${word} is no address`,
      });
    else listed.push({ address: addressText(range), family: range.family, line: one.line });
  }
  return { listed, isPartial, blocks };
}
