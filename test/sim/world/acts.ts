// What each act of a story does to the world.

import { force } from '../functions/workflow.ts';
import { type Act, deedNames } from '../history/history.ts';
import { bootClock } from '../node/boot-clock.ts';
import { forgetCalls } from '../node/direct.ts';
import { flap } from '../node/flap.ts';
import { forge } from '../node/forge.ts';
import { leave, notInPulse } from '../node/leaving.ts';
import { type Machine, priorityOf, say, sayLowerAdvert } from '../node/machine.ts';
import { mishap } from '../node/mishaps.ts';
import { standStill } from '../node/standstill.ts';
import { instanceOf, isMaster, settleLater } from '../node/vrrp.ts';
import { eipEni, serviceEni } from '../truth/truth.ts';
import { addEnis, machineOf } from './furnish.ts';
import { hintAt } from './hints.ts';
import { meddle, stranger } from './meddle.ts';
import { enter, order } from './orders.ts';
import { drain } from './outgoing/drains.ts';
import { announce } from './outgoing/warnings.ts';
import { computeOwners, lookLater, struck, type World, wake } from './world.ts';

/** Acts that are faults in the sense of issue 4: they count, and are paired with the states of the nodes. */
const faulty = new Set<string>(deedNames);

/** No instance comes up sooner after it went. */
const BOOTS_AFTER_MS = 5000;

/** Undefined where it can be done now: an instance that went a moment ago is not up again yet. */
function putOffUntil({ deaths, machines, sched }: World, act: Act): number | undefined {
  if (act.does !== 'boots') return undefined;
  const { id } = machines[act.node]!;
  const upAtMs = (deaths.findLast(({ node }) => node === id)?.atMs ?? -BOOTS_AFTER_MS) + BOOTS_AFTER_MS;
  return upAtMs > sched.now() ? upAtMs : undefined;
}

export function perform(world: World, act: Act): void {
  const later = putOffUntil(world, act);
  if (later !== undefined) {
    world.sched.at(later, () => perform(world, act));
    return;
  }
  if (faulty.has(act.does) && act.does !== 'flaps') struck(world, act.does, world.sched.now());
  const vips = 'vip' in act ? [act.vip] : 'vips' in act ? act.vips : world.groups.map((g) => g.vip);
  for (const vip of vips) world.lastDeed[vip] = act.does;
  // Before it is done: of a node that is replaced the old one is meant.
  hintAt(world, act);
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
    case 'calls are denied':
    case 'calls are allowed':
      world.callsDenied = act.does === 'calls are denied';
      break;
    case 'bucket is drained':
      world.region.drain();
      break;
    case 'pin':
    case 'unpin':
    case 'freeze':
      order(world, act);
      break;
    case 'drain':
    case 'undrain':
      drain(world, act);
      break;
    case 'leaves':
    case 'stays':
      leave(world, act);
      break;
    case 'is warned':
    case 'is scheduled':
    case 'is called off':
      announce(world, act);
      break;
    case 'is untagged':
    case 'is tagged':
    case 'is replaced':
      instance(world, act.does, act.node);
      break;
    case 'is removed':
    case 'is registered':
      enter(world, act);
      break;
    case 'forced failover':
      force(world, act);
      break;
    case 'stands still':
      standStill(world, act);
      break;
    case 'flaps':
      flap(world, act);
      break;
    case 'forges':
      forge(world, act);
      break;
    case 'shim restarts':
    case 'fifo is remade':
    case 'instance is renamed':
    case 'instance is named again':
      mishap(world, act);
      break;
    case 'stranger speaks':
      stranger(world, act);
      break;
    default:
      meddle(world, act);
  }
  computeOwners(world);
  lookLater(world);
}

function power(world: World, does: string, machine: Machine): void {
  const { road } = world;
  if (does === 'dies') {
    if (machine.alive) world.deaths.push({ node: machine.id, atMs: world.sched.now() });
    machine.alive = false;
    machine.asleep = false;
    machine.spool = [];
    machine.unread = undefined;
    machine.sending = false;
  } else if (does === 'boots') boot(world, machine);
  else if (!machine.alive) return;
  if ((does === 'stops' || does === 'fails') && machine.running) notInPulse(machine);
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

/** A reboot loses spool, boot id and uptime; keepalived says everything again. */
function boot(world: World, machine: Machine): void {
  if (machine.alive) return;
  machine.alive = true;
  machine.running = true;
  machine.failing = false;
  machine.boot += 1;
  machine.leaving = undefined;
  for (const of of machine.instances) of.lowered = false;
  const died = world.deaths.findLast((d) => d.node === machine.id)?.atMs ?? Number.NEGATIVE_INFINITY;
  machine.asleep = false;
  machine.clock = bootClock(Math.max(world.sched.now() - 9_000, died), 0, driftOf(world, machine));
  machine.lastSeqUs = 0;
  machine.spool = [];
  machine.sending = false;
  forgetCalls(machine);
  machine.backoffMs = 100;
  for (const of of machine.instances) say(machine, world.road, of, 'BACKUP');
}

const driftOf = ({ story: history }: World, machine: Machine): number | undefined =>
  history.nodes.find((n) => machine.id.startsWith(n.id))?.driftPpm;

function configure(world: World, does: 'is deleted' | 'is added', node: number, vip: number): void {
  const machine = world.machines[node]!;
  const of = instanceOf(machine, vip);
  if (!machine.alive || !machine.running) return;
  if (does === 'is deleted' && of.state !== 'DELETED') say(machine, world.road, of, 'DELETED');
  if (does === 'is added' && of.state === 'DELETED') say(machine, world.road, of, 'BACKUP');
  settleLater(world.groups[vip]!, world.road);
}

/** No one told the real master; it may hear the other's lower adverts and report them. */
function transient(world: World, act: Act & { does: 'is transient' }): void {
  const machine = world.machines[act.node]!;
  const of = instanceOf(machine, act.vip);
  const { boot } = machine;
  const usable = machine.alive && machine.running && !machine.failing && machine.labelled;
  if (!usable || of.state !== 'BACKUP') return;
  say(machine, world.road, of, 'MASTER');
  const real = world.machines.find((m) => m !== machine && isMaster(m, act.vip));
  const luck = world.road.luck(machine);
  if (act.adverts && real !== undefined && priorityOf(instanceOf(real, act.vip)) > priorityOf(of)) {
    world.sched.after(luck.between(1, 1000), () =>
      sayLowerAdvert(real, world.road, instanceOf(real, act.vip)),
    );
  }
  world.sched.after(act.forMs, () => {
    const still = machine.boot === boot && isMaster(machine, act.vip);
    const other = world.machines.some((m) => m !== machine && isMaster(m, act.vip));
    if (still && other && machine.running) say(machine, world.road, of, 'BACKUP');
    computeOwners(world);
  });
}

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
  if (old.alive) world.deaths.push({ node: old.id, atMs: world.sched.now() });
  old.alive = false;
  world.region.dropEni(serviceEni(old.id));
  if (world.region.ec2.enis.has(eipEni(old.id))) world.region.dropEni(eipEni(old.id));
  const id = `${old.id}x`;
  const made = machineOf(world.story, { ...spec, id });
  made.clock = bootClock(world.sched.now() - 20_000, 0, spec.driftPpm);
  world.machines[node] = made;
  world.everMembers.push(id);
  addEnis(world, id, spec.zone, spec.hasEipEni);
  for (const of of made.instances) say(made, world.road, of, 'BACKUP');
  for (const group of world.groups) settleLater(group, world.road);
}
