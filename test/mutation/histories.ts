// The histories that a mutant of the protocol's core has to get past after the tests: bundled again with each mutant.
import seeds from '../sim/controls/seeds.json' with { type: 'json' };
import { historyFrom } from '../sim/history/generator.ts';
import type { History } from '../sim/history/history.ts';
import { violationsIn } from '../sim/run.ts';

const AT_RANDOM = 25;

/** The seeds that caught the negative controls first: they meet what the rules are for. */
export async function judgeByHistories(): Promise<string | undefined> {
  const all = [...new Set(Object.values(seeds)), ...Array.from({ length: AT_RANDOM }, (_, n) => 500_000 + n)];
  for (const seed of all) {
    const history: History = historyFrom(seed);
    const [violation] = await violationsIn(history);
    if (violation !== undefined)
      return `history ${seed}: ${violation.guarantee}: ${violation.what.slice(0, 120)}`;
  }
  return undefined;
}
