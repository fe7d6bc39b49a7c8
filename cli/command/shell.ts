// Words of a command that is printed to be pasted into a POSIX shell.

const BARE = /^[\w@%+=:,./-]+$/;

/** As one word, whatever is in it: blanks, quotes, dollars, line breaks. */
export const shellWord = (text: string): string =>
  BARE.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(' ');
