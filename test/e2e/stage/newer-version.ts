// The version after this one, as it may be: the same sources with a few places changed. It writes a newer schema and what this version
// does not know, on the item and within a claim, and speaks the next version of the event.
//
// Invariant: a place that is not found exactly once fails the build of it: then the source has changed, and this with it.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../../../shared/aws/events/claim-event.ts';
import { SCHEMA } from '../../../shared/vip/vip.ts';

const root = join(import.meta.dirname, '..', '..', '..');

interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const NEWER_SCHEMA = SCHEMA + 1;
export const NEWER_EVENT = VERSION + 1;

const changes: readonly Change[] = [
  {
    file: 'shared/vip/vip.ts',
    from: `export const SCHEMA = ${SCHEMA};`,
    to: `export const SCHEMA = ${NEWER_SCHEMA};`,
  },
  {
    file: 'shared/aws/events/claim-event.ts',
    from: `export const VERSION = ${VERSION};`,
    to: `export const VERSION = ${NEWER_EVENT};`,
  },
  {
    // Every compare-and-set of an item raises its schema and counts in an attribute of its own.
    file: 'shared/aws/dynamodb/vip-store.ts',
    from: '  differences(update, before, after);\n',
    to: `  differences(update, before, after);
  if (before !== undefined) {
    update.set(update.path('schema'), update.value(${NEWER_SCHEMA}));
    update.set(update.path('novelty'), update.value({ writtenAtRev: before.rev + 1, list: ['x', { y: 1 }] }));
  }
`,
  },
  {
    // The claim of a new transition has one field more.
    file: 'shared/aws/dynamodb/vip-store.ts',
    from: '    update.set(claim, update.value(nodeState));\n',
    to: "    update.set(claim, update.value({ ...nodeState, noveltyOfClaim: 'z' }));\n",
  },
  {
    file: 'shared/aws/lambda/reconcile-invocation.ts',
    from: 'left: left.length }',
    to: "left: left.length, version: 'newer' }",
  },
];

export interface NewerVersion {
  readonly functionsFolder: string;
  remove(): void;
}

export function newerVersion(): NewerVersion {
  const parent = join(root, '.lab');
  mkdirSync(parent, { recursive: true });
  // Within the repository, so that the packages are found.
  const home = mkdtempSync(join(parent, 'newer-'));
  for (const part of ['shared', 'functions', 'events'])
    cpSync(join(root, part), join(home, part), { recursive: true });
  for (const { file, from, to } of changes) {
    const path = join(home, file);
    const parts = readFileSync(path, 'utf8').split(from);
    if (parts.length !== 2)
      throw new Error(`${file} has ${JSON.stringify(from)} ${parts.length - 1} times, expected once`);
    writeFileSync(path, parts.join(to));
  }
  return {
    functionsFolder: join(home, 'functions'),
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
