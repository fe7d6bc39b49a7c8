/** A client on the Internet asks the Elastic IP, which moves along with the VIP to the new master's EIP ENI. */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const eipClient: Scenario = {
  name: 'eip-client',
  says: 'the host of the master dies: a client of the Elastic IP reaches the backup',
  hold: 'both',
  asks: 'eip',
  ends: { owner: 'b', longestOutageMs: 2_000, splitBrain: 'never', settlesWithinMs: 15_000 },
  async run(context) {
    await context.hostDies('a');
  },
};
