/** The mastership flaps ten times in a few seconds, faster than the controller follows: it must end where VRRP ends. */
import type { Scenario } from '../netns/scenario/scenario.ts';

const FLAPS = 10;

export const flapsTenTimes: Scenario = {
  name: 'flaps-ten-times',
  says: 'mastership flaps ten times within seconds: the VIP ends at the last master',
  hold: 'both',
  asks: 'vip',
  ends: { owner: 'a', longestOutageMs: 2_000, splitBrain: 'never', settlesWithinMs: 20_000 },
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
