/**
 * keepalived is killed with SIGKILL, parent and child: it says nothing and leaves its address behind. The node still serves,
 * so with the address on both nodes hardly a connection should notice.
 */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const keepalivedKilled: Scenario = {
  name: 'keepalived-killed',
  says: 'keepalived dies without a word while its node goes on serving: the VIP moves all the same',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'b', longestOutageMs: 500, splitBrain: 'never', settlesWithinMs: 15_000 },
  async run(context) {
    context.fault();
    await context.nodes.a.strikeAll('keepalived');
  },
};
