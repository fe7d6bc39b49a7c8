/** Both nodes are gone and come back. Neither serves meanwhile; the VIP must not be lost, and the first master gets it. */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const bothDownThenUp: Scenario = {
  name: 'both-down-then-up',
  says: 'both nodes die and come back: the VIP stays where it was and serves again',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'a', longestOutageMs: 8_000, splitBrain: 'never', settlesWithinMs: 15_000 },
  async run(context) {
    await Promise.all([context.hostDies('a'), context.hostDies('b')]);
    await context.pause(2_000);
    context.fault();
    const up = context.nodes.a.entered('MASTER', 10_000);
    await Promise.all([context.boot('a'), context.boot('b')]);
    await up;
  },
};
