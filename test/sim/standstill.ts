// A host that stands still for a while and goes on where it was: paused by its hypervisor, or hibernated. The boot stays the
// same; CLOCK_BOOTTIME stood still with it, or shows the time that passed.
import { stoodStill } from './boot-clock.ts';
import { resume } from './machine.ts';
import type { Act } from './story.ts';
import { settleLater } from './vrrp.ts';
import { lookLater, reckon, struck, type World } from './world.ts';

export function standStill(world: World, act: Act & { does: 'stands still' }): void {
  const machine = world.machines[act.node]!;
  const { boot } = machine;
  if (!machine.alive) return;
  const fromMs = world.sched.now();
  struck(world, 'stands still', fromMs + act.forMs);
  world.deaths.push({ node: machine.id, atMs: fromMs });
  machine.alive = false;
  machine.asleep = true;
  for (const group of world.groups) settleLater(group, world.road);
  world.sched.after(act.forMs, () => {
    if (!machine.asleep || machine.boot !== boot) return;
    machine.asleep = false;
    machine.alive = true;
    if (act.clock === 'stands') stoodStill(machine.clock, fromMs, world.sched.now());
    resume(machine, world.road);
    for (const group of world.groups) settleLater(group, world.road, 1000);
    reckon(world);
    lookLater(world);
  });
}
