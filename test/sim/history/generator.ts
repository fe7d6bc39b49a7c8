// Makes a story from a seed. Every kind of fault has its chance in every story; most stories have a few kinds at once,
// since a hundred at once hide each other.

import { forgeries } from '../node/forged.ts';
import { RECONCILE_EVERY_MS, RECONCILE_FIRST_MS } from './cadence.ts';
import { withDirect } from './direct.ts';
import {
  type Act,
  type Deed,
  type FaultName,
  faultNames,
  type History,
  type NodeSpec,
  type Odds,
  type VipSpec,
} from './history.ts';
import { withMishaps } from './mishaps.ts';
import { longPlan, ordeal, underFire } from './ordeals.ts';
import { withDepartures } from './outgoing/departures.ts';
import { withDrains } from './outgoing/drains.ts';
import { withLeavings } from './outgoing/leavings.ts';
import { type Chance, chance } from './random.ts';
import { clockOf, deedOf } from './recipes.ts';
import { withStorm } from './storms.ts';

/** Kinds of faults whose chances are drawn apart: they came later, and the seeds before them keep their stories. */
const drawnApart: ReadonlySet<FaultName> = new Set([
  'hint lost',
  'hint doubled',
  'hint delayed',
  'step repeated',
  'read empty',
]);
/** By a stream of their own, in histories with the direct path: direct.ts. */
const DIRECT: ReadonlySet<FaultName> = new Set([
  'direct refused',
  'direct failed',
  'direct delayed',
  'direct throttled',
  'direct reply lost',
  'first carrier dies',
]);
/** By a stream of its own, for the same reason: few histories have it. */
const BUGS: FaultName = 'call breaks';

const DAY_MS = 86_400_000;

export function historyFrom(seed: number): History {
  const denied = chance(seed, 'denied');
  return denied.odds(0.004) ? deniedStory(seed, denied) : mixedStory(seed);
}

/** A VIP of many cells, whose every change EC2 refuses while it has to move: the records are as large as they get here. */
function deniedStory(seed: number, luck: Chance): History {
  const vip = vipOf(luck, { name: 'web', n: 0, count: 1, big: true });
  const v4 = vip.addresses[0]!;
  const addresses = [v4, 'fd77:7669:7073::1/128'];
  const deniedAtMs = luck.between(60_000, 90_000);
  const allowedAtMs = deniedAtMs + luck.between(70_000, 150_000);
  return {
    seed,
    nodes: Array.from({ length: luck.int(2, 3) }, (_, n) => nodeOf(luck, n, 1)),
    vips: [{ ...vip, addresses, tables: luck.int(90, 120) }],
    odds: luck.odds(0.5)
      ? { 'announcement failed': 0.5 }
      : { 'announcement failed': 0.5, 'record failed': 0.05 },
    preempt: luck.odds(0.5),
    sharedBudget: luck.odds(0.5),
    acts: [
      { does: 'calls are denied', atMs: deniedAtMs },
      { does: luck.odds(0.5) ? 'stops' : 'fails', node: 0, atMs: deniedAtMs + luck.log(10, 20_000) },
      { does: 'calls are allowed', atMs: allowedAtMs },
    ],
    quietAtMs: Math.round(allowedAtMs + 120_000),
    timeoutMs: 300_000,
    phaseMs: luck.int(0, 59_999),
  };
}

function mixedStory(seed: number): History {
  const luck = chance(seed, 'story');
  const apart = chance(seed, 'story apart');
  const names = luck.pick([['web'], ['web'], ['web', 'db'], ['web', 'db', 'api']]);
  const big = names.length === 1 && luck.odds(0.005);
  const nodeCount = luck.pick([2, 2, 2, 3, 3, 4, 5]);
  const vips = names.map((name, n) => vipOf(luck, { name, n, count: names.length, big }));
  const nodes = Array.from({ length: nodeCount }, (_, n) => nodeOf(luck, n, vips.length));
  const long = luck.odds(0.03);
  const split = luck.odds(0.04);
  const quietAtMs = Math.round(long ? luck.log(360_000, 2_400_000) : luck.log(200_000, 500_000));
  const history: History = {
    seed,
    nodes,
    vips,
    odds: split ? {} : { ...oddsOf(luck), ...oddsApart(apart), ...oddsOfBugs(chance(seed, 'bugs')) },
    preempt: luck.odds(0.7),
    sharedBudget: luck.odds(0.7),
    acts: split
      ? splitActs(luck, nodes, quietAtMs)
      : inOrder([...actsOf(luck, nodes, vips, quietAtMs), ...forcedActs(apart, nodes, vips, quietAtMs)]),
    quietAtMs,
    ...(apart.odds(0.5) ? { timeoutMs: 300_000 } : {}),
    phaseMs: luck.int(0, 59_999),
  };
  const acts = [...history.acts, ...ledgerActs(chance(seed, 'ledger'), history)];
  const fired = underFire(chance(seed, 'beside'), { ...history, acts: inOrder(acts) });
  const lasting = longPlan(chance(seed, 'long plan'), ordeal(chance(seed, 'ordeal'), fired));
  const told = withMishaps(withLeavings(withDrains(withStorm(withClocks(withForger(lasting))))));
  return withDepartures(withDirect(told));
}

/** Boot clocks that run wrong, have run for long, or stand still for a while. */
function withClocks(history: History): History {
  const luck = chance(history.seed, 'boot clocks');
  if (!luck.odds(0.3)) return history;
  const nodes = history.nodes.map((node) => ({
    ...node,
    upMs: luck.pick([60_000, 3_600_000, 90 * DAY_MS, 400 * DAY_MS]),
    driftPpm: luck.pick([-200, 0, 200]),
  }));
  const still = luck.odds(0.5);
  const acts: Act[] = Array.from({ length: still ? luck.int(1, 3) : 0 }, () => {
    const atMs = luck.between(10_000, history.quietAtMs - 20_000);
    const forMs = Math.min(luck.pick([3000, 60_000, 60_000, 180_000]), history.quietAtMs - 1 - atMs);
    const how = luck.pick([
      { clock: 'stands', hibernates: false },
      { clock: 'runs on', hibernates: false },
      { clock: 'runs on', hibernates: true },
      { clock: 'stands', hibernates: true },
    ] as const);
    return { does: 'stands still', node: luck.int(0, history.nodes.length - 1), forMs, ...how, atMs };
  });
  return { ...history, nodes, acts: inOrder([...history.acts, ...acts]) };
}

/** Someone with a node's identity, also during forced failovers and with clocks that stand still. */
function withForger(history: History): History {
  const luck = chance(history.seed, 'forger');
  if (!luck.odds(0.1)) return history;
  const acts: Act[] = Array.from({ length: luck.int(1, 4) }, () => ({
    does: 'forges',
    node: luck.int(0, history.nodes.length - 1),
    vip: luck.int(0, history.vips.length - 1),
    how: luck.pick(forgeries),
    state: luck.pick(['STOP', 'STOP', 'FAULT', 'BACKUP', 'MASTER', 'DELETED'] as const),
    atMs: luck.between(5000, history.quietAtMs - 1),
  }));
  return { ...history, acts: inOrder([...history.acts, ...acts]) };
}

interface Slot {
  readonly name: string;
  readonly n: number;
  /** How many VIPs there are. */
  readonly count: number;
  readonly big: boolean;
}

function vipOf(luck: Chance, { name, n, count, big }: Slot): VipSpec {
  const v4 = `192.168.255.${10 + n}/32`;
  const eips = Array.from({ length: luck.pick([0, 1, 1, 2]) }, (_, e) => `eipalloc-${name}-${e + 1}`);
  return {
    name,
    addresses: luck.odds(0.3) ? [v4, `fd77:7669:7073::${n + 1}/128`] : [v4],
    eips,
    tableLabel: name,
    nodeLabel: count === 1 ? name : 'pool',
    tables: big ? luck.int(55, 120) : luck.int(1, 4),
  };
}

function nodeOf(luck: Chance, n: number, vips: number): NodeSpec {
  const clock = luck.pick(['right', 'right', 'near', 'far'] as const);
  return {
    id: `i-${'abcde'[n]}`,
    zone: `zone-${'abc'[n % 3]}`,
    priorities: Array.from({ length: vips }, (_, v) => 250 - 20 * ((n + v) % 5)),
    clockMs: clockOf(luck, clock),
    hasEipEni: luck.odds(0.95),
  };
}

function oddsOf(luck: Chance): Odds {
  const level = luck.pick([0, 0.2, 0.4, 0.7]);
  const odds: Partial<Record<FaultName, number>> = {};
  for (const name of faultNames) {
    if (!drawnApart.has(name) && !DIRECT.has(name) && name !== BUGS && luck.odds(level))
      odds[name] = luck.pick([0.01, 0.05, 0.15, 0.4]);
  }
  return odds;
}

function oddsApart(luck: Chance): Odds {
  const odds: Partial<Record<FaultName, number>> = {};
  for (const name of drawnApart) if (luck.odds(0.3)) odds[name] = luck.pick([0.1, 0.5, 0.9]);
  return odds;
}

const oddsOfBugs = (luck: Chance): Odds => (luck.odds(0.03) ? { [BUGS]: luck.pick([0.05, 0.2, 0.5]) } : {});

/** Operators who start the workflow, some of them at the worst moment. */
function forcedActs(
  luck: Chance,
  nodes: readonly NodeSpec[],
  vips: readonly VipSpec[],
  quietAtMs: number,
): Act[] {
  if (!luck.odds(0.2)) return [];
  return Array.from({ length: luck.pick([1, 1, 2]) }, () => {
    const mode = luck.pick(['routes-only', 'via-keepalived'] as const);
    const [node, vip] = [luck.int(0, nodes.length - 1), luck.int(0, vips.length - 1)];
    const atMs = luck.between(15_000, quietAtMs - 1);
    const forced: Act = {
      does: 'forced failover',
      node,
      vip,
      mode,
      // Routes alone without a pin are refused.
      pinMinutes: mode === 'routes-only' && luck.odds(0.9) ? luck.pick([1, 2, 30]) : luck.pick([0, 0, 1, 30]),
      claimWaitSeconds: luck.int(5, 30),
      ...(luck.odds(0.2) ? { approved: luck.odds(0.7) } : {}),
      atMs,
    };
    if (luck.odds(0.7)) return [forced];
    // Someone else's hand in it, before the order has looked at what it did.
    const meddler: Deed = luck.odds(0.5)
      ? { does: 'route is changed', vip, node: luck.int(0, nodes.length - 1) }
      : { does: 'route is deleted', vip };
    return [forced, { ...meddler, atMs: Math.min(atMs + luck.log(300, 20_000), quietAtMs - 1) }];
  }).flat();
}

/** A VIP leaves the registry, at times just when reconcile has found something to do, and mostly comes back. */
function ledgerActs(luck: Chance, { vips, quietAtMs, phaseMs }: History): Act[] {
  if (!luck.odds(0.05)) return [];
  const vip = luck.int(0, vips.length - 1);
  const sweepAtMs = RECONCILE_FIRST_MS + phaseMs + RECONCILE_EVERY_MS * luck.int(0, 3);
  const drawnMs = luck.odds(0.5) ? sweepAtMs + luck.between(0, 150) : luck.between(5000, quietAtMs);
  const atMs = Math.min(drawnMs, quietAtMs - 1);
  const before: Act = { does: 'table appears', vip, atMs: Math.max(0, atMs - luck.log(200, 5000)) };
  const removed: Act = { does: 'is removed', vip, atMs };
  if (luck.odds(0.3)) return [before, removed];
  const backAtMs = Math.min(atMs + luck.log(50, 120_000), quietAtMs - 1);
  return [before, removed, { does: 'is registered', vip, atMs: backAtMs }];
}

const inOrder = (acts: readonly Act[]): Act[] => [...acts].sort((a, b) => a.atMs - b.atMs);

/** Some single moments and some bursts: faults that come together are the ones that hurt. */
function actsOf(
  luck: Chance,
  nodes: readonly NodeSpec[],
  vips: readonly VipSpec[],
  quietAtMs: number,
): Act[] {
  const acts: Act[] = [];
  const rounds = luck.int(1, 5);
  let atMs = luck.odds(0.5) ? luck.between(0, 5000) : luck.between(5000, 30_000);
  for (let round = 0; round < rounds && atMs < quietAtMs - 1000; round++) {
    const burst = luck.int(1, 3);
    for (let n = 0; n < burst; n++) {
      const span = { atMs: Math.min(atMs, quietAtMs - 1), quietAtMs };
      for (const act of deedOf(luck, nodes, vips, span)) acts.push(act);
      atMs += luck.log(5, 12_000);
    }
    atMs += luck.log(1000, Math.max(2000, quietAtMs / rounds));
  }
  return acts.sort((a, b) => a.atMs - b.atMs);
}

/** Two masters from the beginning, dated within a moment of each other, and a bus that fails for all at times. */
function splitActs(luck: Chance, nodes: readonly NodeSpec[], quietAtMs: number): Act[] {
  const cut = nodes.map((_, n) => n).filter((n) => n > 0 && luck.odds(0.5));
  const acts: Act[] = [
    {
      does: 'is cut off',
      nodes: cut.length === 0 ? [1] : cut,
      atMs: luck.odds(0.5) ? 0 : luck.between(5000, 15_000),
    },
  ];
  let atMs = luck.between(60_000, quietAtMs);
  while (atMs < quietAtMs - 1000) {
    acts.push({ does: 'bus goes', atMs });
    atMs = Math.min(atMs + luck.log(30_000, 1_800_000), quietAtMs - 1);
    acts.push({ does: 'bus returns', atMs });
    atMs += luck.between(20_000, 200_000);
  }
  return acts;
}
