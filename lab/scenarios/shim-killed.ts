/**
 * The shim is killed with SIGKILL after it has taken keepalived's line and before the bus has its claim: the request hangs at
 * the bus and is never passed on. The restarted shim must send it from its spool.
 */
import { claimsOf } from '../netns/node/claims.ts';
import type { Scenario } from '../netns/scenario/scenario.ts';

export const shimKilled: Scenario = {
  name: 'shim-killed',
  says: 'the shim is killed between the FIFO and the bus: it starts again and sends what it had spooled',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'b', longestOutageMs: 3_000, splitBrain: 'never', settlesWithinMs: 15_000 },
  async run(context) {
    const { bus } = context.cloud;
    const open = bus.gate;
    const { b } = context.nodes;
    const caught = new Promise<void>((resolve) => {
      bus.gate = (exchange) => {
        const speaksOfTaking = claimsOf(exchange).some(
          ({ node, state, kind }) => node === b.instanceId && state === 'MASTER' && kind === 'transition',
        );
        if (!speaksOfTaking) return 'pass';
        resolve();
        return 'hang';
      };
    });
    await context.hostDies('a');
    await caught;
    await b.strikeAll('shim');
    bus.gate = open;
  },
};
