// Puts a world together from its story: the scheduler, EC2, the stores, the bus, the functions, the nodes.
import { memorySharedBucket } from '../../../shared/memory/shared-bucket.ts';
import { memoryTimeline } from '../../../shared/memory/timeline.ts';
import { memoryVips } from '../../../shared/memory/vip-store.ts';
import type { Step } from '../../../shared/network/step.ts';
import { epochMs } from '../../../shared/time.ts';
import { FUNCTION_TIMEOUT_MIN } from '../../../shared/vip/lease.ts';
import { directWay } from '../functions/function-url.ts';
import type { Invocation } from '../functions/invocation.ts';
import { type Cloud, functions, STEP_TIMEOUT_MS } from '../functions/lambda.ts';
import type { Network } from '../functions/network.ts';
import type { FaultName, History } from '../history/history.ts';
import { type Chance, chance } from '../history/random.ts';
import { forgedArrives } from '../node/forge.ts';
import { bootId, type Road } from '../node/machine.ts';
import { known } from '../truth/known.ts';
import { emptyLog } from '../truth/log.ts';
import { bus } from './bus.ts';
import { furnish, machineOf } from './furnish.ts';
import { obey } from './orders.ts';
import { followDrains, found } from './outgoing/warnings.ts';
import { region as regionOf } from './region.ts';
import { scheduler } from './scheduler.ts';
import { computeOwners, lookLater, struck, type World } from './world.ts';

export const EPOCH_AT = Date.UTC(2026, 10, 22, 14, 0, 0);

export function build(history: History, onBegin?: (by: Invocation) => void): World {
  const sched = scheduler();
  const epochAt = EPOCH_AT + history.phaseMs;
  const now = () => epochMs(Math.floor(epochAt + sched.now()));
  const region = regionOf(now, () => sched.now());
  const vips = memoryVips();
  const timeline = memoryTimeline();
  const lucks = new Map<string, Chance>();
  let world: World;
  const log = emptyLog(
    sched,
    () => vips.items,
    () => computeOwners(world),
    (written) => {
      obey(world, written);
      followDrains(world, written);
    },
  );
  const odds = (name: FaultName, luck: Chance): boolean =>
    sched.now() < history.quietAtMs && luck.odds(history.odds[name] ?? 0);
  const net: Network = {
    sched,
    epochAt,
    region,
    vips,
    timeline,
    budget: history.sharedBudget ? memorySharedBucket() : undefined,
    log,
    notices: [],
    changes: [],
    orders: [],
    departs: history.acts.some(({ does }) => does === 'is warned' || does === 'is scheduled'),
    warned: (event) => found(world, event),
    vipOf: (step) => vipOf(history, step),
    describesFail: () => world.describesFail,
    callsDenied: () => world.callsDenied,
    strikes(name, by, lastsMs = 0) {
      if (!odds(name, by.luck)) return false;
      struck(world, name, sched.now() + lastsMs);
      return true;
    },
  };
  const cloud: Cloud = {
    seed: history.seed,
    net,
    odds,
    struck: (name, untilMs) => struck(world, name, untilMs),
    counted: () => {
      world.awaits += 1;
    },
    delivered: (word, stampMs) =>
      word.forged ? forgedArrives(world, word, stampMs) : world.known.delivered(word, stampMs, sched.now()),
    accepted: (word) => {
      if (!word.forged) world.known.answered(word);
    },
    timeoutMs: history.timeoutMs ?? FUNCTION_TIMEOUT_MIN,
    stepTimeoutMs: history.stepTimeoutMs ?? STEP_TIMEOUT_MS,
    blows: history.blows ?? [],
    onBegin,
    invocations: 0,
  };
  const busDown = new Set<string>();
  const road: Road = {
    sched,
    epochAt,
    luck(machine) {
      const known = lucks.get(machine.id);
      if (known !== undefined) return known;
      const luck = chance(history.seed, machine.id);
      lucks.set(machine.id, luck);
      return luck;
    },
    open: (zone) => !busDown.has('all') && !busDown.has(zone),
    accept(word) {
      world.reported.push({ atMs: sched.now(), word });
      world.bus.accept(word);
    },
    direct: {
      sched,
      luck: (machine) => world.direct.luck(machine),
      call: (machine, word, answered) => world.direct.call(machine, word, answered),
    },
    said(machine, of) {
      world.transitions.push({
        atMs: sched.now(),
        state: of.state,
        node: machine.id,
        vip: of.vipName,
        bootId: bootId(machine),
        written: of.named,
      });
      world.known.boot(bootId(machine), machine.clock);
      computeOwners(world);
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
  const machines = history.nodes.map((spec) => machineOf(history, spec));
  world = {
    story: history,
    sched,
    epochAt,
    region,
    net,
    cloud,
    functions: does,
    bus: bus({ ...history, ...cloud, sched, epochAt, deliver: (delivery) => does.claimed(delivery) }),
    direct: directWay({
      ...cloud,
      sched,
      frontEnds: history.frontEnds,
      deliver: (delivery, answered) => does.called(delivery, answered),
    }),
    executions: [],
    warnings: [],
    departures: [],
    demotions: new Set(),
    deaths: [],
    transitions: [],
    reported: [],
    named: [],
    forged: [],
    log,
    road,
    machines,
    groups: history.vips.map((_, vip) => ({
      vip,
      machines,
      sides: new Map(),
      preempt: history.preempt,
      adverts: false,
      settledAtMs: 0,
    })),
    orders: history.vips.map(() => ({})),
    drains: [],
    leavings: [],
    unserved: [],
    everMembers: history.nodes.map((n) => n.id),
    known: known(history.vips.map((v) => v.name)),
    busDown,
    describesFail: false,
    callsDenied: false,
    lastDeed: [],
    intervals: [],
    stuck: [],
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
    perform: () => {
      throw new Error('the world is built, but no one simulates it');
    },
    endAtMs: Number.POSITIVE_INFINITY,
  };
  furnish(world);
  return world;
}

/** Whose step it is, by what it sets; one that sets nothing of anybody's is laid at the first one's door. */
function vipOf({ vips }: History, step: Step): string {
  const isOf = (vip: History['vips'][number]) =>
    step.call === 'AssociateAddress'
      ? vip.eips.includes(step.eip)
      : step.call !== 'ModifyNetworkInterfaceAttribute' && vip.addresses.includes(step.destination);
  return (vips.find(isOf) ?? vips[0]!).name;
}
