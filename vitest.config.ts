import { defineConfig } from 'vitest/config';
import { globs, type Kind, kinds } from './test/kinds.ts';

const withLocalAws: readonly Kind[] = ['aws', 'nodes', 'long'];

export default defineConfig({
  test: {
    projects: kinds.map((kind) => ({
      extends: true as const,
      test: {
        name: kind,
        include: [...globs[kind].include],
        exclude: [...globs[kind].exclude],
        globalSetup: withLocalAws.includes(kind) ? ['test/lab/make-python.ts'] : [],
      },
    })),
    // A process per file: a suite that starts servers must not share environment variables or signal handlers with another.
    pool: 'forks',
    // Two suites that each run a local AWS fill two cores; more would only make timings false.
    maxWorkers: 2,
    // A whole failover on the local AWS takes under a second; these bounds are for a machine that is busy with something else.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    // Left alone, a suite with a wrong path would pass with nothing in it.
    passWithNoTests: false,
    allowOnly: false,
  },
});
