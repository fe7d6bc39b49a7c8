/** A planned stop of the master, the address on both nodes: the old one serves until the last route has moved. */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const cleanStop: Scenario = {
  name: 'clean-stop',
  says: 'the master is stopped as planned, hold both: no new connection is refused or lost',
  hold: 'both',
  asks: 'vip',
  ends: {
    owner: 'b',
    longestOutageMs: 500,
    failedConnections: 0,
    splitBrain: 'never',
    settlesWithinMs: 15_000,
  },
  async run(context) {
    context.fault();
    await context.nodes.a.stop('keepalived');
  },
};
