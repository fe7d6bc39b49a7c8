/**
 * Only VRRP is cut: both nodes are MASTER. The newer one gets the VIP; when the wire heals it steps down, while the other, which
 * never left MASTER, says nothing: the trap in which a controller that listens to MASTER only stays dark for good.
 */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const partitionHeals: Scenario = {
  name: 'partition-heals',
  says: 'VRRP alone is partitioned and heals: the newer master steps down, and the VIP goes back to the one that never did',
  hold: 'master',
  asks: 'vip',
  ends: { owner: 'a', longestOutageMs: 2_000, splitBrain: 'never', settlesWithinMs: 15_000 },
  async run(context) {
    context.fault();
    const taken = context.nodes.b.entered('MASTER');
    const heal = await context.router.partition();
    await taken;
    await context.settled('b', 15_000);
    await context.pause(1_000);
    const steppedDown = context.nodes.b.entered('BACKUP');
    context.fault();
    await heal();
    await steppedDown;
  },
};
