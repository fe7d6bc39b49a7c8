// A test file's name says what it starts, so that `npm run test:fast` starts no server of AWS and asks for no program that is not installed.
//
// Limit: what a test starts is told by what it imports (itself or through other files of test/) and by the programs that it names.
import { type Node, type Source, targetOf, treeOf, walk } from './sources.ts';

type Needs = 'unit' | 'aws' | 'nodes';

/** Importing one of these names (any, where there is none) for its value means to use it. */
const starters: readonly { readonly file: string; readonly name?: string; readonly needs: Needs }[] = [
  { file: 'lab/aws/local-aws.ts', name: 'startLocalAws', needs: 'aws' },
  { file: 'lab/aws/stack/stack.ts', name: 'startStack', needs: 'aws' },
  // Its Python environment is made beside that of the local AWS.
  { file: 'test/deploy/support/cfn-lint.ts', needs: 'aws' },
  { file: 'test/deploy/support/handlers.ts', needs: 'aws' },
  { file: 'test/docs/aws-cli.ts', needs: 'aws' },
  { file: 'lab/shim/node.ts', needs: 'nodes' },
  { file: 'lab/booted/booted-machine.ts', name: 'BootedMachine', needs: 'nodes' },
];

/** What runs in a namespace, on a node, or as one. */
const programs = [
  /\b(?:spawn|spawnSync|execFile|execFileSync|run)\(\s*'(?:unshare|setpriv|keepalived)'/,
  /'on[-]node'/,
  /\[program, '--[l]ocal'/,
];

const endings: readonly (readonly [RegExp, Needs])[] = [
  [/\.netns\.test\.ts$/, 'nodes'],
  [/\.aws\.test\.ts$/, 'aws'],
  [/\.test\.ts$/, 'unit'],
];

const wanted: Readonly<Record<Needs, string>> = {
  unit: '.test.ts without .aws or .netns: it starts neither',
  aws: '.aws.test.ts: it starts the local AWS',
  nodes: '.netns.test.ts: it starts nodes, namespaces or what runs there',
};

/** Complaints about the names of all test files among `sources`. */
export function kindComplaints(sources: readonly Source[]): readonly string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  return sources.flatMap((source) => {
    const named = endings.find(([ending]) => ending.test(source.path))?.[1];
    if (named === undefined) return [];
    const needs = needsOf(source, byPath);
    if (needs !== 'unit' && source.path.startsWith('test/sim/'))
      return [`${source.path} starts more than the simulation, expected it outside test/sim`];
    return needs === named ? [] : [`${source.path} is named wrongly, expected ${wanted[needs]}`];
  });
}

function needsOf(source: Source, byPath: ReadonlyMap<string, Source>): Needs {
  const seen = new Set([source]);
  const needs = new Set<Needs>();
  for (const one of seen) {
    if (programs.some((program) => program.test(one.text))) needs.add('nodes');
    for (const { target, names } of valueImportsOf(one)) {
      const starter = starters.find(
        ({ file, name }) => file === target && (name === undefined || names.includes(name)),
      );
      if (starter !== undefined) needs.add(starter.needs);
      const next = byPath.get(target);
      if (next?.path.startsWith('test/')) seen.add(next);
    }
  }
  return needs.has('nodes') ? 'nodes' : needs.has('aws') ? 'aws' : 'unit';
}

interface ValueImport {
  readonly target: string;
  readonly names: readonly string[];
}

function valueImportsOf(source: Source): readonly ValueImport[] {
  const found: ValueImport[] = [];
  walk(treeOf(source), (node) => {
    if (node.type !== 'ImportDeclaration' && node.type !== 'ExportNamedDeclaration') return;
    const from = node.source as Node | null;
    if (from === null || node.importKind === 'type' || node.exportKind === 'type') return;
    const target = targetOf(source.path, String(from.value));
    const names = (node.specifiers as readonly Node[])
      .filter((specifier) => specifier.importKind !== 'type' && specifier.exportKind !== 'type')
      .map((specifier) => String((specifier.imported as Node | undefined)?.name));
    if (target !== undefined && (names.length > 0 || (node.specifiers as readonly Node[]).length === 0))
      found.push({ target, names });
  });
  return found;
}
