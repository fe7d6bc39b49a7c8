// What to write in a file: the remedy of a finding, as exact as the place allows.
import type { Remedy } from '../../finding.ts';
import type { Written } from '../grammar/definitions.ts';
import type { Span } from '../model/statements.ts';

const quoted = (text: string): string => `\`${text}\``;

/** `put` instead of what the line says now. */
export function replacing({ text, at, isMade }: Written, put: string): string {
  const now = `instead of ${quoted(text)}`;
  return isMade
    ? `in ${at.file}, change what line ${at.line} is made of, to get ${quoted(put)} ${now}`
    : `in ${at.file}, line ${at.line}, write ${quoted(put)} ${now}`;
}

export const removing = ({ text, at, isMade }: Written): string =>
  isMade
    ? `in ${at.file}, change what line ${at.line} is made of, to get rid of ${quoted(text)}`
    : `in ${at.file}, line ${at.line}, delete ${quoted(text)}`;

/** As the first line of the block. */
export function adding({ title, head, opensAt, endsAt }: Span, put: string): string {
  const isOpen =
    opensAt !== undefined &&
    endsAt !== undefined &&
    opensAt.file === endsAt.file &&
    endsAt.line > opensAt.line;
  return isOpen
    ? `in ${opensAt.file}, after line ${opensAt.line}, add ${quoted(put)}`
    : `in ${head.at.file}, in the block ${title}, add ${quoted(put)}`;
}

export const beginningWith = (file: string, put: string): string =>
  `in ${file}, before line 1, add ${quoted(put)}`;

/** What is there is replaced, else `put` is added. */
export const stating = (line: Written | undefined, span: Span, put: string): string =>
  line === undefined ? adding(span, put) : replacing(line, put);

export const asRemedy = (...edits: readonly string[]): Remedy => ({ sentence: edits.join('; ') });
