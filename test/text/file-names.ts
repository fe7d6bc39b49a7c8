// Files that comments and documents name exist, under that path or as the end of one: `lease.ts`, `aws/wire.ts`.
//
// Limit: only names with an ending of this repository's own sources are looked at; a folder is not.
import { posix } from 'node:path';
import { parseSync } from 'vite';
import { allFolders } from '../architecture/figures.ts';
import { filesOf } from '../architecture/sources.ts';

const NAME =
  /(?<![\w./@*<>$}-])(?:\.{1,2}\/)*([\w@.-]*\w(?:\/[\w@.-]+)*\.(?:ts|cjs|mjs|bash|py|yml|asl\.json))(?![\w-])/g;

/** An ending, `.test.ts`, or a name that stands for any: `x.test.ts`, `NAME.ts`. */
const STANDS_FOR_ANY = /^\.|(?:^|\/)x\.|NAME/;

const known = new Set(
  ['.ci', ...allFolders]
    .flatMap((folder) => filesOf(folder))
    .concat('serverless.yml', 'vitest.config.ts')
    .flatMap((path) => path.split('/').map((_part, from, parts) => parts.slice(from).join('/'))),
);

/** What a file says of others: its comments, or all of it where it is not code. */
function remarks(path: string, source: string): readonly { readonly text: string; readonly line: number }[] {
  const lineAt = (position: number) => source.slice(0, position).split('\n').length;
  if (/\.(?:ts|mjs|cjs)$/.test(path))
    return parseSync(path, source).comments.map(({ value, start }) => ({ text: value, line: lineAt(start) }));
  const isComment = (line: string) => /\.(?:md|json)$/.test(path) || /^\s*#/.test(line);
  return source.split('\n').flatMap((text, n) => (isComment(text) ? [{ text, line: n + 1 }] : []));
}

/** `path:line: name does not exist` for each. */
export const missingFiles = (path: string, source: string): readonly string[] =>
  remarks(path, source).flatMap(({ text, line }) =>
    [...text.matchAll(NAME)]
      .map(([, name]) => posix.normalize(name!))
      .filter((name) => !known.has(name) && !STANDS_FOR_ANY.test(name))
      .map((name) => `${path}:${line}: ${name} does not exist`),
  );
