// The histories that a mutant of the protocol's core has to get past: the seeds that catch the simulation's controls
// meet what the rules are for; some more are drawn at random.
import { test } from 'vitest';
import seeds from '../sim/controls/seeds.json' with { type: 'json' };
import { historyFrom } from '../sim/history/generator.ts';
import { violationsIn } from '../sim/run.ts';

const AT_RANDOM = 25;
const all = [...new Set(Object.values(seeds)), ...Array.from({ length: AT_RANDOM }, (_, n) => 500_000 + n)];

test('histories keep every guarantee', async () => {
  for (const seed of all) {
    const [violation] = await violationsIn(historyFrom(seed));
    if (violation !== undefined)
      throw new Error(`history ${seed}: ${violation.guarantee}: ${violation.what}`);
  }
});
