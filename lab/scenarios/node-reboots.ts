/** The master reboots: it comes back with a new boot id and an uptime that starts over, and is not to take the VIP back. */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const nodeReboots: Scenario = {
  name: 'node-reboots',
  says: 'the master reboots: the backup takes over and keeps the VIP when the old master is back',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'b', longestOutageMs: 2_000, splitBrain: 'never', settlesWithinMs: 15_000 },
  async run(context) {
    await context.hostDies('a');
    await context.pause(1_500);
    await context.boot('a');
    await context.pause(2_000);
  },
};
