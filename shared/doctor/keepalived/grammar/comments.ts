// One line of a file without its comment. `#` and `!` begin one anywhere outside double quotes; a backslash keeps them.

export interface Uncommented {
  readonly text: string;
  /** A double quote is left open: keepalived complains. */
  readonly isOpen: boolean;
}

/** Blanks at both ends are gone, too. A backslash at the very end stays, also behind a comment: it continues a definition. */
export function withoutComment(raw: string): Uncommented {
  let text = '';
  let isQuoted = false;
  let isComment = false;
  let continues = false;
  for (let at = 0; at < raw.length; at++) {
    const char = raw[at]!;
    const next = raw[at + 1];
    if (char === '\\') {
      if (next === undefined) {
        continues = true;
        break;
      }
      if (!isComment) text += !isQuoted && (next === '#' || next === '!') ? next : char + next;
      at++;
      continue;
    }
    if (char === '"' && !isComment) isQuoted = !isQuoted;
    if ((char === '#' || char === '!') && !isQuoted) isComment = true;
    if (!isComment) text += char;
  }
  const bare = text.replace(/^[ \t]+|[ \t]+$/g, '');
  return { text: continues ? `${bare}\\` : bare, isOpen: isQuoted };
}
