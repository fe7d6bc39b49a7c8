// The rules of the house (docs: "layout"), as functions from source text to complaints. A complaint names the file,
// what was found and what is wanted. Comments do not count; strings do.
//
// Limit: imports are found by their words, not by a parser. A specifier that is put together at run time is not seen;
// the code has none.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Source {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const root = join(import.meta.dirname, '..');

/** Files below `folder` that end in one of `ends`; none when there is no such folder yet. */
export function sourcesOf(folder: string, ends: readonly string[] = ['.ts']): readonly Source[] {
  let names: readonly string[];
  try {
    names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
  return names
    .filter((name) => ends.some((end) => name.endsWith(end)) && !name.includes('node_modules'))
    .map((name) => `${folder}/${name}`)
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

const withoutComments = (text: string): string =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^(?:(?!['"`]).)*?\/\/.*$/gm, (line) => line.slice(0, line.indexOf('//')));

/** Every module that the source names: import, export … from, import(). */
export const importsOf = ({ text }: Source): readonly string[] =>
  [...withoutComments(text).matchAll(/(?<!['"\w.])(?:from|import)\s*\(?\s*['"]([^'"\s]+)['"]/g)].map(
    (m) => m[1]!,
  );

/** Where a relative specifier leads, from the project's root; undefined for a package. */
export function targetOf(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const parts = path.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

const isDomain = (path: string): boolean => /^shared\/[^/]+\.ts$/.test(path);
const isMemory = (path: string): boolean => path.startsWith('shared/memory/');

/** shared/*.ts imports its siblings, shared/memory those and its own; nothing in shared looks outwards. */
export function importComplaints(source: Source): readonly string[] {
  return importsOf(source).flatMap((specifier) => {
    const target = targetOf(source.path, specifier);
    const complain = (want: string) => [`${source.path} imports ${specifier}, want ${want}`];
    if (target !== undefined && !target.endsWith('.ts')) return complain('a specifier that ends in .ts');
    if (isDomain(source.path))
      return target !== undefined && isDomain(target) ? [] : complain('only siblings');
    if (isMemory(source.path)) {
      return target !== undefined && (isDomain(target) || isMemory(target))
        ? []
        : complain('only the domain and its own siblings');
    }
    if (target === undefined || target.startsWith('shared/')) return [];
    return complain('nothing outside shared/');
  });
}

/** Which folders may use which, outside shared/: inwards only. */
export function directionComplaints(source: Source): readonly string[] {
  const [folder] = source.path.split('/');
  return importsOf(source).flatMap((specifier) => {
    const target = targetOf(source.path, specifier);
    if (target === undefined) return [];
    const [to] = target.split('/');
    const may = to === 'shared' || to === folder || (folder !== 'functions' && folder !== 'cli');
    return may ? [] : [`${source.path} imports ${specifier}, want only shared/ and ${folder}/`];
  });
}

const clockWords: readonly (readonly [RegExp, string])[] = [
  [/\bprocess\s*\.\s*env\b/, 'process.env'],
  [/\bDate\s*\.\s*now\b/, 'Date.now'],
  [/\bnew\s+Date\s*(?:\(\s*\)|(?![\s(\w]))/, 'new Date()'],
  [/\bperformance\s*\.\s*now\b/, 'performance.now'],
  [/\bprocess\s*\.\s*(?:hrtime|uptime)\b/, 'process.hrtime'],
  [/\bset(?:Timeout|Interval|Immediate)\b/, 'a timer'],
  [/['"](?:node:)?(?:timers|perf_hooks)/, 'a timer module'],
];

/** Only wire.ts reads the environment and the clock. */
export const clockComplaints = (source: Source): readonly string[] =>
  source.path === 'shared/aws/wire.ts'
    ? []
    : clockWords
        .filter(([words]) => words.test(withoutComments(source.text)))
        .map(([, name]) => `${source.path} uses ${name}, want that in shared/aws/wire.ts alone`);

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

export function nameComplaints({ path }: Source): readonly string[] {
  const words = path
    .replace(/\.\w+$/, '')
    .split('/')
    .flatMap((part) => [part, ...part.split(/[-.]/)]);
  const found = emptyNames.filter((name) => words.includes(name) || words.includes(`${name}s`));
  return found.map((name) => `${path} is named ${name}, want the word of the concept in it`);
}

export const defaultExportComplaints = (source: Source): readonly string[] =>
  /\bexport\s+default\b|\bas\s+default\b/.test(withoutComments(source.text))
    ? [`${source.path} has a default export, want a name`]
    : [];

export const LINES_MAX = 300;

export function lengthComplaints({ path, text }: Source): readonly string[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return lines <= LINES_MAX ? [] : [`${path} has ${lines} lines, want at most ${LINES_MAX}`];
}
