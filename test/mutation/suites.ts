// Everything that a mutant has to get past, bundled with the mutant inside.
//
// The tests of the mutated file come first: they are the likeliest to kill, and a mutant that dies early costs little.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { context, type Plugin } from 'esbuild';
import { type Mutant, mutated } from './mutants.ts';

export const top = fileURLToPath(new URL('../../', import.meta.url));

/** Quick ones first; none of them needs a server. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  'shared/vip': ['claim', 'liveness', 'election', 'lease', 'vip', 'retry-backoff', 'member', 'admission'],
  'shared/network': ['plan'],
  'shared/switch': [
    ...['held-lease', 'execute', 'verify', 'switch-vip', 'run-epoch'],
    ...['execute-waits', 'run-epoch-record', 'verify-again'],
  ],
  'shared/controller': [
    'next-action',
    'handle-claim',
    'handle-claim-held',
    'handle-claim-scope',
    'prefetch',
    'reconcile',
  ],
  'shared/forced-failover': ['execute'],
  'shared/rate-limit': ['shared-bucket', 'prefetch-memory'],
  properties: ['merge', 'plan', 'boundaries', 'release', 'order'],
};

/** Without `.test.ts`, from `test/`. */
export const suites = Object.entries(rooms).flatMap(([room, names]) =>
  names.map((name) => `${room}/${name}`),
);

const texts = new Map<string, Promise<string>>();

/** As it was when the run first asked: someone may be writing while it lasts. */
export function textOf(path: string): Promise<string> {
  const known = texts.get(path) ?? readFile(path, 'utf8');
  texts.set(path, known);
  return known;
}

/** Suites whose name is the mutated file's or begins with it, then the others. */
function inOrder(file: string | undefined): readonly string[] {
  const name = file === undefined ? undefined : basename(file, '.ts');
  const isOwn = (suite: string) => name !== undefined && `${basename(suite)}-`.startsWith(`${name}-`);
  return [...suites.filter(isOwn), ...suites.filter((suite) => !isOwn(suite))];
}

/** `suite:x` is a module that says: the cases from here on are x's. */
const entryOf = (file: string | undefined): string =>
  [
    ...inOrder(file).flatMap((suite) => [`import 'suite:${suite}';`, `import './test/${suite}.test.ts';`]),
    "export { allCases } from './test/mutation/stand-in.ts';",
    "export { judgeByHistories } from './test/mutation/histories.ts';",
  ].join('\n');

export interface Bundler extends AsyncDisposable {
  readonly file: string | undefined;
  /** The text of a module; throws what esbuild says when the mutant is not a program. */
  bundle(mutant: Mutant | undefined): Promise<string>;
}

/** For the mutants of one file, one at a time: what is the same each time is read once. */
export async function bundlerOf(file: string | undefined): Promise<Bundler> {
  let inside: Mutant | undefined;
  const plugin: Plugin = {
    name: 'mutant',
    setup(build) {
      build.onLoad({ filter: /\/(shared|test)\/.*\.(ts|json)$/ }, async ({ path }) => {
        const text = await textOf(path);
        const isMutated = inside !== undefined && path === top + inside.file;
        return {
          contents: isMutated ? mutated(text, inside!) : text,
          loader: path.endsWith('.ts') ? 'ts' : 'json',
        };
      });
      build.onResolve({ filter: /^suite:/ }, ({ path }) => ({ path: path.slice(6), namespace: 'suite' }));
      build.onLoad({ filter: /.*/, namespace: 'suite' }, ({ path }) => ({
        contents: `import { beginSuite } from './test/mutation/stand-in.ts'; beginSuite('${path}');`,
        resolveDir: top,
      }));
    },
  };
  const made = await context({
    stdin: { contents: entryOf(file), resolveDir: top, loader: 'ts' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'silent',
    alias: { vitest: `${top}test/mutation/stand-in.ts` },
    plugins: [plugin],
  });
  return {
    file,
    async bundle(mutant) {
      inside = mutant;
      return (await made.rebuild()).outputFiles![0]!.text;
    },
    [Symbol.asyncDispose]: () => made.dispose(),
  };
}
