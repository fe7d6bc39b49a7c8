/** An operator empties the master under load, does the work, and takes the drain back. */
import type { Hold } from '../../netns/node/keepalived.ts';
import type { Scenario } from '../../netns/scenario/scenario.ts';
import { vipshift } from './warn.ts';

const drainAndBack = (hold: Hold): Pick<Scenario, 'hold' | 'asks' | 'run'> => ({
  hold,
  asks: 'vip',
  async run(context) {
    const { cloud, nodes } = context;
    context.fault();
    await vipshift(cloud, 'drain', nodes.a.instanceId, '--for', '1h', '--reason', 'kernel update', '--yes');
    const { owner } = await cloud.vip();
    if (owner !== nodes.b.instanceId)
      throw new Error(`drain has ended, and ${owner} owns the VIP, expected node b`);
    await context.calm('b', 20_000);
    await vipshift(cloud, 'undrain', nodes.a.instanceId, '--reason', 'the update is done', '--yes');
  },
});

export const drainUndrain: Scenario = {
  name: 'drain-undrain',
  says: 'the master is drained and undrained, hold both: there and back without a lost connection',
  ...drainAndBack('both'),
  ends: {
    owner: 'a',
    longestOutageMs: 500,
    failedConnections: 0,
    splitBrain: 'never',
    settlesWithinMs: 20_000,
  },
};

export const drainUndrainHoldMaster: Scenario = {
  name: 'drain-undrain-hold-master',
  says: 'the master is drained and undrained, hold master: keepalived gives the VIP away, and it stays there',
  ...drainAndBack('master'),
  ends: { owner: 'b', longestOutageMs: 2_000, splitBrain: 'never', settlesWithinMs: 20_000 },
};
