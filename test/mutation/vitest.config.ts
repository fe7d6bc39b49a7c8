// What a mutant has to get past: the unit suites of the rooms below shared/aws, the properties, then histories.
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type Reporter, type TestSpecification } from 'vitest/node';
import { globs } from '../kinds.ts';

/** How long a file takes, and which were the last to kill, by path. */
const durations = new Map<string, number>();
let killers: readonly string[] = [];
const KILLERS_MAX = 3;

const noting: Reporter = {
  onTestModuleEnd(file) {
    const hasFailed = [...file.children.allTests()].some((one) => one.result().state === 'failed');
    if (hasFailed)
      killers = [file.moduleId, ...killers.filter((id) => id !== file.moduleId)].slice(0, KILLERS_MAX);
    else if (file.state() === 'passed' && !durations.has(file.moduleId))
      durations.set(file.moduleId, file.diagnostic().duration);
  },
};

/**
 * What killed last comes first, since neighbouring mutants die of the same suite; then the quick ones. The histories take longer
 * than all others together.
 */
class LikelyAndCheapFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const cost = ({ moduleId }: TestSpecification): number => {
      if (moduleId.endsWith('.mutation.ts')) return Number.POSITIVE_INFINITY;
      const place = killers.indexOf(moduleId);
      return place === -1 ? (durations.get(moduleId) ?? 0) : place - KILLERS_MAX;
    };
    return files.toSorted((a, b) => cost(a) - cost(b));
  }
}

export default defineConfig({
  root: join(import.meta.dirname, '..', '..'),
  test: {
    include: [
      'test/shared/{controller,forced-failover,network,rate-limit,switch,timeline,vip}/**/*.test.ts',
      'test/properties/*.test.ts',
      'test/mutation/histories.mutation.ts',
    ],
    exclude: [...globs.unit.exclude],
    sequence: { sequencer: LikelyAndCheapFirst },
    reporters: [noting],
    // One worker for all files of a mutant: starting one for each costs more than most suites.
    isolate: false,
    setupFiles: ['test/mutation/stop-at-first.ts'],
    // StrykerJS copies the project for each run, and kept modules of a copy are of no use to the next.
    fsModuleCache: false,
    // Counting what each test covers slows down a loop over every character of a large text.
    testTimeout: 600_000,
    passWithNoTests: false,
  },
});
