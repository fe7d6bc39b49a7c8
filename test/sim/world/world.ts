// The world of one history: everything in it, and what is seen of it while it runs.

import type { VrrpState } from '../../../shared/vip/claim.ts';
import { SILENCE_MAX } from '../../../shared/vip/liveness.ts';
import type { DepartureRun, WarningRun } from '../functions/departure-run.ts';
import type { Execution } from '../functions/execution.ts';
import type { DirectWay } from '../functions/function-url.ts';
import type { Cloud, Functions } from '../functions/lambda.ts';
import type { Network } from '../functions/network.ts';
import type { Act, History } from '../history/history.ts';
import type { Forged } from '../node/forged.ts';
import { type Machine, type Road, send, type Word } from '../node/machine.ts';
import type { Group } from '../node/vrrp.ts';
import { silenceTells, whereItBelongs } from '../truth/belonging.ts';
import { mayBeDampedUntil, type TransitionMade } from '../truth/flapping.ts';
import type { Known } from '../truth/known.ts';
import type { Log } from '../truth/log.ts';
import { noteStuck, type Stuck } from '../truth/stuck.ts';
import { type Belonging, cellsOf, leadsTo, type Orders } from '../truth/truth.ts';
import type { Bus } from './bus.ts';
import type { Region } from './region.ts';
import type { Scheduler } from './scheduler.ts';

/** Guarantee 1, for a switch that EC2's burst is enough for. */
const CONVERGES_WITHIN_MS = 80_000;
/** EC2's bucket for mutations of one kind. */
const BURST = 50;
const REFILL_PER_S = 5;

/** Acts that can turn a long switch back half-way: the node's next word is not what it would have said. */
const turning: ReadonlySet<Act['does']> = new Set(['forges', 'stands still']);

/**
 * Guarantee 1: a lease, a reconcile, and the switch itself. Where a made-up claim, a host that stands still or a fault by chance
 * can turn a long switch back half-way, what is beyond EC2's burst counts twice.
 */
export function convergesWithinMs(world: World, vip: number): number {
  const { odds, acts } = world.story;
  const within = CONVERGES_WITHIN_MS + dampedForMs(world, vip);
  if (Object.keys(odds).length === 0 && !acts.some((a) => turning.has(a.does))) return within;
  const beyondBurst = Math.max(0, cellsOf(world.region, world.story.vips[vip]!).length - BURST);
  return within + ((2 * beyondBurst) / REFILL_PER_S) * 1000;
}

/** While the node that it belongs to may be damped the VIP may rest at another one. */
function dampedForMs(world: World, vip: number): number {
  const now = world.sched.now();
  const { name } = world.story.vips[vip]!;
  const ends = (whereItBelongs(world, vip)?.nodes ?? []).map(
    (node) => mayBeDampedUntil(world, name, node, now) ?? now,
  );
  return Math.max(0, ...ends.map((endMs) => endMs - now));
}

export interface Interval {
  readonly vip: number;
  readonly kind: string;
  readonly forMs: number;
  readonly endedAtMs: number;
}

/** A node that an operator wanted empty, from then until then. */
export interface Drained {
  readonly vip: string;
  readonly node: string;
  readonly fromMs: number;
  untilMs: number;
}

export interface World {
  readonly story: History;
  readonly sched: Scheduler;
  readonly epochAt: number;
  readonly region: Region;
  readonly net: Network;
  readonly cloud: Cloud;
  readonly functions: Functions;
  readonly bus: Bus;
  readonly direct: DirectWay;
  /** Workflows, in the order in which they were started. */
  readonly executions: Execution[];
  /** The workflows that read what AWS warns of, and those by which nodes leave. */
  readonly warnings: WarningRun[];
  readonly departures: DepartureRun[];
  /** Names of forced failovers that departures have started. */
  readonly demotions: Set<string>;
  readonly deaths: { readonly node: string; readonly atMs: number }[];
  /** What keepalived did, on all nodes. */
  readonly transitions: TransitionMade[];
  /** What the bus took from shims. */
  readonly reported: { readonly atMs: number; readonly word: Word }[];
  /** When keepalived gave an instance another name, and its own again. */
  readonly named: {
    readonly atMs: number;
    readonly node: string;
    readonly vip: string;
    readonly named: boolean;
  }[];
  /** What was said in a node's name by someone else, and came. */
  readonly forged: Forged[];
  readonly log: Log;
  readonly road: Road;
  readonly machines: Machine[];
  readonly groups: Group[];
  readonly orders: Orders[];
  readonly drains: Drained[];
  /** When nodes were about to go; a node that is gone stays so. */
  readonly leavings: { readonly node: string; readonly fromMs: number; untilMs: number }[];
  /** A leaving after which no node of the VIP served, though one could have. */
  readonly unserved: { readonly vip: string; readonly node: string; readonly atMs: number }[];
  /** Every node that was ever labelled. */
  readonly everMembers: string[];
  readonly known: Known;
  readonly busDown: Set<string>;
  describesFail: boolean;
  callsDenied: boolean;
  /** What was done last, by VIP: names wrong intervals. */
  readonly lastDeed: string[];
  readonly intervals: Interval[];
  readonly stuck: Stuck[];
  readonly wrongSince: ({ atMs: number; kind: string } | undefined)[];
  /** Faults by name, and by name and the states of the nodes then. */
  readonly faults: Map<string, number>;
  readonly pairs: Map<string, Map<VrrpState | 'dead', number>>;
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
  /** Does to the world what an act says; given by the simulation. */
  perform(act: Act): void;
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
  const pairs = world.pairs.get(name) ?? new Map<VrrpState | 'dead', number>();
  world.pairs.set(name, pairs);
  for (const machine of world.machines) {
    for (const instance of machine.instances) {
      const state = machine.alive ? instance.state : 'dead';
      pairs.set(state, (pairs.get(state) ?? 0) + 1);
    }
  }
}

/**
 * Where nothing goes wrong by chance, the time between two acts is a quiet time of its own: everything has to be right
 * in the middle of a history, too.
 */
export function lookLater(world: World): void {
  if (Object.keys(world.story.odds).length > 0) return;
  const happened = ++world.happened;
  for (const vip of world.groups.keys())
    lookIfQuiet(world, vip, { happened, waitMs: convergesWithinMs(world, vip), waited: false });
}

interface Wait {
  readonly happened: number;
  readonly waitMs: number;
  /** Whether it waited before, and it is silence that tells now. */
  readonly waited: boolean;
}

function lookIfQuiet(world: World, vip: number, { happened, waitMs, waited }: Wait): void {
  const { pin, freeze, drains = {} } = world.orders[vip]!;
  const { sched, story: history } = world;
  const dueAtMs = sched.now() + waitMs;
  if (
    [pin, freeze, ...Object.values(drains)].some(
      (o) => o !== undefined && o.untilMs > sched.now() && o.untilMs < dueAtMs,
    )
  )
    return;
  sched.at(dueAtMs, () => {
    const troubled = world.busDown.size > 0 || world.describesFail || sched.now() > history.quietAtMs;
    if (world.happened !== happened || troubled) return;
    // Only now is it certain that what was said last has been heard.
    if (!waited && silenceTells(world, vip))
      lookIfQuiet(world, vip, { happened, waitMs: SILENCE_MAX, waited: true });
    else look(world, vip, 'gap');
  });
}

/** Notes whether the VIP is where it belongs. */
export function look(world: World, vip: number, when: Finding['when']): void {
  const spec = world.story.vips[vip]!;
  const cells = cellsOf(world.region, spec);
  const where = whereItBelongs(world, vip);
  world.found.push({
    when,
    vip,
    atMs: world.sched.now(),
    belongs: where,
    right: where === undefined || where.nodes.some((node) => leadsTo(world.region, spec, node)),
    epoch: world.net.vips.items.get(spec.name)?.epoch ?? 0,
    moves: cells.flatMap(({ cell }) => world.region.changesOf(cell).filter((c) => c.was !== c.is)).length,
    cells: cells.map((c) => `${c.cell} → ${c.at ?? 'nothing'}`).join(', '),
  });
}

/** After every change of EC2 or of the nodes: is each VIP where it belongs? */
export function computeOwners(world: World): void {
  const now = world.sched.now();
  noteStuck(world);
  for (const [vip, spec] of world.story.vips.entries()) {
    const where = whereItBelongs(world, vip);
    const right = where === undefined || where.nodes.some((node) => leadsTo(world.region, spec, node));
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
