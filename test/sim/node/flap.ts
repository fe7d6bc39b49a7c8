// A node whose keepalived changes its state again and again: MASTER and BACKUP, or MASTER and FAULT, of one of its VIPs or of all. The
// other nodes hear its adverts and answer in kind, or hear nothing of it.
import type { Act } from '../history/history.ts';
import { struck, type World } from '../world/world.ts';
import { say } from './machine.ts';
import { settleLater } from './vrrp.ts';

/** The longest that VRRP takes to settle after the last change. */
const SETTLED_MS = 5000;

export function flap(
  world: World,
  { node, vips, everyMs, times, between, isHeard }: Act & { does: 'flaps' },
): void {
  const { road, sched } = world;
  const machine = world.machines[node]!;
  struck(world, 'flaps', sched.now() + everyMs * times + SETTLED_MS);
  const turn = (n: number): void => {
    for (const vip of vips) {
      const of = machine.instances[vip]!;
      const group = world.groups[vip]!;
      if (machine.alive && machine.running && !machine.failing && of.state !== 'DELETED') {
        // At the end it stands by, and VRRP decides.
        const isLast = n + 1 >= times;
        say(machine, road, of, of.state === 'MASTER' || isLast ? (isLast ? 'BACKUP' : between) : 'MASTER');
      }
      if (isHeard || n + 1 >= times) settleLater(group, road);
    }
    if (n + 1 < times) sched.after(everyMs, () => turn(n + 1));
  };
  turn(0);
}
