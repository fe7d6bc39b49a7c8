import { SILENCE_MAX } from '../../shared/silent.ts';
import { perform } from './acts.ts';
import { silenceTells, whereItBelongs } from './belonging.ts';
import { build } from './build.ts';
import type { Bus } from './bus.ts';
import { RECONCILE_EVERY_MS, RECONCILE_FIRST_MS } from './cadence.ts';
import type { Forged } from './forge.ts';
import type { Known } from './known.ts';
import type { Cloud, Functions } from './lambda.ts';
import type { Log } from './log.ts';
import { type Machine, type Road, say, send } from './machine.ts';
import type { Network } from './ports.ts';
import { chance } from './random.ts';
import type { Region } from './region.ts';
import type { Scheduler } from './scheduler.ts';
import type { Story } from './story.ts';
import { type Belonging, cellsOf, leadsTo, type Orders } from './truth.ts';
import { type Group, settleLater } from './vrrp.ts';
import type { Execution } from './workflow.ts';

/** Guarantee 1. */
export const CONVERGES_WITHIN_MS = 80_000;
/** How long everything is watched after it has to be right. */
const STAYS_FOR_MS = 90_000;

export interface Interval {
  readonly vip: number;
  readonly kind: string;
  readonly forMs: number;
  readonly endedAtMs: number;
}

export interface World {
  readonly story: Story;
  readonly sched: Scheduler;
  readonly epochAt: number;
  readonly region: Region;
  readonly net: Network;
  readonly cloud: Cloud;
  readonly functions: Functions;
  readonly bus: Bus;
  /** Workflows, in the order in which they were started. */
  readonly executions: Execution[];
  readonly deaths: { readonly node: string; readonly atMs: number }[];
  /** What was said in a node's name by somebody else, and came. */
  readonly forged: Forged[];
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
  callsDenied: boolean;
  /** What was done last, by VIP: names wrong intervals. */
  readonly lastDeed: string[];
  readonly intervals: Interval[];
  readonly wrongSince: ({ atMs: number; kind: string } | undefined)[];
  /** Faults by name, and by node state and name. */
  readonly faults: Map<string, number>;
  readonly pairs: Map<string, number>;
  /** When each kind of fault struck first. */
  readonly struckAtMs: Map<string, number>;
  awaits: number;
  /** Rises with everything that happens to nodes, EC2 or the bus. */
  happened: number;
  troubleUntilMs: number;
  /** When the last fault and its consequences were over; set in the end. */
  calmAtMs: number;
  /** When all has to be right, by VIP; set in the end. */
  readonly dueAtMs: number[];
  readonly found: Finding[];
  endAtMs: number;
}

/** What was seen of a VIP at a moment that matters. */
export interface Finding {
  readonly when: 'gap' | 'due' | 'end' | 'late';
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
  if (!world.struckAtMs.has(name)) world.struckAtMs.set(name, world.sched.now());
  if (untilMs > world.troubleUntilMs) world.troubleUntilMs = untilMs;
  for (const machine of world.machines) {
    for (const { state } of machine.instances) {
      const pair = `${machine.alive ? state : 'dead'} × ${name}`;
      world.pairs.set(pair, (world.pairs.get(pair) ?? 0) + 1);
    }
  }
}

export async function tell(story: Story): Promise<World> {
  const world = build(story);
  const { sched } = world;
  for (const act of story.acts) sched.at(act.atMs, () => perform(world, act));
  for (let n = 0; n * RECONCILE_EVERY_MS < story.quietAtMs + 1_200_000; n++) {
    sched.at(RECONCILE_FIRST_MS + n * RECONCILE_EVERY_MS + story.phaseMs, () => {
      if (sched.now() < world.endAtMs) world.functions.sweep(`reconcile ${n}`);
    });
  }
  for (const machine of world.machines) {
    for (const of of machine.instances) say(machine, world.road, of, 'BACKUP');
  }
  for (const group of world.groups) settleLater(group, world.road, 1000);
  await sched.run(story.quietAtMs);
  // Events stop, faults end: what was begun before has its consequences still.
  await sched.run(Math.max(story.quietAtMs + 5000, world.troubleUntilMs));
  const isUnderWay = () => world.executions.some((e) => e.endedAtMs === undefined);
  while (sched.now() < world.troubleUntilMs || isUnderWay())
    await sched.run(Math.max(world.troubleUntilMs, sched.now() + 1000));
  await watch(world);
  return world;
}

async function watch(world: World): Promise<void> {
  const { sched, bus } = world;
  const quiet = sched.now();
  world.calmAtMs = quiet;
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
  if (bus.late.length > 0) {
    // The hours until then are left out; nobody is heard in them, as when the bus is down for all.
    const luck = chance(world.story.seed, 'late');
    for (const { deliver } of bus.late.splice(0, 40)) sched.after(luck.between(1, 20_000), deliver);
    await sched.run(sched.now() + 40_000);
    for (const vip of world.groups.keys()) look(world, vip, 'late');
  }
  world.endAtMs = sched.now();
}

/**
 * Where nothing goes wrong by chance, the time between two acts is a quiet time of its own: everything has to be right
 * in the middle of a history, too.
 */
export function lookLater(world: World): void {
  if (Object.keys(world.story.odds).length > 0) return;
  const happened = ++world.happened;
  for (const vip of world.groups.keys()) lookIfQuiet(world, vip, happened, CONVERGES_WITHIN_MS);
}

function lookIfQuiet(world: World, vip: number, happened: number, waitMs: number): void {
  const { pin, freeze } = world.orders[vip]!;
  const { sched, story } = world;
  const dueAtMs = sched.now() + waitMs;
  if ([pin, freeze].some((o) => o !== undefined && o.untilMs > sched.now() && o.untilMs < dueAtMs)) return;
  sched.at(dueAtMs, () => {
    const troubled = world.busDown.size > 0 || world.describesFail || sched.now() > story.quietAtMs;
    if (world.happened !== happened || troubled) return;
    // Only now is it certain that what was said last has been heard.
    const wait = waitMs === CONVERGES_WITHIN_MS && silenceTells(world, vip);
    if (wait) lookIfQuiet(world, vip, happened, SILENCE_MAX);
    else look(world, vip, 'gap');
  });
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
      world.intervals.push({ vip, kind: since.kind, forMs: now - since.atMs, endedAtMs: now });
      world.wrongSince[vip] = undefined;
    } else if (!right && since === undefined) {
      world.wrongSince[vip] = { atMs: now, kind: world.lastDeed[vip] ?? 'begins' };
    }
  }
}

/** The bus can be reached again: every shim tries at its next turn. */
export const wake = (world: World): void => {
  for (const machine of world.machines) send(machine, world.road);
};
