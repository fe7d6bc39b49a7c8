/**
 * For a moment the backup does not hear the master, takes the VIP and falls back. The real master never noticed and says
 * nothing; only the backup's own BACKUP shows that the VIP belongs back.
 */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const transientMaster: Scenario = {
  name: 'transient-master',
  says: 'the backup steals the VIP for an instant and falls back: the VIP returns to the master, which says nothing',
  hold: 'master',
  asks: 'vip',
  ends: { owner: 'a', longestOutageMs: 2_000, splitBrain: 'never', settlesWithinMs: 15_000 },
  async run(context) {
    context.fault();
    const stolen = context.nodes.b.entered('MASTER');
    const heal = await context.router.muffle('a');
    await stolen;
    const fellBack = context.nodes.b.entered('BACKUP');
    context.fault();
    await heal();
    await fellBack;
  },
};
