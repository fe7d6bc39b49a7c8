// Text as it is read: the lines of a paragraph, a comment or a string joined to one, so that a phrase is found across a
// line's end, with the line of every place.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allFolders } from '../architecture/figures.ts';
import { filesOf, root } from '../architecture/sources.ts';

const ENDS =
  /\.(?:ts|mjs|cjs|md|ya?ml|json|bash|sh|py|conf|service|socket|timer|cnf)$|(?:^|\/)(?:vipshift-notify|run)$/;

/** Decisions are history. The lists of phrases quote what they refuse. npm writes its lock itself. */
const apart = ['docs/decisions/', 'test/text/', 'test/text.test.ts', 'test/mutation/package-lock.json'];

export const textFiles: readonly string[] = [
  'README.md',
  'README.zh-CN.md',
  'serverless.yml',
  ...['.ci', ...allFolders].flatMap((folder) => filesOf(folder)),
].filter((path) => ENDS.test(path) && !apart.some((start) => path.startsWith(start)));

export const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

export interface Prose {
  readonly text: string;
  /** Line, from 1, of a position in `text`. */
  readonly lineAt: (position: number) => number;
}

/** One line of text for the whole file: without the marks of comments, the ends of lines and the joints of strings. */
export function proseOf(source: string): Prose {
  const starts: number[] = [];
  let text = '';
  for (const line of source.split('\n')) {
    const bare = line.trim().replace(/^(?:\/\/+|\/?\*+\/?|#+|>)(?=\s|$)\s*/, '');
    // 'some ' + on one line and 'text' on the next are one sentence.
    const joined = /['"`] ?\+$/.test(text.trimEnd()) ? bare.replace(/^\+?\s*['"`]/, '') : bare;
    text = /['"`] ?\+$/.test(text.trimEnd()) ? text.trimEnd().replace(/['"`] ?\+$/, '') : text;
    starts.push(text.length);
    text += `${joined} `;
  }
  return { text, lineAt: (position) => starts.findLastIndex((start) => start <= position) + 1 };
}
