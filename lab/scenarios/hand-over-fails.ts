/**
 * The target's keepalived hangs when it should take over: no claim comes. The workflow raises the demoted master again, which becomes
 * master as before, and says why it failed. The routes never moved.
 */
import type { Scenario } from '../netns/scenario/scenario.ts';

const CLAIM_WAIT_S = 4;

export const handOverFails: Scenario = {
  name: 'hand-over-fails',
  says: 'the target hangs as the runbook hands over: no claim comes, the old master is raised again, nothing has moved',
  hold: 'both',
  asks: 'vip',
  ends: {
    owner: 'a',
    longestOutageMs: 500,
    failedConnections: 0,
    splitBrain: 'never',
    settlesWithinMs: 15_000,
  },
  async run(context) {
    const { cloud, nodes } = context;
    context.fault();
    await nodes.b.hang('keepalived');
    const demoted = nodes.a.entered('FAULT', 60_000);
    const again = demoted.then(() => nodes.a.entered('MASTER', 60_000));
    const order = {
      ...{ to: nodes.b.instanceId, mode: 'via-keepalived', reason: 'patching a' },
      claimWaitSeconds: CLAIM_WAIT_S,
    };
    const [end] = await Promise.all([cloud.order(order), again]);
    const wanted = `no claim within ${CLAIM_WAIT_S} s`;
    if (end.status !== 'FAILED' || end.cause?.includes(wanted) !== true)
      throw new Error(`the order ended ${end.status}: ${end.cause}, expected FAILED with "${wanted}"`);
    if (nodes.a.tracked() !== '0')
      throw new Error(`the tracked file of a has "${nodes.a.tracked()}", expected 0`);
  },
};
