/** The mastership flaps ten times in a few seconds: both nodes are damped, and once that ends the VIP must be where VRRP is. */
import type { Scenario } from '../netns/scenario/scenario.ts';

const FLAPS = 10;

export const flapsTenTimes: Scenario = {
  name: 'flaps-ten-times',
  says: 'mastership flaps ten times within seconds: a minute later the VIP is at the last master',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'a', longestOutageMs: 2_000, splitBrain: 'never', settlesWithinMs: 90_000 },
  async run(context) {
    for (let flap = 0; flap < FLAPS; flap += 1) {
      const [leaves, takes] =
        flap % 2 === 0 ? [context.nodes.a, context.nodes.b] : [context.nodes.b, context.nodes.a];
      const taken = takes.entered('MASTER');
      context.fault();
      await leaves.setDemoteFile('down');
      await taken;
      const back = leaves.entered('BACKUP');
      await leaves.setDemoteFile('up');
      await back;
    }
  },
};
