/** Only keepalived's parent is killed: its child notices, says goodbye (priority 0) and goes. */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const keepalivedParentKilled: Scenario = {
  name: 'keepalived-parent-killed',
  says: "keepalived's parent process dies: its child bids farewell, and the backup takes over at once",
  hold: 'master',
  asks: 'vip',
  ends: { owner: 'b', longestOutageMs: 2_000, splitBrain: 'never', settlesWithinMs: 15_000 },
  async run(context) {
    context.fault();
    await context.nodes.a.strike('KILL', 'keepalived');
  },
};
