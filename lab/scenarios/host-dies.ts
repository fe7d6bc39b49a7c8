/** The master's host is gone in one instant: no packet, no last word. The backup's claim alone moves the VIP. */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const hostDies: Scenario = {
  name: 'host-dies',
  says: 'the host of the master dies: the backup takes over, and no split brain is reported',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'b', longestOutageMs: 2_000, splitBrain: 'never', settlesWithinMs: 15_000 },
  async run(context) {
    await context.hostDies('a');
  },
};
