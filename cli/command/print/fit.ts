// How a table is made to fit a terminal. Text in the last column is never cut: it is wrapped in its column, or stands in lines
// of its own under each row where the other columns leave too little room. Other cells are cut, the widest column first.
//
// Limit: the width of a character is its width in most terminals; there is no way to ask this one.

export interface Fit {
  /** Of each column; the last one's text is wrapped at its width. */
  readonly widths: readonly number[];
  /** The last column stands under the row. */
  readonly beneath: boolean;
  /** It is wrapped, wherever it stands. */
  readonly wraps: boolean;
}

/** Blanks between two columns. */
export const GAP = 2;
/** Blanks before what stands under a row. */
export const INDENT = 4;
/** A last column that is no wider is no text, and is treated as the others. */
const TEXT_MIN = 24;
/** Text in fewer columns is a tower of words: then it stands under the row. */
const ROOM_MIN = 40;
/** No column is narrower: enough for `i-0abc…`. */
const CELL_MIN = 7;

/** `widths`: of the widest cell of each column. `columns`: of the terminal; undefined where nothing has to fit. */
export function fitted(widths: readonly number[], columns: number | undefined): Fit {
  if (columns === undefined || total(widths) <= columns) return { widths, beneath: false, wraps: false };
  const others = widths.slice(0, -1);
  if (others.length === 0 || widths.at(-1)! <= TEXT_MIN)
    return { widths: narrowed(widths, columns), beneath: false, wraps: false };
  const room = columns - total(others) - GAP;
  if (room >= ROOM_MIN) return { widths: [...others, room], beneath: false, wraps: true };
  const under = Math.max(CELL_MIN, columns - INDENT);
  return { widths: [...narrowed(others, columns), under], beneath: true, wraps: true };
}

const total = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width, 0) + GAP * (widths.length - 1);

function narrowed(widths: readonly number[], columns: number): readonly number[] {
  const narrow = [...widths];
  for (let over = total(narrow) - columns; over > 0; over--) {
    const widest = narrow.indexOf(Math.max(...narrow));
    if (narrow[widest]! <= CELL_MIN) break;
    narrow[widest]! -= 1;
  }
  return narrow;
}

const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;

const charactersOf = (text: string): readonly string[] =>
  Array.from(characters.segment(text), ({ segment }) => segment);
const widthOfOne = (character: string): number => (WIDE.test(character) ? 2 : 1);

/** In columns of a terminal. */
export const widthOf = (text: string): number =>
  /^[ -~]*$/.test(text) ? text.length : charactersOf(text).reduce((sum, c) => sum + widthOfOne(c), 0);

export const padded = (text: string, width: number): string =>
  text + ' '.repeat(Math.max(0, width - widthOf(text)));

/** The beginning of it, with … where something is left out. */
export function cutTo(text: string, width: number): string {
  return widthOf(text) <= width ? text : `${prefix(text, width - 1)}…`;
}

function prefix(text: string, width: number): string {
  let kept = '';
  let room = width;
  for (const character of charactersOf(text)) {
    room -= widthOfOne(character);
    if (room < 0) break;
    kept += character;
  }
  return kept;
}

/** Lines of at most `width` columns, broken between words; a word that is longer is broken itself. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (widthOf(joined) <= width) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    // At least one character, however narrow.
    while (widthOf(word) > width) {
      const part = prefix(word, width) || charactersOf(word)[0]!;
      lines.push(part);
      word = word.slice(part.length);
    }
    line = word;
  }
  return [...lines, line];
}
