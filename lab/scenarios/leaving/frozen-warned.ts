/**
 * AWS warns the master while an operator has frozen the VIP: keepalived's master moves, the routes do not, and the old node serves. People are
 * told the command that ends the freeze, and with it the routes go.
 */
import type { Scenario } from '../../netns/scenario/scenario.ts';
import { hasLeft, vipshift, warn } from './warn.ts';

export const frozenWarned: Scenario = {
  name: 'frozen-warned',
  says: 'AWS warns the master under a freeze, hold both: it serves on until the unfreeze that people are told',
  hold: 'both',
  asks: 'vip',
  ends: {
    owner: 'b',
    longestOutageMs: 500,
    failedConnections: 0,
    splitBrain: 'never',
    settlesWithinMs: 20_000,
  },
  async run(context) {
    const { cloud, nodes } = context;
    await vipshift(cloud, 'freeze', 'web', '--for', '1h', '--reason', 'work on the network');
    const taken = nodes.b.entered('MASTER', 30_000);
    await warn(context, 'a');
    await taken;
    await hasLeft(context, 'a');
    const isTold = async () => (await cloud.vip()).strandedTold?.[nodes.a.instanceId] !== undefined;
    await context.until('people to be told that a keeps the VIP', isTold, 20_000);
    const { owner } = await cloud.vip();
    if (owner !== nodes.a.instanceId)
      throw new Error(`${owner} owns the frozen VIP, expected node a as before`);
    context.fault();
    await vipshift(cloud, 'unfreeze', 'web', '--reason', 'a is about to end', '--yes');
  },
};
