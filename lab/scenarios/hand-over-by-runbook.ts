/**
 * An operator moves the VIP through keepalived: the deployed workflow has the SSM document demote the master by its tracked file, waits
 * for the other node's claim, verifies, and releases the demoted one, which then stands by (nopreempt).
 */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const handOverByRunbook: Scenario = {
  name: 'hand-over-by-runbook',
  says: 'the runbook hands over via keepalived and releases the old master: no new connection is refused or lost',
  hold: 'both',
  asks: 'vip',
  ends: {
    owner: 'b',
    longestOutageMs: 500,
    failedConnections: 0,
    splitBrain: 'never',
    settlesWithinMs: 15_000,
  },
  async run(context) {
    const { cloud, nodes } = context;
    const demoted = nodes.a.entered('FAULT', 60_000).then((line) => {
      context.fault();
      return line;
    });
    const released = demoted.then(() => nodes.a.entered('BACKUP', 60_000));
    const taken = nodes.b.entered('MASTER', 60_000);
    const order = { to: nodes.b.instanceId, mode: 'via-keepalived', reason: 'patching a', release: 'now' };
    const [end] = await Promise.all([cloud.order(order), demoted, released, taken]);
    if (end.status !== 'SUCCEEDED') throw new Error(`the order ended ${end.status}: ${end.cause}`);
    const wanted = `Released: ${nodes.a.instanceId} stands by again`;
    if (!end.message.includes(wanted))
      throw new Error(`the message has no line "${wanted}": ${end.message.replaceAll('\n', ' | ')}`);
    if (nodes.a.tracked() !== '0')
      throw new Error(`the tracked file of a has "${nodes.a.tracked()}", expected 0`);
  },
};
