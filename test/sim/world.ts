import { SILENCE_MAX } from '../../shared/silent.ts';
import { perform } from './acts.ts';
import { build } from './build.ts';
import type { Known } from './known.ts';
import type { Cloud, Functions } from './lambda.ts';
import type { Log } from './log.ts';
import { type Machine, type Road, say, send } from './machine.ts';
import type { Network } from './ports.ts';
import { chance } from './random.ts';
import type { Region } from './region.ts';
import type { Scheduler } from './scheduler.ts';
import type { Story } from './story.ts';
import { type Belonging, belongs, cellsOf, leadsTo, type Orders } from './truth.ts';
import { type Group, settleLater } from './vrrp.ts';

/** Guarantee 1. */
export const CONVERGES_WITHIN_MS = 80_000;
export const RECONCILE_EVERY_MS = 60_000;
/** How long everything is watched after it has to be right. */
const STAYS_FOR_MS = 90_000;

export interface Interval {
  readonly vip: number;
  readonly kind: string;
  readonly forMs: number;
}

export interface World {
  readonly story: Story;
  readonly sched: Scheduler;
  readonly epochAt: number;
  readonly region: Region;
  readonly net: Network;
  readonly cloud: Cloud;
  readonly functions: Functions;
  readonly log: Log;
  readonly road: Road;
  readonly machines: Machine[];
  readonly groups: Group[];
  readonly orders: Orders[];
  /** Every node that was ever labelled. */
  readonly everMembers: string[];
  readonly known: Known;
  readonly busDown: Set<string>;
  describesFail: boolean;
  /** What was done last, by VIP: names wrong intervals. */
  readonly lastDeed: string[];
  readonly intervals: Interval[];
  readonly wrongSince: { atMs: number; kind: string }[];
  /** Faults by name, and by node state and name. */
  readonly faults: Map<string, number>;
  readonly pairs: Map<string, number>;
  awaits: number;
  troubleUntilMs: number;
  /** When all has to be right, by VIP; set in the end. */
  readonly dueAtMs: number[];
  readonly found: Finding[];
  endAtMs: number;
}

/** What was seen of a VIP at a moment that matters. */
export interface Finding {
  readonly when: 'due' | 'end' | 'late';
  readonly vip: number;
  readonly atMs: number;
  readonly belongs: Belonging | undefined;
  readonly right: boolean;
  readonly epoch: number;
  /** How often a cell of the VIP has come to lead elsewhere. */
  readonly moves: number;
  readonly cells: string;
}

export const troubled = (world: World): boolean => world.sched.now() < world.story.quietAtMs;

/** A fault has struck; `untilMs` is when its consequences are over. */
export function struck(world: World, name: string, untilMs: number): void {
  world.faults.set(name, (world.faults.get(name) ?? 0) + 1);
  if (untilMs > world.troubleUntilMs) world.troubleUntilMs = untilMs;
  for (const machine of world.machines) {
    const state = machine.alive ? machine.instances[0]!.state : 'dead';
    const pair = `${state} × ${name}`;
    world.pairs.set(pair, (world.pairs.get(pair) ?? 0) + 1);
  }
}

export async function tell(story: Story): Promise<World> {
  const world = build(story);
  const { sched } = world;
  for (const act of story.acts) sched.at(act.atMs, () => perform(world, act));
  for (let n = 0; n * RECONCILE_EVERY_MS < story.quietAtMs + 1_200_000; n++) {
    sched.at(10_000 + n * RECONCILE_EVERY_MS + story.phaseMs, () => {
      if (sched.now() < world.endAtMs) world.functions.reconcileAll(`reconcile ${n}`);
    });
  }
  for (const machine of world.machines) {
    for (const of of machine.instances) say(machine, world.road, of, 'BACKUP');
  }
  for (const group of world.groups) settleLater(group, world.road, 1000);
  await sched.run(story.quietAtMs);
  // Events stop, faults end: what was begun before has its consequences still.
  await sched.run(Math.max(story.quietAtMs + 5000, world.troubleUntilMs));
  while (sched.now() < world.troubleUntilMs) await sched.run(world.troubleUntilMs);
  await watch(world);
  return world;
}

async function watch(world: World): Promise<void> {
  const { sched, cloud } = world;
  const quiet = sched.now();
  const waits = world.groups.map(
    (_, vip) => CONVERGES_WITHIN_MS + (silenceTells(world, vip) ? SILENCE_MAX : 0),
  );
  const due = quiet + Math.max(...waits);
  for (const [vip, wait] of waits.entries()) {
    world.dueAtMs[vip] = quiet + wait;
    sched.at(quiet + wait, () => look(world, vip, 'due'));
  }
  await sched.run(due + STAYS_FOR_MS);
  for (const vip of world.groups.keys()) look(world, vip, 'end');
  if (cloud.late.length > 0) {
    // The hours until then are left out; nobody is heard in them, as when the bus is down for all.
    const luck = chance(world.story.seed, 'late');
    for (const { deliver } of cloud.late.splice(0, 40)) sched.after(luck.between(1, 20_000), deliver);
    await sched.run(sched.now() + 40_000);
    for (const vip of world.groups.keys()) look(world, vip, 'late');
  }
  world.endAtMs = sched.now();
}

/** The two transitions of a split are ordered for certain when they are this far apart (guarantee 2). */
const APART_MS = 2000;

/**
 * Only silence tells of somebody who said MASTER after the one who serves did, or who heard its lower advert, and who
 * will not be heard any more; or whom an order names.
 */
function silenceTells(world: World, vip: number): boolean {
  const { name } = world.story.vips[vip]!;
  const heardOf = (node: string) => world.machines.some((m) => m.id === node && m.alive && m.labelled);
  const told = [...world.known.newest.get(name)!.values()].filter((t) => t.word.state === 'MASTER');
  const serving = told.filter((t) => heardOf(t.word.node)).map((t) => t.sinceMs);
  const newest = Math.max(...serving, Number.NEGATIVE_INFINITY);
  const gone = told.filter((t) => !heardOf(t.word.node));
  const pinned = world.orders[vip]!.pin?.node;
  return (
    gone.some((t) => Math.max(t.sinceMs, t.advertMs) > newest - APART_MS) ||
    (pinned !== undefined && !heardOf(pinned))
  );
}

/** Of several masters the newest; one that heard lower adverts may take it back. */
export function whereItBelongs(world: World, vip: number): Belonging | undefined {
  const where = belongs(world.machines, vip, world.orders[vip]!, world.sched.now());
  if (where === undefined || where.nodes.length === 1) return where;
  const masters = world.machines.filter((m) => where.nodes.includes(m.id));
  const at = (m: Machine) => m.bootedAtMs + m.instances[vip]!.sinceUs / 1000;
  const newest = Math.max(...masters.map(at));
  const told = world.known.newest.get(world.story.vips[vip]!.name)!;
  const nodes = masters
    .filter((m) => at(m) > newest - APART_MS || (told.get(m.id)?.advertMs ?? 0) > newest - APART_MS)
    .map((m) => m.id);
  return { nodes, why: `newest of ${where.nodes.length} masters` };
}

function look(world: World, vip: number, when: Finding['when']): void {
  const spec = world.story.vips[vip]!;
  const cells = cellsOf(world.region, spec);
  const where = whereItBelongs(world, vip);
  world.found.push({
    when,
    vip,
    atMs: world.sched.now(),
    belongs: where,
    right: where === undefined || where.nodes.some((node) => leadsTo(cells, world.region, node)),
    epoch: world.net.vips.items.get(spec.name)?.epoch ?? 0,
    moves: world.region.changes.filter((c) => c.was !== c.is && cells.some((cell) => cell.cell === c.cell))
      .length,
    cells: cells.map((c) => `${c.cell} → ${c.at ?? 'nothing'}`).join(', '),
  });
}

/** After every change of EC2 or of the nodes: is each VIP where it belongs? */
export function reckon(world: World): void {
  const now = world.sched.now();
  for (const [vip, spec] of world.story.vips.entries()) {
    const where = whereItBelongs(world, vip);
    const right =
      where === undefined || where.nodes.some((n) => leadsTo(cellsOf(world.region, spec), world.region, n));
    const since = world.wrongSince[vip];
    if (right && since !== undefined) {
      world.intervals.push({ vip, kind: since.kind, forMs: now - since.atMs });
      delete world.wrongSince[vip];
    } else if (!right && since === undefined) {
      world.wrongSince[vip] = { atMs: now, kind: world.lastDeed[vip] ?? 'begins' };
    }
  }
}

/** The bus can be reached again: every shim tries at its next turn. */
export const wake = (world: World): void => {
  for (const machine of world.machines) send(machine, world.road);
};
