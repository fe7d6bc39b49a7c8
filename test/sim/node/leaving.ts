// A node that AWS is about to take, as notify/ does it (docs/decisions/0045, 0047): a master fails for as long as a takeover needs, and
// has a low priority then; a standby has the low priority at once. The shim ends the pulse also where it was killed in it.
import type { Act } from '../history/history.ts';
import { computeOwners, lookLater, type World } from '../world/world.ts';
import { assertNow, type Machine, say } from './machine.ts';
import { able, isMaster, settleLater } from './vrrp.ts';

/** As long as VRRP takes here, and some more. */
const PULSE_MS = 3600;
const SERVED_WITHIN_MS = 3600;
/** A host that stands still goes on with its pulse. */
const LOOK_EVERY_MS = 1000;

export function leave(world: World, act: Act & { does: 'leaves' | 'stays' }): void {
  const machine = world.machines[act.node]!;
  const { boot } = machine;
  if (act.does === 'stays') stay(world, machine);
  else
    world.sched.after(act.lateMs, () => {
      if (machine.alive && machine.boot === boot && machine.leaving === undefined) begin(world, machine);
    });
}

function begin(world: World, machine: Machine): void {
  const { road } = world;
  const served = world.groups.filter(({ vip }) => isMaster(machine, vip)).map(({ vip }) => vip);
  const one = { node: machine.id, fromMs: world.sched.now(), untilMs: Number.POSITIVE_INFINITY };
  world.leavings.push(one);
  for (const of of machine.instances) of.lowered = true;
  machine.leaving = 'low';
  if (served.length > 0 && machine.running && !machine.failing) {
    machine.leaving = 'pulse';
    for (const of of machine.instances)
      if (of.state === 'MASTER' || of.state === 'BACKUP') say(machine, road, of, 'FAULT');
    const { boot } = machine;
    // Who stayed meanwhile, and leaves again, makes a pulse of its own.
    const isStill = () => machine.boot === boot && world.sched.now() < one.untilMs;
    const end = () => {
      if (isStill()) endPulse(world, machine, end);
    };
    world.sched.after(PULSE_MS, end);
    for (const vip of served) {
      const group = world.groups[vip]!;
      // Whatever happened meanwhile, such as a master that stopped, calls for an election of its own: that comes first.
      const look = () => {
        const leftMs = group.settledAtMs - world.sched.now();
        if (!isStill()) return;
        if (leftMs < 0) lookFor(world, machine, vip);
        else world.sched.after(leftMs + 1, look);
      };
      world.sched.after(PULSE_MS + SERVED_WITHIN_MS, look);
    }
  }
  told(world, machine);
}

function endPulse(world: World, machine: Machine, again: () => void): void {
  if (machine.leaving !== 'pulse') return;
  if (machine.asleep) {
    world.sched.after(LOOK_EVERY_MS, again);
    return;
  }
  if (!machine.alive) return;
  raise(world, machine, 'low');
  told(world, machine);
}

/** keepalived's FAULT ends, as far as it came from the pulse. */
function raise({ road }: World, machine: Machine, leaving: Machine['leaving']): void {
  machine.leaving = leaving;
  for (const of of machine.instances) if (of.state === 'FAULT') say(machine, road, of, 'BACKUP');
}

function stay(world: World, machine: Machine): void {
  if (!machine.alive || machine.leaving === undefined) return;
  if (machine.leaving === 'pulse') raise(world, machine, undefined);
  machine.leaving = undefined;
  for (const of of machine.instances) of.lowered = false;
  const now = world.sched.now();
  for (const one of world.leavings) if (one.node === machine.id) one.untilMs = Math.min(one.untilMs, now);
  told(world, machine);
}

/** Its keepalived is stopped or has another reason to fail: the end of the pulse raises nothing. */
export function notInPulse(machine: Machine): void {
  if (machine.leaving === 'pulse') machine.leaving = 'low';
}

function told(world: World, machine: Machine): void {
  for (const of of machine.instances) assertNow(machine, world.road, of);
  for (const group of world.groups) settleLater(group, world.road);
  computeOwners(world);
  lookLater(world);
}

/** Whether a server is there again: it, or another one that hears it. */
function lookFor(world: World, machine: Machine, vip: number): void {
  const { sides, machines } = world.groups[vip]!;
  const isUp = machine.alive && machine.running && !machine.failing;
  if (!isUp || machine.instances[vip]!.state === 'DELETED' || machine.asleep) return;
  const side = (one: Machine) => sides.get(one.id) ?? 0;
  const here = machines.filter((one) => side(one) === side(machine));
  const mayYet = here.some((one) => one !== machine && (able(one, vip) || one.leaving === 'pulse'));
  if (here.some((one) => isMaster(one, vip)) || mayYet) return;
  world.unserved.push({ vip: world.story.vips[vip]!.name, node: machine.id, atMs: world.sched.now() });
}
