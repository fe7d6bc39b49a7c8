// Text that comes from outside, bounded before it is kept: a record, a log line and a message have limits, and what AWS, a
// node or an operator says has none. Pure.

/** A service's message and a thrown error's, as they are kept. */
export const MESSAGE_MAX = 300;
/** One sentence of a record or of a message to people. */
export const SENTENCE_MAX = 1000;

/** Of every `max` characters this share is the beginning. The reason tends to come last ("… because no policy allows …"). */
const HEAD = 0.4;

/** At most `max` characters: the beginning and the end, with … in between. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = Math.floor((max - 1) * HEAD);
  // Half of a character outside the BMP may be left at either side.
  return `${text.slice(0, head)}…${text.slice(text.length - (max - 1 - head))}`.toWellFormed();
}

/** On one line: control characters, line breaks of every kind and marks of direction become blanks. */
export const readable = (text: string, max: number): string =>
  cut(text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ').trim(), max);

/** How many things one sentence or one list for people names. */
export const NAMED_MAX = 20;

/** The first ones of a list in one sentence, and how many more there are; `left` of them are not in the list at all. */
export function listText(list: readonly string[], separator = ', ', left = 0): string {
  const named = list.slice(0, NAMED_MAX);
  const more = list.length - named.length + left;
  return more === 0 ? named.join(separator) : `${named.join(separator)} and ${more} more`;
}

/** The same, a line each, and a line that says how many more there are. */
export function listLines(list: readonly string[], what: string, left = 0): readonly string[] {
  const named = list.slice(0, NAMED_MAX);
  const more = list.length - named.length + left;
  return more === 0 ? named : [...named, `… and ${more} more ${what}`];
}

/** What an operator gives as the reason of a command, in characters. It is in the VIP's item, the record and messages. */
export const REASON_MAX = 500;

/** What is wrong with a reason that was given; undefined where nothing is. */
export function reasonProblem(reason: string): string | undefined {
  if (reason.trim() === '') return 'found only blanks, expected words: say why, for the record';
  if (reason.length <= REASON_MAX) return undefined;
  return `found ${reason.length} characters, expected at most ${REASON_MAX}: say it in a sentence, and name where the rest is`;
}
