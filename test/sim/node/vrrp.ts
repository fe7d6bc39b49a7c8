// VRRP, only as far as it decides who says what and when: who becomes MASTER on a death, a partition, a heal. No adverts
// are sent; what they would lead to is scheduled after the time that they would take.
//
// Limit: keepalived's own timing is a uniform delay of 0.05 to 3.5 s.
import { type Instance, type Machine, priorityOf, type Road, say, sayLowerAdvert } from './machine.ts';

export interface Group {
  readonly vip: number;
  readonly machines: readonly Machine[];
  /** Side of the partition by node id; nodes hear each other only on the same side. */
  readonly sides: Map<string, number>;
  readonly preempt: boolean;
  /** Whether masters report lower adverts. */
  adverts: boolean;
  /** When the last election that something has called for will be over. */
  settledAtMs: number;
}

export const instanceOf = (machine: Machine, vip: number): Instance => machine.instances[vip]!;

export const able = (machine: Machine, vip: number): boolean =>
  machine.alive &&
  machine.running &&
  !machine.failing &&
  machine.leaving !== 'pulse' &&
  instanceOf(machine, vip).state !== 'DELETED';

export const isMaster = (machine: Machine, vip: number): boolean =>
  machine.alive && machine.running && instanceOf(machine, vip).state === 'MASTER';

/** Something changed at the group: after the time that VRRP takes to notice, it settles. */
export function settleLater(group: Group, road: Road, withinMs = 3500): void {
  const inMs = road.luck(group.machines[0]!).between(50, withinMs);
  group.settledAtMs = Math.max(group.settledAtMs, road.sched.now() + inMs);
  road.sched.after(inMs, () => settle(group, road));
}

export function settle(group: Group, road: Road): void {
  const { vip } = group;
  const sides = new Set(group.machines.map((m) => group.sides.get(m.id) ?? 0));
  for (const side of sides) {
    const here = group.machines
      .filter((m) => (group.sides.get(m.id) ?? 0) === side && able(m, vip))
      .sort((a, b) => priorityOf(instanceOf(b, vip)) - priorityOf(instanceOf(a, vip)));
    const [top] = here;
    if (top === undefined) continue;
    const masters = here.filter((m) => isMaster(m, vip));
    if (masters.length === 0) become(group, road, top, 'MASTER');
    else if (masters.length > 1) yieldTo(group, road, masters);
    else if (group.preempt && masters[0] !== top) {
      become(group, road, top, 'MASTER');
      yieldTo(group, road, [top, masters[0]!], false);
    }
  }
}

function become(group: Group, road: Road, machine: Machine, state: 'MASTER' | 'BACKUP'): void {
  const instance = instanceOf(machine, group.vip);
  if (instance.state !== state) say(machine, road, instance, state);
}

/** The first stays without a word, unless it says that it heard the others; they step down. */
function yieldTo(group: Group, road: Road, masters: readonly Machine[], adverts = group.adverts): void {
  const [real, ...others] = masters;
  const luck = road.luck(real!);
  if (adverts)
    road.sched.after(luck.between(1, 100), () => sayLowerAdvert(real!, road, instanceOf(real!, group.vip)));
  for (const other of others) {
    const { boot } = other;
    road.sched.after(luck.between(1, 1000), () => {
      const cut = (group.sides.get(other.id) ?? 0) !== (group.sides.get(real!.id) ?? 0);
      if (other.boot !== boot || cut || !isMaster(other, group.vip) || !isMaster(real!, group.vip)) return;
      become(group, road, other, 'BACKUP');
    });
  }
}
