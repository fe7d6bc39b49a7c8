// What happens to a node's shim and not to its keepalived: it is killed and started again, with a disk that takes no byte more or
// not; keepalived makes its FIFO again under its name; or gives an instance another name, of which it writes no line.
import type { Act } from '../history/history.ts';
import { struck, type World } from '../world/world.ts';
import { forgetCalls } from './direct.ts';
import { assertNow, drawSeq, type Machine, type Road, read, say, send } from './machine.ts';
import { settleLater } from './vrrp.ts';

/** The shim looks at its FIFO between two waits, the longest of which this is. */
const FOUND_WITHIN_MS = 3000;

export function mishap(
  world: World,
  act: Act & { does: 'shim restarts' | 'fifo is remade' | 'instance is renamed' | 'instance is named again' },
): void {
  const { road } = world;
  const machine = world.machines[act.node]!;
  struck(world, act.does, world.sched.now() + FOUND_WITHIN_MS);
  switch (act.does) {
    case 'shim restarts':
      if (machine.alive) restart(machine, road, act.disk);
      break;
    case 'fifo is remade':
      if (machine.alive) remake(machine, road);
      break;
    default: {
      const of = machine.instances[act.vip]!;
      of.named = act.does === 'instance is named again';
      world.named.push({ atMs: world.sched.now(), node: machine.id, vip: of.vipName, named: of.named });
      // To keepalived it is a new instance.
      if (of.named && machine.alive && machine.running) say(machine, road, of, 'BACKUP');
      settleLater(world.groups[act.vip]!, road);
    }
  }
}

/** What was being sent may have arrived, and no one knows; what was spooled is still there. */
function restart(machine: Machine, road: Road, disk: 'fine' | 'full'): void {
  machine.starts += 1;
  machine.sending = false;
  machine.retryAtMs = 0;
  machine.backoffMs = 100;
  machine.spool = kept(machine, disk);
  forgetCalls(machine);
  follow(machine, road);
  send(machine, road);
  for (const of of machine.instances) assertNow(machine, road, of);
}

/** A journal is replaced by a whole one or not at all. */
const kept = ({ spool }: Machine, _disk: 'fine' | 'full'): Machine['spool'] => spool;

function remake(machine: Machine, road: Road): void {
  machine.unread ??= [];
  followLater(machine, road, machine.boot);
}

function followLater(machine: Machine, road: Road, boot: number): void {
  road.sched.after(road.luck(machine).between(10, FOUND_WITHIN_MS), () => {
    if (machine.boot !== boot) return;
    if (machine.alive) follow(machine, road);
    else if (machine.asleep) followLater(machine, road, boot);
  });
}

/** Lines that waited are of the moment in which they are read. */
function follow(machine: Machine, road: Road): void {
  const lines = machine.unread ?? [];
  machine.unread = undefined;
  for (const line of lines) {
    line.of.sinceUs = drawSeq(machine, road);
    read(machine, road, line);
  }
}
