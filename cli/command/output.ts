// What goes where: the answer, and nothing else, to stdout; everything said on the way to stderr. Colours only on a
// terminal, and never with NO_COLOR.
//
// Invariant: text from records cannot control the terminal: control characters are shown, not sent.
import type { CommonOptions } from './options.ts';

export interface Output {
  readonly json: boolean;
  /** Columns of the terminal; undefined when stdout is none. */
  readonly columns: number | undefined;
  line(text?: string): void;
  lines(texts: readonly string[]): void;
  document(value: unknown): void;
  documents(values: readonly unknown[]): void;
  /** Columns aligned by their widest cell. */
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
  return {
    json: options.json === true,
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    line,
    lines: (texts) => {
      for (const text of texts) line(text);
    },
    document: (value) => line(JSON.stringify(value)),
    documents: (values) => {
      for (const value of values) line(JSON.stringify(value));
    },
    table: (head, rows) => {
      for (const row of tableLines(head, rows, paint)) line(row);
    },
    note: (text) => void process.stderr.write(`${text}\n`),
    paint,
  };
}

/** Control characters, also those that reverse the direction of writing, as their escapes. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escaped);

const escaped = (c: string): string => `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`;

/** A table without a terminal: what `table` prints. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  paint: Output['paint'] = (_, text) => text,
): readonly string[] {
  const text = (cell: Cell): string => plain(typeof cell === 'string' ? cell : cell.text);
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => text(row[i] ?? '').length)),
  );
  const last = head.length - 1;
  const pad = (value: string, i: number): string => (i === last ? value : value.padEnd(widths[i]!));
  const titles = head.map((title, i) => paint('dim', pad(title.toUpperCase(), i))).join('  ');
  const lines = rows.map((row) =>
    row
      .map((cell, i) => {
        const padded = pad(text(cell), i);
        return typeof cell === 'string' ? padded : paint(cell.paint, padded);
      })
      .join('  ')
      .trimEnd(),
  );
  return [titles.trimEnd(), ...lines];
}
