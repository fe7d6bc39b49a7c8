/** AWS warns the only node that can have the VIP: it leaves to no one, is the master again, and people are told at once. */
import type { Scenario } from '../../netns/scenario/scenario.ts';
import { hasLeft, warn } from './warn.ts';

export const lastWarned: Scenario = {
  name: 'last-warned',
  says: 'AWS warns the last eligible node, hold both: it serves on, and people are told',
  hold: 'both',
  asks: 'vip',
  ends: {
    owner: 'a',
    longestOutageMs: 500,
    failedConnections: 0,
    splitBrain: 'never',
    settlesWithinMs: 20_000,
  },
  async run(context) {
    const { cloud, nodes } = context;
    const failed = nodes.b.entered('FAULT');
    await nodes.b.setDemoteFile('down');
    await failed;
    const isHeard = async () => (await cloud.vip()).claims[nodes.b.instanceId]?.state === 'FAULT';
    await context.until('the record to know that b has failed', isHeard, 20_000);
    const again = nodes.a.entered('FAULT', 30_000).then(() => nodes.a.entered('MASTER', 30_000));
    await warn(context, 'a');
    await again;
    await hasLeft(context, 'a');
    const isTold = async () => (await cloud.vip()).strandedTold?.[nodes.a.instanceId] !== undefined;
    await context.until('people to be told that a has to keep the VIP', isTold, 20_000);
  },
};
