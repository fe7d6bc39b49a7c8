// What each act of a story does to the world.
import { type EpochMs, epochMs } from '../../shared/time.ts';
import type { Vip } from '../../shared/vip.ts';
import { addEnis, addTable, machineOf } from './furnish.ts';
import { ROLE } from './lambda.ts';
import { drawSeq, type Machine, say, sayLowerAdvert } from './machine.ts';
import type { Act } from './story.ts';
import { eipEni, serviceEni } from './truth.ts';
import { instanceOf, isMaster, settleLater } from './vrrp.ts';
import { lookLater, reckon, struck, type World, wake } from './world.ts';

/** Acts that are faults in the sense of issue 4: they count, and are paired with the states of the nodes. */
const faulty = new Set<Act['does']>([
  'dies',
  'stops',
  'fails',
  'is cut off',
  'is transient',
  'clock jumps',
  'bus goes',
  'describes fail',
  'bucket is drained',
  'is untagged',
  'is replaced',
  'is deleted',
  'foreign route',
  'foreign eip',
  'route is changed',
  'route is deleted',
  'eip is loosed',
  'stranger speaks',
]);

export function perform(world: World, act: Act): void {
  if (faulty.has(act.does)) struck(world, act.does, world.sched.now());
  const vips = 'vip' in act ? [act.vip] : world.groups.map((g) => g.vip);
  for (const vip of vips) world.lastDeed[vip] = act.does;
  switch (act.does) {
    case 'dies':
    case 'boots':
    case 'stops':
    case 'starts':
    case 'fails':
    case 'recovers':
      power(world, act.does, world.machines[act.node]!);
      break;
    case 'is deleted':
    case 'is added':
      configure(world, act.does, act.node, act.vip);
      break;
    case 'is cut off':
      for (const group of world.groups) {
        for (const node of act.nodes) group.sides.set(world.machines[node]!.id, 1);
        settleLater(group, world.road);
      }
      break;
    case 'heals':
      for (const group of world.groups) {
        group.sides.clear();
        group.adverts = act.adverts;
        settleLater(group, world.road, 1000);
      }
      break;
    case 'is transient':
      transient(world, act);
      break;
    case 'clock jumps':
      world.machines[act.node]!.clockMs = act.clockMs;
      break;
    case 'bus goes':
      world.busDown.add(act.zone ?? 'all');
      break;
    case 'bus returns':
      world.busDown.delete(act.zone ?? 'all');
      wake(world);
      break;
    case 'describes fail':
    case 'describes work':
      world.describesFail = act.does === 'describes fail';
      break;
    case 'bucket is drained':
      world.region.drain();
      break;
    case 'pin':
    case 'unpin':
    case 'freeze':
      order(world, act);
      break;
    case 'is untagged':
    case 'is tagged':
    case 'is replaced':
      instance(world, act.does, act.node);
      break;
    case 'stranger speaks':
      stranger(world, act);
      break;
    default:
      meddle(world, act);
  }
  reckon(world);
  lookLater(world);
}

function power(world: World, does: string, machine: Machine): void {
  const { road } = world;
  if (does === 'dies') {
    machine.alive = false;
    machine.spool = [];
    machine.sending = false;
  } else if (does === 'boots') boot(world, machine);
  else if (!machine.alive) return;
  for (const of of machine.instances) {
    if (of.state === 'DELETED') continue;
    if (does === 'stops' && machine.running) say(machine, road, of, 'STOP');
    if (does === 'starts' && !machine.running) say(machine, road, of, 'BACKUP');
    if (does === 'fails' && machine.running && !machine.failing) say(machine, road, of, 'FAULT');
    if (does === 'recovers' && machine.running && machine.failing) say(machine, road, of, 'BACKUP');
  }
  if (does === 'stops') machine.running = false;
  if (does === 'starts') machine.running = true;
  if (does === 'fails') machine.failing = true;
  if (does === 'recovers' || does === 'starts') machine.failing = false;
  for (const group of world.groups) settleLater(group, road);
}

/** A reboot loses spool, boot id and uptime; keepalived says everything anew. */
function boot(world: World, machine: Machine): void {
  if (machine.alive) return;
  machine.alive = true;
  machine.running = true;
  machine.failing = false;
  machine.boot += 1;
  machine.bootedAtMs = world.sched.now() - 9_000;
  machine.lastSeqUs = 0;
  machine.spool = [];
  machine.sending = false;
  machine.backoffMs = 100;
  for (const of of machine.instances) say(machine, world.road, of, 'BACKUP');
}

function configure(world: World, does: 'is deleted' | 'is added', node: number, vip: number): void {
  const machine = world.machines[node]!;
  const of = instanceOf(machine, vip);
  if (!machine.alive || !machine.running) return;
  if (does === 'is deleted' && of.state !== 'DELETED') say(machine, world.road, of, 'DELETED');
  if (does === 'is added' && of.state === 'DELETED') say(machine, world.road, of, 'BACKUP');
  settleLater(world.groups[vip]!, world.road);
}

/** Nobody told the real master; it may hear the other's lesser adverts and say so. */
function transient(world: World, act: Act & { does: 'is transient' }): void {
  const machine = world.machines[act.node]!;
  const of = instanceOf(machine, act.vip);
  const { boot } = machine;
  const usable = machine.alive && machine.running && !machine.failing && machine.labelled;
  if (!usable || of.state !== 'BACKUP') return;
  say(machine, world.road, of, 'MASTER');
  const real = world.machines.find((m) => m !== machine && isMaster(m, act.vip));
  const luck = world.road.luck(machine);
  if (act.adverts && real !== undefined && instanceOf(real, act.vip).priority > of.priority) {
    world.sched.after(luck.between(1, 1000), () =>
      sayLowerAdvert(real, world.road, instanceOf(real, act.vip)),
    );
  }
  world.sched.after(act.forMs, () => {
    const still = machine.boot === boot && isMaster(machine, act.vip);
    const other = world.machines.some((m) => m !== machine && isMaster(m, act.vip));
    if (still && other && machine.running) say(machine, world.road, of, 'BACKUP');
    reckon(world);
  });
}

type Ordering = Extract<Act, { does: 'pin' | 'unpin' | 'freeze' }>;

const OUTLASTS_MS = 400_000;

/** What the CLI does: read, write on `rev`, and let reconcile look at once. */
function order(world: World, act: Ordering): void {
  const { items } = world.net.vips;
  const item = items.get(world.story.vips[act.vip]!.name)!;
  const now = world.sched.now();
  const orders = world.orders[act.vip]!;
  const by = { by: 'operator', reason: 'because' };
  const { pin: _pin, ...unpinned } = item;
  let after: Vip = unpinned;
  delete orders.pin;
  if (act.does === 'pin') {
    const node = world.machines[act.node]!.id;
    const until = now + act.forMs;
    orders.pin = { node, untilMs: until };
    world.known.order(item.name, node);
    after = { ...item, pin: { ...by, node, untilMs: at(world, until) } };
  } else if (act.does === 'freeze') {
    orders.freeze = { untilMs: now + act.forMs };
    after = { ...unpinned, freeze: { ...by, untilMs: at(world, now + act.forMs) } };
  }
  // Its end changes where the VIP belongs, like every fault; an order that outlasts the history has none.
  const end = orders.pin?.untilMs ?? orders.freeze?.untilMs ?? 0;
  if (end < world.story.quietAtMs + OUTLASTS_MS) world.troubleUntilMs = Math.max(world.troubleUntilMs, end);
  world.log
    .wrote(undefined, item.name, items, () => world.net.vips.write(item, after))
    .catch(() => undefined);
  world.sched.stir();
  world.functions.reconcileAll(`order ${now}`);
}

const at = (world: World, ms: number): EpochMs => epochMs(Math.floor(world.epochAt + ms));

function instance(world: World, does: 'is untagged' | 'is tagged' | 'is replaced', node: number): void {
  const machine = world.machines[node]!;
  const { region } = world;
  if (does === 'is replaced') {
    replace(world, node);
    return;
  }
  for (const eni of [serviceEni(machine.id), eipEni(machine.id)]) {
    const known = region.ec2.enis.get(eni);
    if (known === undefined) continue;
    const base = world.story.vips[0]!.nodeLabel;
    const label = eni.endsWith('-eip') ? `${base}:eip` : base;
    const { label: _label, ...bare } = known;
    region.setEni(does === 'is tagged' ? { ...bare, label } : bare);
  }
  machine.labelled = does === 'is tagged';
}

/** The instance is terminated; another one, with ENIs and an id of its own, takes its place in the group. */
function replace(world: World, node: number): void {
  const old = world.machines[node]!;
  const spec = world.story.nodes[node]!;
  old.alive = false;
  world.region.dropEni(serviceEni(old.id));
  if (world.region.ec2.enis.has(eipEni(old.id))) world.region.dropEni(eipEni(old.id));
  const id = `${old.id}x`;
  const made = machineOf(world.story, { ...spec, id });
  made.bootedAtMs = world.sched.now() - 20_000;
  world.machines[node] = made;
  world.everMembers.push(id);
  addEnis(world, id, spec.zone, spec.hasEipEni);
  for (const of of made.instances) say(made, world.road, of, 'BACKUP');
  for (const group of world.groups) settleLater(group, world.road);
}

function stranger(world: World, act: Act & { does: 'stranger speaks' }): void {
  const machine = world.machines[act.node]!;
  const node = act.forged ? machine.id : 'i-elsewhere';
  const seq = act.forged ? drawSeq(machine, world.road) + 1_000_000 : 5_000_000;
  const word = {
    vip: world.story.vips[act.vip]!.name,
    node,
    state: 'MASTER',
    kind: 'transition',
    priority: 255,
    instance: 'VI',
    bootId: act.forged ? `boot-${machine.boot}-of-${machine.id}` : 'boot-of-stranger',
    seq,
    since: seq,
    uptimeMs: Math.ceil(seq / 1000),
    ageMs: 0,
    atMs: world.epochAt + world.sched.now(),
    superseded: false,
    dropped: 0,
  } as const;
  // The bus's own policy would deny a forged source; here it is let through with another instance's identity.
  world.functions.accept(word, `vipshift.notify/${ROLE}:i-elsewhere`);
}

type Meddling = Act & { readonly vip: number };

function meddle(world: World, act: Meddling): void {
  const { region, story } = world;
  const vip = story.vips[act.vip]!;
  const luck = world.road.luck(world.machines[0]!);
  const table = `rtb-${vip.name}-${luck.int(1, vip.tables)}`;
  const address = luck.pick(vip.addresses);
  switch (act.does) {
    case 'table appears':
      addTable(region, `rtb-${vip.name}-new${Math.round(world.sched.now())}`, vip.tableLabel);
      break;
    case 'foreign route':
      region.routeTo(table, address, luck.odds(0.5) ? 'eni-foreign' : 'pcx-foreign');
      break;
    case 'route is changed':
      region.routeTo(table, address, serviceEni(world.machines[act.node]!.id));
      break;
    case 'route is deleted':
      region.routeTo(table, address, undefined);
      break;
    default: {
      const [eip] = vip.eips;
      if (eip === undefined) return;
      const { eni: _eni, privateAddress: _address, ...loose } = region.ec2.eips.get(eip)!;
      const there = { eni: 'eni-foreign', privateAddress: '10.0.9.9' };
      region.setEip(act.does === 'foreign eip' ? { ...loose, ...there } : loose);
    }
  }
}
