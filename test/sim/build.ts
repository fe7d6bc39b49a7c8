// Puts a world together from its story: the scheduler, EC2, the stores, the bus, the functions, the nodes.

import { FUNCTION_TIMEOUT_MIN } from '../../shared/lease.ts';
import { memoryBudget } from '../../shared/memory/budget.ts';
import { memoryTimeline } from '../../shared/memory/timeline.ts';
import { memoryVips } from '../../shared/memory/vip-store.ts';
import type { Step } from '../../shared/plan.ts';
import { epochMs } from '../../shared/time.ts';
import { bus } from './bus.ts';
import { forgedArrives } from './forge.ts';
import { furnish, machineOf } from './furnish.ts';
import { known } from './known.ts';
import { type Cloud, functions, STEP_TIMEOUT_MS } from './lambda.ts';
import { emptyLog } from './log.ts';
import { bootId, type Road } from './machine.ts';
import { obey } from './orders.ts';
import type { Network } from './ports.ts';
import { type Chance, chance } from './random.ts';
import { region as regionOf } from './region.ts';
import { scheduler } from './scheduler.ts';
import type { FaultName, Story } from './story.ts';
import { lookLater, reckon, struck, type World } from './world.ts';

export const EPOCH_AT = Date.UTC(2026, 10, 22, 14, 0, 0);

export function build(story: Story): World {
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
    (written) => obey(world, written),
  );
  const odds = (name: FaultName, luck: Chance): boolean =>
    sched.now() < story.quietAtMs && luck.odds(story.odds[name] ?? 0);
  const net: Network = {
    sched,
    epochAt,
    region,
    vips,
    timeline,
    budget: story.sharedBudget ? memoryBudget() : undefined,
    log,
    published: [],
    changes: [],
    orders: [],
    vipOf: (step) => vipOf(story, step),
    describesFail: () => world.describesFail,
    callsDenied: () => world.callsDenied,
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
    delivered: (word, stampMs) =>
      word.forged ? forgedArrives(world, word, stampMs) : world.known.delivered(word, stampMs, sched.now()),
    timeoutMs: story.timeoutMs ?? FUNCTION_TIMEOUT_MIN,
    stepTimeoutMs: story.stepTimeoutMs ?? STEP_TIMEOUT_MS,
    blows: story.blows ?? [],
    begun: [],
    invocations: 0,
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
    accept: (word) => world.bus.accept(word),
    said(machine) {
      world.known.boot(bootId(machine), machine.clock);
      reckon(world);
      lookLater(world);
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
  const does = functions(cloud);
  const machines = story.nodes.map((spec) => machineOf(story, spec));
  world = {
    story,
    sched,
    epochAt,
    region,
    net,
    cloud,
    functions: does,
    bus: bus({ ...story, ...cloud, sched, epochAt, deliver: (...event) => does.claimed(...event) }),
    executions: [],
    deaths: [],
    forged: [],
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
    known: known(story.vips.map((v) => v.name)),
    busDown,
    describesFail: false,
    callsDenied: false,
    lastDeed: [],
    intervals: [],
    wrongSince: [],
    faults: new Map(),
    pairs: new Map(),
    struckAtMs: new Map(),
    awaits: 0,
    happened: 0,
    troubleUntilMs: 0,
    calmAtMs: 0,
    dueAtMs: [],
    found: [],
    endAtMs: Number.POSITIVE_INFINITY,
  };
  furnish(world);
  return world;
}

/** Whose step it is, by what it sets; one that sets nothing of anybody's is laid at the first one's door. */
function vipOf({ vips }: Story, step: Step): string {
  const isOf = (vip: Story['vips'][number]) =>
    step.call === 'AssociateAddress'
      ? vip.eips.includes(step.eip)
      : step.call !== 'ModifyNetworkInterfaceAttribute' && vip.addresses.includes(step.destination);
  return (vips.find(isOf) ?? vips[0]!).name;
}
