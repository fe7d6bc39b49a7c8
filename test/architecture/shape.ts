// How large things may be, and what they may be called.
import { posix } from 'node:path';
import { lineAt, type Node, type Source, treeOf, walk } from './sources.ts';

export const LINES_MAX = 300;
export const FILES_MAX = 13;
export const PARAMETERS_MAX = 4;

/** Folders that are lists: one file per member, read one at a time. */
const lists = ['docs/decisions', 'docs/schemas', 'events/examples', 'lab/scenarios', 'test/sim/checks'];

export function folderComplaints(paths: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const path of paths) {
    const folder = posix.dirname(path);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([folder, files]) => files > FILES_MAX && !lists.includes(folder))
    .map(([folder, files]) => `${folder} has ${files} files, expected at most ${FILES_MAX}`);
}

const functionTypes = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'TSDeclareFunction',
  'TSMethodSignature',
  'TSFunctionType',
  'TSEmptyBodyFunctionExpression',
  'TSCallSignatureDeclaration',
]);

/** Functions, methods and function types that take more than PARAMETERS_MAX. */
export function parameterComplaints(source: Source): readonly string[] {
  const found: string[] = [];
  walk(treeOf(source), (node) => {
    if (!functionTypes.has(node.type)) return;
    const given = node.params;
    const parameters = Array.isArray(given) ? given : ((given as { items?: unknown[] })?.items ?? []);
    if (parameters.length <= PARAMETERS_MAX) return;
    const { name } = ((node.id ?? node.key) as { readonly name?: string } | undefined) ?? {};
    const place = `${source.path}:${lineAt(source.text, node.start)}`;
    found.push(
      `${place}: ${name ?? 'a function'} takes ${parameters.length} parameters, expected at most ${PARAMETERS_MAX}`,
    );
  });
  return found;
}

export function lengthComplaints({ path, text }: Source): readonly string[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return lines <= LINES_MAX ? [] : [`${path} has ${lines} lines, expected at most ${LINES_MAX}`];
}

const emptyNames = [
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'ports',
  'adapters',
  'services',
  'manager',
  'misc',
];

export function nameComplaints({ path }: Pick<Source, 'path'>): readonly string[] {
  const words = path
    .replace(/\.\w+$/, '')
    .split('/')
    .flatMap((part) => [part, ...part.split(/[-.]/)]);
  const found = emptyNames.filter((name) => words.includes(name) || words.includes(`${name}s`));
  return found.map((name) => `${path} is named ${name}, expected the word of the concept in it`);
}

export function defaultExportComplaints(source: Source): readonly string[] {
  let found = false;
  walk(treeOf(source), (node) => {
    if (node.type === 'ExportDefaultDeclaration') found = true;
    if (node.type === 'ExportSpecifier' && (node.exported as Node).name === 'default') found = true;
  });
  return found ? [`${source.path} has a default export, expected a name`] : [];
}
