// The words of one line: blanks separate them, double quotes keep blanks in one.

export interface Words {
  readonly words: readonly string[];
  readonly isOpen: boolean;
}

const BLANKS = /[ \t\f\n\r\v]/;

export function wordsOf(text: string): Words {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    if (BLANKS.test(text[at]!)) {
      at++;
      continue;
    }
    if (text[at] === '"') {
      const end = text.indexOf('"', at + 1);
      if (end === -1) return { words, isOpen: true };
      words.push(text.slice(at + 1, end));
      at = end + 1;
      continue;
    }
    const start = at;
    while (at < text.length && !BLANKS.test(text[at]!) && text[at] !== '"') at++;
    words.push(text.slice(start, at));
  }
  return { words, isOpen: false };
}
