// The project's sources as the rules of the house see them: path, text, syntax tree, imports.
//
// Limit: a specifier that is put together at run time is not seen; the code has none.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseSync } from 'vite';

export interface Source {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export const root = join(import.meta.dirname, '..', '..');

/** Files below `folder` that end in one of `ends`; none when there is no such folder. */
export function sourcesOf(folder: string, ends: readonly string[] = ['.ts']): readonly Source[] {
  return filesOf(folder)
    .filter((path) => ends.some((end) => path.endsWith(end)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/** Every file below `folder`, without packages and what builds leave behind. */
export function filesOf(folder: string): readonly string[] {
  let entries: ReturnType<typeof readEntries>;
  try {
    entries = readEntries(folder);
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => posix.relative(root, posix.join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('node_modules') && !path.includes('__pycache__'))
    .sort();
}

const readEntries = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true });

/** A node of the ESTree that the parser gives; only what the rules look at. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

const trees = new Map<string, Node>();

export function treeOf({ path, text }: Source): Node {
  const known = trees.get(text);
  if (known !== undefined) return known;
  const { program, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path} cannot be parsed: ${error.message}`);
  const tree = program as unknown as Node;
  trees.set(text, tree);
  return tree;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** Calls `see` for every node of the tree, parents first. */
export function walk(node: Node, see: (node: Node) => void): void {
  see(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, see);
  }
}

/** Every module that the source names, types included: import, export … from, import(), import('…').X. */
export function importsOf(source: Source): readonly string[] {
  const found: string[] = [];
  walk(treeOf(source), (node) => {
    const from = node.source ?? (node.type === 'TSImportType' ? node.argument : undefined);
    if (!isNode(from)) return;
    const literal = from.type === 'TSLiteralType' ? (from.literal as Node) : from;
    if (typeof literal.value === 'string') found.push(literal.value);
  });
  return found;
}

/** Where a relative specifier leads, from the project's root; undefined for a package. */
export const targetOf = (path: string, specifier: string): string | undefined =>
  specifier.startsWith('.') ? posix.normalize(posix.join(posix.dirname(path), specifier)) : undefined;

/** Line number, from 1, of a position in the text. */
export const lineAt = (text: string, position: number): number => text.slice(0, position).split('\n').length;
