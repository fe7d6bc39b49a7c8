// The lines of a configuration, as keepalived goes through them: includes followed, lines of other hosts left out,
// definitions put in, sequences carried out, braces on lines of their own.
//
// What is not understood stays as the line that it is: an include of files that this machine does not have, a sequence, a
// definition that is not there.
import { defined } from '../../../optional.ts';
import { withoutComment } from './comments.ts';
import {
  type Definition,
  type Definitions,
  definitionIn,
  isUnresolved,
  type Place,
  substituted,
  type Written,
  withoutBackslash,
} from './definitions.ts';
import { type ConfigFolder, filesMatching, folderOf } from './folder.ts';
import { repetitionIn } from './sequences.ts';

export interface Remark {
  readonly at: Place;
  readonly says: string;
}

export interface Reading {
  readonly lines: readonly Written[];
  /** What keepalived itself complains of. */
  readonly refused: readonly Remark[];
  /** Names behind `@` and `@^`. */
  readonly hosts: readonly string[];
  readonly hasOtherHosts: boolean;
}

export interface ReadInput {
  readonly files: ConfigFolder;
  readonly path: string;
  /** keepalived's configuration id: `-i`, or the first part of the host's name. Undefined where it is not known. */
  readonly host: string | undefined;
}

const DEPTH_MAX = 30;
/**
 * Characters read, counted each time that they are: of files, of lines, of what definitions put in. Includes and definitions that
 * multiply each other would otherwise take hours; keepalived's own example of 65,024 instances is left unread.
 */
const READ_MAX = 6_000_000;
/** An empty line costs something, too. */
const LINE_COST = 80;

/** The next line is another source's. */
const OTHER = Symbol('another source');

/** Where the next line comes from. The last one on the stack is read first. */
interface Source {
  next(): Written | typeof OTHER | undefined;
  /** Of the file that includes from here are relative to. */
  readonly folder: string;
}

interface State {
  readonly input: ReadInput;
  readonly sources: Source[];
  readonly definitions: Definitions;
  readonly lines: Written[];
  readonly refused: Remark[];
  readonly hosts: Set<string>;
  hasOtherHosts: boolean;
  open: Open | undefined;
  /** Of READ_MAX. */
  read: number;
}

/** A definition whose last line ended with a backslash. */
interface Open {
  readonly name: string;
  readonly lines: Written[];
}

export function readingOf(input: ReadInput): Reading {
  const state: State = {
    input,
    sources: [],
    definitions: new Map(input.host === undefined ? [] : [['_INSTANCE', oneLine(input.host)]]),
    lines: [],
    refused: [],
    hosts: new Set(),
    hasOtherHosts: false,
    open: undefined,
    read: 0,
  };
  openFile(state, input.path);
  while (state.sources.length > 0) {
    const source = state.sources.at(-1)!;
    const line = source.next();
    state.read += LINE_COST;
    if (line === OTHER) continue;
    if (line === undefined) {
      state.sources.pop();
      continue;
    }
    state.read += line.text.length;
    if (state.read > READ_MAX) {
      state.lines.push({ ...line, text: `~ more than ${READ_MAX} characters to read` });
      break;
    }
    takeLine(state, line, source.folder);
  }
  const { lines, refused, hosts, hasOtherHosts } = state;
  return { lines, refused, hosts: [...hosts], hasOtherHosts };
}

const oneLine = (value: string): Definition => ({ value, rest: [], hasLines: false });

function openFile(state: State, path: string): void {
  const text = state.read > READ_MAX ? '' : (state.input.files.read(path) ?? '');
  state.read += text.length;
  const raw = text.split('\n');
  const folder = folderOf(path);
  let line = 0;
  const next = (): Written | typeof OTHER | undefined => {
    while (line < raw.length) {
      line++;
      const at = { file: path, line };
      const here = raw[line - 1]!.replace(/\r+$/, '');
      if (here === '') {
        state.open = undefined;
        continue;
      }
      const bare = withoutComment(here);
      if (bare.isOpen) state.refused.push({ at, says: `a quote is left open: ${bare.text}` });
      // Before anything else, also inside of a definition.
      const early = { text: bare.text.replace(/\\$/, ''), at };
      if (!isUnresolved(early.text) && include(state, early, folder)) return OTHER;
      if (bare.text !== '' || state.open !== undefined) return { text: bare.text, at };
    }
    return undefined;
  };
  state.sources.push({ next, folder });
}

const linesFrom = (lines: readonly Written[], folder: string): Source => {
  let n = 0;
  return { next: () => lines[n++], folder };
};

function takeLine(state: State, line: Written, folder: string): void {
  if (state.open !== undefined) {
    continueDefinition(state, line, state.open);
    return;
  }
  const ready = resolved(state, line, folder);
  if (ready === undefined) return;
  if (ready.text.startsWith('~')) repeat(state, ready, folder);
  else if (!include(state, ready, folder)) emit(state, ready, folder);
}

function continueDefinition(state: State, line: Written, { name, lines }: Open): void {
  const continues = line.text.endsWith('\\');
  const text = continues ? withoutBackslash(line.text) : line.text;
  if (text !== '') lines.push({ ...line, text, isMade: true });
  const [first, ...rest] = lines;
  state.definitions.set(name, { value: first?.text ?? '', rest, hasLines: lines.length > 0 });
  if (!continues) state.open = undefined;
}

/** The line with its condition tested and its definitions put in; undefined where nothing is left of it. */
function resolved(state: State, line: Written, folder: string): Written | undefined {
  let text = line.text;
  let { isMade } = line;
  for (let times = 0; times < DEPTH_MAX; times++) {
    const held = conditional(state, text);
    if (held === undefined) return undefined;
    text = held;
    const defining = definitionIn(text);
    if (defining !== undefined) {
      define(state, defining, line.at);
      return undefined;
    }
    if (text.startsWith('~')) break;
    state.definitions.set('_PWD', oneLine(folder));
    const put = substituted(text, state.definitions);
    if (put === undefined) break;
    text = put.text;
    state.read += text.length * 4 + put.rest.length * LINE_COST;
    isMade = true;
    if (put.rest.length > 0) state.sources.push(linesFrom(put.rest, folder));
    if (!put.hasLines || !text.startsWith('@')) continue;
    // keepalived 2.2 leaves a line out, but does not take the condition from one that it keeps.
    if (conditional(state, text) !== undefined) state.lines.push({ ...line, text });
    return undefined;
  }
  if (text === '') return undefined;
  return { text, at: line.at, ...defined({ isMade }) };
}

function conditional(state: State, text: string): string | undefined {
  const [, negated, name, rest] = /^@(\^?)([^ \t]*)(?:[ \t]+(.*))?$/s.exec(text) ?? [];
  if (name === undefined) return text;
  state.hosts.add(name);
  if (negated === '^') state.hasOtherHosts = true;
  if (rest === undefined) return undefined;
  return (state.input.host === name) === (negated !== '^') ? rest : undefined;
}

function define(
  state: State,
  { name, value, continues }: NonNullable<ReturnType<typeof definitionIn>>,
  at: Place,
): void {
  const lines = value === '' ? [] : [{ text: value, at }];
  if (continues) state.open = { name, lines };
  state.definitions.set(name, { value, rest: [], hasLines: continues && lines.length > 0 });
}

function repeat(state: State, line: Written, folder: string): void {
  const repetition = repetitionIn(line.text);
  if (repetition === undefined) {
    state.lines.push(line);
    return;
  }
  let n = 0;
  const next = (): Written | undefined => {
    const round = repetition.rounds[n++];
    if (round === undefined) return undefined;
    for (const [name, value] of Object.entries(round)) state.definitions.set(name, oneLine(value));
    return { text: repetition.text, at: line.at, isMade: true };
  };
  state.sources.push({ next, folder });
}

/** What stands behind the word is the name: with its quotes, blanks and braces. */
const INCLUDE = /^include[rmwba]?[ \t]+(.+)$/;

function include(state: State, line: Written, folder: string): boolean {
  const [, pattern] = INCLUDE.exec(line.text) ?? [];
  if (pattern === undefined) return false;
  const found = state.sources.length > DEPTH_MAX ? [] : filesMatching(state.input.files, folder, pattern);
  if (found.length === 0) state.lines.push(line);
  for (const path of [...found].reverse()) openFile(state, path);
  return true;
}

/** A brace ends what stands before it, and stands alone; what follows it is a line again. */
function emit(state: State, line: Written, folder: string): void {
  const at = braceIn(line.text);
  const first = at === -1 ? line.text : at === 0 ? line.text[0]! : line.text.slice(0, at);
  const rest = line.text.slice(first.length).trim();
  if (rest !== '') state.sources.push(linesFrom([{ ...line, text: rest }], folder));
  state.lines.push({ ...line, text: first.trim(), ...(hasTornBraces(first) && { isTorn: true }) });
}

const BRACES = /"[^"]*(?:"|$)|\$\{[^}]*\}|[{}]/g;

const hasTornBraces = (text: string): boolean =>
  (text.match(BRACES) ?? []).some((one) => one.startsWith('$'));

/** The first brace outside of quotes, and outside of `${…}` that nothing defines. */
function braceIn(text: string): number {
  for (const one of text.matchAll(BRACES)) if (one[0] === '{' || one[0] === '}') return one.index;
  return -1;
}
