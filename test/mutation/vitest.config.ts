// What a mutant has to get past: the unit suites of the rooms below shared/aws, the properties, then histories.
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { globs } from '../kinds.ts';

/**
 * What failed last comes first, since neighbouring mutants die of the same suite; then the quick ones. The histories take
 * longer than all others together.
 */
class LikelyAndCheapFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const cost = (file: TestSpecification): number => {
      if (file.moduleId.endsWith('.mutation.ts')) return Number.POSITIVE_INFINITY;
      const last = this.ctx.cache.getTestSpecificationResult(file);
      return last?.failed === true ? -1 : (last?.duration ?? 0);
    };
    return files.toSorted((a, b) => cost(a) - cost(b));
  }
}

export default defineConfig({
  root: join(import.meta.dirname, '..', '..'),
  test: {
    include: [
      'test/shared/{controller,forced-failover,network,rate-limit,switch,timeline,vip}/*.test.ts',
      'test/properties/*.test.ts',
      'test/mutation/histories.mutation.ts',
    ],
    exclude: [...globs.unit.exclude],
    sequence: { sequencer: LikelyAndCheapFirst },
    // One worker for all files of a mutant: starting one for each costs more than most suites.
    isolate: false,
    // StrykerJS copies the project for each run, and kept modules of a copy are of no use to the next.
    fsModuleCache: false,
    // Counting what each test covers slows down a loop over every character of a large text.
    testTimeout: 600_000,
    passWithNoTests: false,
  },
});
