// One history: a story told by the real domain code. Builds what the story names, lets its acts happen, ends the
// trouble, waits as long as the guarantees allow, then delivers what came late; the checkers look at what is left.
import { memoryTimeline } from '../../shared/memory/timeline.ts';
import { memoryVips } from '../../shared/memory/vip-store.ts';
import { SILENCE_MAX } from '../../shared/silent.ts';
import { epochMs } from '../../shared/time.ts';
import { newVip, type Vip } from '../../shared/vip.ts';
import { perform } from './acts.ts';
import { type Cloud, type Functions, functions } from './lambda.ts';
import { emptyLog, type Log } from './log.ts';
import { type Machine, type Road, say, send } from './machine.ts';
import type { Network } from './ports.ts';
import { type Chance, chance } from './random.ts';
import { ACCOUNT, type Region, region as regionOf, VPC } from './region.ts';
import { type Scheduler, scheduler } from './scheduler.ts';
import type { FaultName, NodeSpec, Story } from './story.ts';
import { type Belonging, belongs, cellsOf, eipEni, leadsTo, type Orders, serviceEni } from './truth.ts';
import { type Group, settleLater } from './vrrp.ts';

export const EPOCH_AT = Date.UTC(2026, 10, 22, 14, 0, 0);
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
  /** By VIP: nodes that were MASTER at some time, or that an order named. */
  readonly rightful: Set<string>[];
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

/** Somebody whose last recorded word was MASTER, or whom an order names, will not be heard any more. */
function silenceTells(world: World, vip: number): boolean {
  const heardOf = (node: string) => world.machines.some((m) => m.id === node && m.alive && m.labelled);
  const item = world.net.vips.items.get(world.story.vips[vip]!.name)!;
  const masters = Object.keys(item.claims).filter((node) => item.claims[node]!.state === 'MASTER');
  const pinned = world.orders[vip]!.pin?.node;
  return masters.some((node) => !heardOf(node)) || (pinned !== undefined && !heardOf(pinned));
}

function look(world: World, vip: number, when: Finding['when']): void {
  const spec = world.story.vips[vip]!;
  const cells = cellsOf(world.region, spec);
  const where = belongs(world.machines, vip, world.orders[vip]!, world.sched.now());
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
    const where = belongs(world.machines, vip, world.orders[vip]!, now);
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

function build(story: Story): World {
  const sched = scheduler();
  const epochAt = EPOCH_AT + story.phaseMs;
  const now = () => epochMs(Math.floor(epochAt + sched.now()));
  const region = regionOf(now, () => sched.now());
  const vips = memoryVips();
  const timeline = memoryTimeline();
  const lucks = new Map<string, Chance>();
  let world: World;
  const log = emptyLog(
    sched,
    () => vips.items,
    () => reckon(world),
  );
  const odds = (name: FaultName, luck: Chance): boolean =>
    sched.now() < story.quietAtMs && luck.odds(story.odds[name] ?? 0);
  const net: Network = {
    sched,
    epochAt,
    region,
    vips,
    timeline,
    log,
    published: [],
    describesFail: () => world.describesFail,
    strikes(name, by, lastsMs = 0) {
      if (!odds(name, by.luck)) return false;
      struck(world, name, sched.now() + lastsMs);
      return true;
    },
  };
  const cloud: Cloud = {
    seed: story.seed,
    net,
    odds,
    struck: (name, untilMs) => struck(world, name, untilMs),
    counted: () => {
      world.awaits += 1;
    },
    quietAtMs: story.quietAtMs,
    late: [],
    invocations: 0,
    claims: 0,
  };
  const busDown = new Set<string>();
  const road: Road = {
    sched,
    epochAt,
    luck(machine) {
      const known = lucks.get(machine.id);
      if (known !== undefined) return known;
      const luck = chance(story.seed, machine.id);
      lucks.set(machine.id, luck);
      return luck;
    },
    open: (zone) => !busDown.has('all') && !busDown.has(zone),
    accept: (word) => world.functions.accept(word),
    said(machine, of) {
      if (of.state === 'MASTER') world.rightful[of.vip]!.add(machine.id);
      reckon(world);
    },
    fate(machine) {
      const luck = road.luck(machine);
      if (odds('send failed', luck)) {
        struck(world, 'send failed', 0);
        return 'failed';
      }
      if (!odds('send reply lost', luck)) return 'fine';
      struck(world, 'send reply lost', 0);
      return 'reply lost';
    },
  };
  const machines = story.nodes.map((spec) => machineOf(story, spec));
  world = {
    story,
    sched,
    epochAt,
    region,
    net,
    cloud,
    functions: functions(cloud),
    log,
    road,
    machines,
    groups: story.vips.map((_, vip) => ({
      vip,
      machines,
      sides: new Map(),
      preempt: story.preempt,
      adverts: false,
    })),
    orders: story.vips.map(() => ({})),
    everMembers: story.nodes.map((n) => n.id),
    rightful: story.vips.map(() => new Set<string>()),
    busDown,
    describesFail: false,
    lastDeed: [],
    intervals: [],
    wrongSince: [],
    faults: new Map(),
    pairs: new Map(),
    awaits: 0,
    troubleUntilMs: 0,
    dueAtMs: [],
    found: [],
    endAtMs: Number.POSITIVE_INFINITY,
  };
  furnish(world);
  return world;
}

export function machineOf(story: Story, spec: NodeSpec): Machine {
  return {
    id: spec.id,
    zone: spec.zone,
    instances: story.vips.map((vip, n) => ({
      vip: n,
      vipName: vip.name,
      priority: spec.priorities[n]!,
      state: 'BACKUP',
      sinceUs: 0,
    })),
    alive: true,
    running: true,
    failing: false,
    boot: 1,
    bootedAtMs: -3_600_000,
    lastSeqUs: 0,
    clockMs: spec.clockMs,
    spool: [],
    sending: false,
    retryAtMs: 0,
    backoffMs: 100,
    labelled: true,
  };
}

function furnish(world: World): void {
  const { story, region, net } = world;
  for (const spec of story.nodes) addEnis(world, spec.id, spec.zone, spec.hasEipEni);
  region.setEni({
    ...ENI,
    eni: 'eni-foreign',
    node: 'i-foreign',
    zone: 'zone-a',
    primary: false,
    sourceDestCheck: true,
    privateAddresses: ['10.0.9.9'],
  });
  region.setEni({
    ...ENI,
    vpc: 'vpc-2',
    eni: 'eni-elsewhere',
    node: 'i-elsewhere',
    zone: 'zone-a',
    label: story.vips[0]!.nodeLabel,
    primary: false,
    sourceDestCheck: true,
    privateAddresses: ['10.1.9.9'],
  });
  for (const vip of story.vips) {
    for (let n = 1; n <= vip.tables; n++) addTable(region, `rtb-${vip.name}-${n}`, vip.tableLabel);
    const item: Vip = newVip({
      name: vip.name,
      addresses: vip.addresses,
      eips: vip.eips,
      vpc: VPC,
      account: ACCOUNT,
      tableLabels: [vip.tableLabel],
      nodeLabels: [vip.nodeLabel],
      hold: 'both',
    });
    net.vips.items.set(vip.name, item);
    for (const [n, eip] of vip.eips.entries()) {
      region.ec2.eips.set(eip, { eip, publicAddress: `203.0.113.${n + 10}`, label: vip.name });
    }
  }
  addTable(region, 'rtb-unlabelled');
  addTable(region, 'rtb-elsewhere', story.vips[0]!.tableLabel, 'vpc-2');
  addTable(region, 'rtb-edge', story.vips[0]!.tableLabel, VPC, true);
}

const ENI = { vpc: VPC, account: ACCOUNT };

export function addEnis(world: World, node: string, zone: string, hasEipEni: boolean): void {
  const label = world.story.vips[0]!.nodeLabel;
  const index = world.region.ec2.enis.size + 10;
  const base = { ...ENI, zone, node, primary: false, sourceDestCheck: false };
  world.region.setEni({ ...base, eni: serviceEni(node), label, privateAddresses: [`10.0.1.${index}`] });
  if (!hasEipEni) return;
  const privateAddresses = Array.from({ length: 6 }, (_, n) => `10.0.${n + 2}.${index}`);
  world.region.setEni({ ...base, eni: eipEni(node), label: `${label}:eip`, privateAddresses });
}

export function addTable(region: Region, table: string, label?: string, vpc = VPC, edge = false): void {
  const routes = { '0.0.0.0/0': { target: 'igw-1', state: 'active' as const, propagated: false } };
  const base = { table, vpc, account: ACCOUNT, edge, routes };
  region.setTable(label === undefined ? base : { ...base, label });
}

/** The bus can be reached again: every shim tries at its next turn. */
export const wake = (world: World): void => {
  for (const machine of world.machines) send(machine, world.road);
};
