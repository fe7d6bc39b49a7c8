/** Both nodes are spot instances, and AWS takes both, within a second: neither has anyone to leave to, and one of them serves to its end. */
import type { Hold } from '../../netns/node/keepalived.ts';
import type { Scenario } from '../../netns/scenario/scenario.ts';
import { hasLeft, warn } from './warn.ts';

const APART_MS = 500;
const END = { owner: 'master', splitBrain: 'never', settlesWithinMs: 20_000 } as const;

const bothWarnedWith = (hold: Hold): Pick<Scenario, 'hold' | 'asks' | 'run'> => ({
  hold,
  asks: 'vip',
  async run(context) {
    await warn(context, 'a');
    await context.pause(APART_MS);
    await warn(context, 'b');
    await Promise.all([hasLeft(context, 'a'), hasLeft(context, 'b')]);
  },
});

export const bothWarned: Scenario = {
  name: 'both-warned',
  says: 'AWS warns both nodes within a second, hold both: no new connection is refused or lost',
  ...bothWarnedWith('both'),
  ends: { ...END, longestOutageMs: 500, failedConnections: 0 },
};

export const bothWarnedHoldMaster: Scenario = {
  name: 'both-warned-hold-master',
  says: 'AWS warns both nodes within a second, hold master: one of them is the server again',
  ...bothWarnedWith('master'),
  ends: { ...END, longestOutageMs: 6_000 },
};
