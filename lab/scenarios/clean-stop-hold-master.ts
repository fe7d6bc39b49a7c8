/** The same with the address on the master only: it is gone from the old node before the routes have moved. */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const cleanStopHoldMaster: Scenario = {
  name: 'clean-stop-hold-master',
  says: 'the master is stopped as planned, hold master: the gap is the way of one claim',
  hold: 'master',
  asks: 'vip',
  ends: { owner: 'b', longestOutageMs: 2_000, splitBrain: 'never', settlesWithinMs: 15_000 },
  async run(context) {
    context.fault();
    await context.nodes.a.stop('keepalived');
  },
};
