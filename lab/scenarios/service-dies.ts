/**
 * nginx dies on the master. Its unit pulls keepalived's demote file as it ends (ExecStopPost=), so the node goes to FAULT and
 * the backup takes over; until then its kernel refuses every connection.
 */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const serviceDies: Scenario = {
  name: 'service-dies',
  says: 'the service dies on the master: keepalived sees it, and the VIP goes where it still runs',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'b', longestOutageMs: 2_000, splitBrain: 'never', settlesWithinMs: 15_000 },
  async run(context) {
    context.fault();
    await context.nodes.a.strike('KILL', 'nginx');
  },
};
