/** In the instant of the failover the new master cannot reach AWS: its claim waits in the spool and goes out when it can. */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const networkDownAtFailover: Scenario = {
  name: 'network-down-at-failover',
  says: 'the new master cannot reach AWS for 3 s: its claim waits in the spool and arrives in the end',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'b', longestOutageMs: 9_000, splitBrain: 'never', settlesWithinMs: 20_000 },
  async run(context) {
    const heal = await context.router.cutFromAws('b');
    const taken = context.nodes.b.entered('MASTER');
    await context.hostDies('a');
    await taken;
    await context.pause(3_000);
    await heal();
  },
};
