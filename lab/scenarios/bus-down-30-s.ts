/** The event bus is down for half a minute, and the master dies in it: the claim must survive and count as fresh. */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const busDown30s: Scenario = {
  name: 'bus-down-30-s',
  says: 'the event bus is down for 30 s in which the master dies: the claim is retried until it gets through',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'b', longestOutageMs: 38_000, splitBrain: 'never', settlesWithinMs: 20_000 },
  async run(context) {
    const { bus } = context.cloud;
    const open = bus.gate;
    bus.gate = (exchange) =>
      exchange.action === 'PutEvents'
        ? { status: 500, body: '{"__type":"InternalException","message":"the lab has shut the bus down"}' }
        : 'pass';
    const taken = context.nodes.b.entered('MASTER');
    await context.hostDies('a');
    await taken;
    await context.pause(30_000);
    bus.gate = open;
  },
};
