// Runs one history from its first act until everything has been quiet for long enough, and notes what there is to see.
import { SILENCE_MAX } from '../../../shared/vip/liveness.ts';
import type { Invocation } from '../functions/invocation.ts';
import { RECONCILE_EVERY_MS, RECONCILE_FIRST_MS } from '../history/cadence.ts';
import type { History } from '../history/history.ts';
import { chance } from '../history/random.ts';
import { say } from '../node/machine.ts';
import { settleLater } from '../node/vrrp.ts';
import { silenceTells } from '../truth/belonging.ts';
import { perform } from './acts.ts';
import { build } from './build.ts';
import { convergesWithinMs, look, type World, wake } from './world.ts';

/** How long everything is watched after it has to be right. */
const STAYS_FOR_MS = 90_000;

/** `onBegin` is given every invocation as it begins; `prepare` the world before anything happens in it. */
export async function simulate(
  history: History,
  onBegin?: (by: Invocation) => void,
  prepare?: (world: World) => void,
): Promise<World> {
  const world = build(history, onBegin);
  prepare?.(world);
  const { sched } = world;
  world.perform = (act) => perform(world, act);
  for (const act of history.acts) sched.at(act.atMs, () => world.perform(act));
  const sweptForMs = world.net.departs ? 2_400_000 : 1_200_000;
  for (let n = 0; n * RECONCILE_EVERY_MS < history.quietAtMs + sweptForMs; n++) {
    sched.at(RECONCILE_FIRST_MS + n * RECONCILE_EVERY_MS + history.phaseMs, () => {
      if (sched.now() < world.endAtMs) world.functions.sweep(`reconcile ${n}`);
    });
  }
  for (const machine of world.machines) {
    for (const of of machine.instances) say(machine, world.road, of, 'BACKUP');
  }
  for (const group of world.groups) settleLater(group, world.road, 1000);
  await sched.run(history.quietAtMs);
  repair(world);
  // Events stop, faults end: what was begun before has its consequences still.
  await sched.run(Math.max(history.quietAtMs + 5000, world.troubleUntilMs));
  const isUnderWay = () =>
    [...world.executions, ...world.warnings].some((e) => e.endedAtMs === undefined) ||
    world.departures.some((d) => d.endedAtMs === undefined && d.dueAtMs <= sched.now());
  while (sched.now() < world.troubleUntilMs || isUnderWay())
    await sched.run(Math.max(world.troubleUntilMs, sched.now() + 1000));
  await watch(world);
  return world;
}

/** What a history made smaller has lost: whatever was taken away comes back before it gets quiet. */
function repair(world: World): void {
  world.describesFail = false;
  world.callsDenied = false;
  if (world.busDown.size === 0) return;
  world.busDown.clear();
  wake(world);
}

async function watch(world: World): Promise<void> {
  const { sched, bus } = world;
  const quiet = sched.now();
  world.calmAtMs = quiet;
  const waits = world.groups.map(
    (_, vip) => convergesWithinMs(world, vip) + (silenceTells(world, vip) ? SILENCE_MAX : 0),
  );
  const due = quiet + Math.max(...waits);
  for (const [vip, wait] of waits.entries()) {
    world.dueAtMs[vip] = quiet + wait;
    sched.at(quiet + wait, () => look(world, vip, 'due'));
  }
  await sched.run(due + STAYS_FOR_MS);
  for (const vip of world.groups.keys()) look(world, vip, 'end');
  if (bus.late.length > 0) {
    // The hours until then are left out; no one is heard in them, as when the bus is down for all.
    const luck = chance(world.story.seed, 'late');
    for (const { deliver } of bus.late.splice(0, 40)) sched.after(luck.between(1, 20_000), deliver);
    await sched.run(sched.now() + 40_000);
    for (const vip of world.groups.keys()) look(world, vip, 'late');
  }
  world.endAtMs = sched.now();
}
