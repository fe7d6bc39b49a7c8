// What kinds of tests there are, and how a file's name says its kind. vitest.config.ts makes a project of each; test/architecture/kinds.ts
// holds the names against what the files start.
//
//   x.test.ts          unit    no server but its own, nothing to install beyond Node
//   test/sim/**        sim     histories of the simulation
//   test/bench/**      bench   what measures its own memory: a process per file, which the unit tests do without
//   x.aws.test.ts      aws     the local AWS
//   x.netns.test.ts    nodes   the shim, keepalived, network namespaces, or a program that runs on a node
//   x.long.….test.ts   long    any of these, where it takes half a minute or more and is not what a change usually breaks:
//                                  the live harness, whole deployments, what is enumerated to the end. `npm run test:long`
export const kinds = ['unit', 'sim', 'bench', 'aws', 'nodes', 'long'] as const;
export type Kind = (typeof kinds)[number];

interface Globs {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

const long = ['test/**/*.long.test.ts', 'test/**/*.long.*.test.ts'];

export const globs: Readonly<Record<Kind, Globs>> = {
  unit: {
    include: ['test/**/*.test.ts'],
    exclude: [...long, 'test/**/*.aws.test.ts', 'test/**/*.netns.test.ts', 'test/sim/**', 'test/bench/**'],
  },
  sim: { include: ['test/sim/**/*.test.ts'], exclude: long },
  bench: { include: ['test/bench/**/*.test.ts'], exclude: long },
  aws: { include: ['test/**/*.aws.test.ts'], exclude: long },
  nodes: { include: ['test/**/*.netns.test.ts'], exclude: long },
  long: { include: long, exclude: [] },
};

/** Left out by `npm run test:fast`: what computes for long by its nature. `npm test` runs it. */
export const notFast = [
  // It packages the service, or asks hundreds of questions of its policies.
  'test/deploy/**',
  'test/fuzz/**',
  'test/release/**',
  'test/shared/timeline/fit.test.ts',
  'test/sim/controls/**',
  'test/sim/histories.test.ts',
  'test/sim/regressions/**',
  'test/sim/storm/**',
] as const;
