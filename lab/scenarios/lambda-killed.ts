/**
 * The function dies in the middle of its switch: one route is moved, the other requests reach no one. The lease runs out, and
 * the next claim or the reconcile finishes the work and closes the epoch as abandoned.
 */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const lambdaKilled: Scenario = {
  name: 'lambda-killed',
  says: 'the function is killed after its first route: another finishes, and the record says abandoned',
  hold: 'both',
  asks: 'vip',
  ends: {
    owner: 'b',
    longestOutageMs: 80_000,
    splitBrain: 'never',
    outcomes: ['abandoned', 'switched', 'unchanged', 'superseded'],
    records: 'abandoned',
    settlesWithinMs: 80_000,
  },
  async run(context) {
    const { cloud } = context;
    const open = cloud.ec2.gate;
    let passed = 0;
    const killed = new Promise<void>((resolve, reject) => {
      cloud.ec2.gate = async (exchange) => {
        if (exchange.action !== 'ReplaceRoute' && exchange.action !== 'AssociateAddress') return 'pass';
        passed += 1;
        if (passed === 1) return 'pass';
        // Only then: the caller is found by this very connection.
        if (passed === 2) await cloud.killCaller(exchange).then(resolve, reject);
        return 'drop';
      };
    });
    await context.hostDies('a');
    await killed;
    cloud.ec2.gate = open;
  },
};
