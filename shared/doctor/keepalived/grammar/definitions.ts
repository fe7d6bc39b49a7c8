// `$NAME=text`: what is defined, and how it is put into a line. A definition may have several lines; it is then put in only
// at the end of a line, and its further lines are read next. What is not defined stays as it is.

/** Where a line stands. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface Written {
  readonly text: string;
  readonly at: Place;
  /** Definitions were put in: the text does not stand at the place as it is. */
  readonly isMade?: true;
  /** It has the braces of a `${…}` that nothing defines: keepalived takes them for a block’s. */
  readonly isTorn?: true;
}

export interface Definition {
  readonly value: string;
  readonly rest: readonly Written[];
  /** A backslash followed its first line. */
  readonly hasLines: boolean;
}

export type Definitions = Map<string, Definition>;

/** `$NAME=`, without a blank before the `=`. */
const DEFINITION = /^\$([A-Za-z_][A-Za-z0-9_]*)=[ \t]*(.*)$/s;

export interface Defining {
  readonly name: string;
  readonly value: string;
  /** A backslash at the end: the next lines belong to it. */
  readonly continues: boolean;
}

export function definitionIn(text: string): Defining | undefined {
  const [, name, value] = DEFINITION.exec(text) ?? [];
  if (name === undefined || value === undefined) return undefined;
  const continues = value.endsWith('\\');
  return { name, value: continues ? withoutBackslash(value) : value, continues };
}

export const withoutBackslash = (text: string): string => text.slice(0, -1).replace(/[ \t]+$/, '');

/** `$NAME` before a blank, `)`, `,` or the end of the line; `${NAME}` anywhere. */
const USE = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*)(?=[ \t),]|$))/g;

export interface Substituted {
  readonly text: string;
  /** Further lines of the definition at its end, to be read next. */
  readonly rest: readonly Written[];
  readonly hasLines: boolean;
}

/** How many replacements one line may take: a definition that names itself would go on for ever. */
const REPLACEMENTS_MAX = 1000;
/** keepalived's lines are shorter (a kilobyte); what grows beyond this multiplies itself. */
const TEXT_MAX = 16_384;

/** Undefined where nothing was replaced. */
export function substituted(line: string, definitions: Definitions): Substituted | undefined {
  let text = line;
  let rest: readonly Written[] = [];
  let hasLines = false;
  let from = 0;
  for (let times = 0; times < REPLACEMENTS_MAX; times++) {
    const use = nextUse(text, from, definitions);
    if (use === undefined) return times === 0 ? undefined : { text, rest, hasLines };
    const { start, end, definition } = use;
    text = text.slice(0, start) + definition.value + text.slice(end);
    if (text.length > TEXT_MAX) return undefined;
    if (definition.hasLines) {
      rest = [...definition.rest, ...rest];
      hasLines = true;
    }
    // What follows a sequence is put in when the sequence is carried out.
    if (/^[ \t]*~/.test(definition.value)) return { text, rest, hasLines };
    from = start;
  }
  return { text, rest, hasLines };
}

function nextUse(text: string, from: number, definitions: Definitions) {
  USE.lastIndex = from;
  for (let found = USE.exec(text); found !== null; found = USE.exec(text)) {
    const definition = definitions.get(found[1] ?? found[2] ?? '');
    const end = found.index + found[0].length;
    if (definition !== undefined && (!definition.hasLines || end === text.length))
      return { start: found.index, end, definition };
    USE.lastIndex = found.index + 1;
  }
  return undefined;
}

/** Something that looks like a use of a definition. */
export const isUnresolved = (word: string): boolean => /\$(?:\{?[A-Za-z_])/.test(word);
