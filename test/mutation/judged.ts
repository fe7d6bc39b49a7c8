// Everything that a mutant of the protocol's core has to get past: bundled anew for each, with the mutant inside.
import '../claim.test.ts';
import '../silent.test.ts';
import '../election.test.ts';
import '../lease.test.ts';
import '../grip.test.ts';
import '../plan.test.ts';
import '../vip.test.ts';
import '../apply.test.ts';
import '../hold.test.ts';
import '../verify.test.ts';
import '../switch.test.ts';
import '../tried.test.ts';
import '../failover.test.ts';
import '../failover-held.test.ts';
import '../failover-scope.test.ts';
import '../reconcile.test.ts';
import '../properties/merge.test.ts';
import '../properties/plan.test.ts';
import '../properties/boundaries.test.ts';
import '../properties/release.test.ts';
import seeds from '../sim/controls-seeds.json' with { type: 'json' };
import { storyOf } from '../sim/generator.ts';
import { violationsIn } from '../sim/run.ts';
import type { Story } from '../sim/story.ts';

export { allCases } from './stand-in.ts';

const AT_RANDOM = 25;

/** The seeds that caught the negative controls first: they meet what the rules are for. */
export async function judgeByHistories(): Promise<string | undefined> {
  const all = [...new Set(Object.values(seeds)), ...Array.from({ length: AT_RANDOM }, (_, n) => 500_000 + n)];
  for (const seed of all) {
    const story: Story = storyOf(seed);
    const [violation] = await violationsIn(story);
    if (violation !== undefined)
      return `history ${seed}: ${violation.guarantee}: ${violation.what.slice(0, 120)}`;
  }
  return undefined;
}
