/**
 * For a moment the backup does not hear the master, takes the VIP and falls back. The real master never noticed and says
 * nothing; only the backup's own BACKUP tells that the VIP belongs back.
 */
import type { Scenario } from '../netns/scenario/scenario.ts';

export const transientMaster: Scenario = {
  name: 'transient-master',
  says: 'the backup steals the VIP for an instant and falls back: the VIP returns to the master, which says nothing',
  hold: 'master',
  asks: 'vip',
  ends: { owner: 'a', longestOutageMs: 2_000, splitBrain: 'never', settlesWithinMs: 15_000 },
  async play(stage) {
    stage.fault();
    const stolen = stage.nodes.b.entered('MASTER');
    const mend = await stage.router.muffle('a');
    await stolen;
    const fellBack = stage.nodes.b.entered('BACKUP');
    stage.fault();
    await mend();
    await fellBack;
  },
};
