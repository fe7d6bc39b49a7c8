import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { searchPath } from './lab/machine/machine.ts';
import { globs, type Kind, kinds, notFast } from './test/kinds.ts';
import { makeRunFolder } from './test/run/run-folder.ts';
import { LongestFirst } from './test/sequencer.ts';

// Inherited by the workers and by every program of ours that they start: most of a start is compiling the SDK.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '.lab', 'cache', 'node');
// As the step before the tests has looked for the programs.
process.env.PATH = searchPath(process.env.PATH);
// Whatever ends this run, nothing of it stays.
process.env.TMPDIR = makeRunFolder();

const sharesWorkers: readonly Kind[] = ['unit', 'aws'];
const withLocalAws: readonly Kind[] = ['aws', 'nodes', 'long'];

export default defineConfig(({ mode }) => ({
  test: {
    projects: kinds.map((kind) => ({
      extends: true as const,
      test: {
        name: kind,
        include: [...globs[kind].include],
        exclude: [...globs[kind].exclude, ...(mode === 'fast' ? notFast : [])],
        // What it imports, the SDK above all, is compiled and run once a worker and not once a file: a third of the unit suites' CPU. They put back
        // what they change of their process, and stop what they started.
        isolate: !sharesWorkers.includes(kind),
        globalSetup: withLocalAws.includes(kind) ? ['test/lab/prepare-emulators.ts'] : [],
      },
    })),
    // A process per file, but for the unit tests: a suite that starts servers must not share environment variables or signal handlers with another.
    pool: 'forks',
    // More than there are cores: half of what the suites of the local AWS and of the nodes take is waiting, for a lease that runs out, a node
    // that goes silent, a period of the shim.
    maxWorkers: availableParallelism() + 3,
    sequence: { sequencer: LongestFirst },
    // A whole failover on the local AWS takes under a second; these bounds are for a machine that is busy with something else.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    // Left alone, a suite with a wrong path would pass with nothing in it.
    passWithNoTests: false,
    allowOnly: false,
  },
}));
