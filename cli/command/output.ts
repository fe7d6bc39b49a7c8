// What goes where: the answer, and nothing else, to stdout; everything said on the way to stderr. Colours only on a
// terminal, and never with NO_COLOR.
//
// Invariant: text from records cannot control the terminal: control characters are shown, not sent. Tables fit the terminal; a
// pipe, a file and --wide get every cell whole.
import type { CommonOptions } from './options.ts';
import { cutTo, fitted, GAP, INDENT, padded, widthOf, wrapped } from './print/fit.ts';

export interface Output {
  readonly json: boolean;
  /** Columns of the terminal; undefined when stdout is none. */
  readonly columns: number | undefined;
  /** What tables are fitted to: undefined where stdout is no terminal, and with --wide. */
  readonly fits: number | undefined;
  line(text?: string): void;
  lines(texts: readonly string[]): void;
  document(value: unknown): void;
  documents(values: readonly unknown[]): void;
  /** Columns aligned by their widest cell, as far as the terminal has room. */
  table(head: readonly string[], rows: readonly (readonly Cell[])[]): void;
  /** Progress and remarks. */
  note(text: string): void;
  paint(paint: Paint, text: string): string;
}

export type Paint = 'good' | 'bad' | 'warn' | 'dim' | 'strong';
export type Cell = string | { readonly text: string; readonly paint: Paint };

const codes: Readonly<Record<Paint, readonly [number, number]>> = {
  good: [32, 39],
  bad: [31, 39],
  warn: [33, 39],
  dim: [2, 22],
  strong: [1, 22],
};

export function output(options: CommonOptions): Output {
  const colours =
    options.color !== false && (process.env.NO_COLOR ?? '') === '' && process.stdout.isTTY === true;
  const paint = (kind: Paint, text: string): string =>
    colours ? `\u001b[${codes[kind][0]}m${text}\u001b[${codes[kind][1]}m` : text;
  const line = (text = ''): void => void process.stdout.write(`${text}\n`);
  const note = (text: string): void => void process.stderr.write(`${text}\n`);
  const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
  const fits = options.wide === true ? undefined : columns;
  let isCutSaid = false;
  return {
    json: options.json === true,
    columns,
    fits,
    line,
    lines: (texts) => {
      for (const text of texts) line(text);
    },
    document: (value) => line(JSON.stringify(value)),
    documents: (values) => {
      for (const value of values) line(JSON.stringify(value));
    },
    table: (head, rows) => {
      const table = tableOf(head, rows, { paint, fits });
      for (const row of table.lines) line(row);
      if (table.isCut && !isCutSaid) note('cut to the width of the terminal; in full: --wide');
      isCutSaid ||= table.isCut;
    },
    note,
    paint,
  };
}

/** Control characters, also those that reverse the direction of writing, as their escapes. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escaped);

const escaped = (c: string): string => `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`;

/** A table without a terminal: what `table` prints there. */
export const tableLines = (head: readonly string[], rows: readonly (readonly Cell[])[]): readonly string[] =>
  tableOf(head, rows, { paint: (_, text) => text, fits: undefined }).lines;

interface Table {
  readonly lines: readonly string[];
  /** Whether a cell lacks a part. */
  readonly isCut: boolean;
}

export function tableOf(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  { paint, fits }: Pick<Output, 'paint' | 'fits'>,
): Table {
  const text = (cell: Cell = ''): string => plain(typeof cell === 'string' ? cell : cell.text);
  const painted = (cell: Cell = '', shown: string): string =>
    typeof cell === 'string' ? shown : paint(cell.paint, shown);
  const natural = head.map((title, i) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(text(row[i])))),
  );
  const { widths, beneath, wraps } = fitted(natural, fits);
  const last = head.length - 1;
  const sides = beneath ? last : head.length;
  const cell = (value: string, i: number): string =>
    i === sides - 1 ? cutTo(value, widths[i]!) : padded(cutTo(value, widths[i]!), widths[i]!);
  const before = beneath ? INDENT : widths.slice(0, last).reduce((sum, width) => sum + width + GAP, 0);
  let isCut = false;
  const lines = rows.flatMap((row) => {
    const shown = head.slice(0, sides).map((_, i) => text(row[i]));
    const rest = wraps ? wrapped(text(row[last]), widths[last]!) : [];
    const under = beneath ? rest : rest.slice(1);
    if (!beneath && rest.length > 0) shown[last] = rest[0]!;
    isCut ||= shown.some((value, i) => widthOf(value) > widths[i]!);
    const first = shown.map((value, i) => painted(row[i], cell(value, i))).join(' '.repeat(GAP));
    const more = under
      .filter((line) => line !== '')
      .map((line) => ' '.repeat(before) + painted(row[last], line));
    return [first.trimEnd(), ...more];
  });
  const titles = head.slice(0, sides).map((title, i) => paint('dim', cell(title.toUpperCase(), i)));
  return { lines: [titles.join(' '.repeat(GAP)).trimEnd(), ...lines], isCut };
}
