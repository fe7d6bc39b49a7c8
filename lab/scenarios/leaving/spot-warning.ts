/** AWS takes a spot instance back, with two minutes' notice: the node leaves by itself, and the VIP is gone from it long before it ends. */
import type { Hold } from '../../netns/node/keepalived.ts';
import type { Scenario } from '../../netns/scenario/scenario.ts';
import { hasLeft, warn } from './warn.ts';

const END = { owner: 'b', splitBrain: 'never', settlesWithinMs: 20_000 } as const;

const spotWarningWith = (hold: Hold): Pick<Scenario, 'hold' | 'asks' | 'run'> => ({
  hold,
  asks: 'vip',
  async run(context) {
    const gave = context.nodes.a.entered('FAULT', 30_000);
    await warn(context, 'a');
    await hasLeft(context, 'a');
    await gave;
  },
});

export const spotWarning: Scenario = {
  name: 'spot-warning',
  says: 'AWS warns the master that it ends, hold both: no new connection is refused or lost',
  ...spotWarningWith('both'),
  ends: { ...END, longestOutageMs: 500, failedConnections: 0 },
};

export const spotWarningHoldMaster: Scenario = {
  name: 'spot-warning-hold-master',
  says: 'AWS warns the master that it ends, hold master: the gap is that of a planned stop',
  ...spotWarningWith('master'),
  ends: { ...END, longestOutageMs: 2_000 },
};
