// Makes a story from a seed. Every kind of fault has its chance in every story; most stories have a few kinds at once,
// since a hundred at once hide each other.
import { type Chance, chance } from './random.ts';
import {
  type Act,
  type Deed,
  type FaultName,
  faultNames,
  type NodeSpec,
  type Odds,
  type Story,
  type VipSpec,
} from './story.ts';

const HOUR_MS = 3_600_000;

export function storyOf(seed: number): Story {
  const luck = chance(seed, 'story');
  const names = luck.pick([['web'], ['web'], ['web', 'db'], ['web', 'db', 'api']]);
  const big = names.length === 1 && luck.odds(0.005);
  const nodeCount = luck.pick([2, 2, 2, 3, 3, 4, 5]);
  const vips = names.map((name, n) => vipOf(luck, name, n, names.length, big));
  const nodes = Array.from({ length: nodeCount }, (_, n) => nodeOf(luck, n, vips.length));
  const long = luck.odds(0.03);
  const split = luck.odds(0.04);
  const quietAtMs = Math.round(long ? luck.log(360_000, 2_400_000) : luck.log(200_000, 500_000));
  return {
    seed,
    nodes,
    vips,
    odds: split ? {} : oddsOf(luck),
    preempt: luck.odds(0.7),
    sharedBudget: luck.odds(0.7),
    acts: split ? splitActs(luck, nodes, quietAtMs) : actsOf(luck, nodes, vips, quietAtMs),
    quietAtMs,
    phaseMs: luck.int(0, 59_999),
  };
}

function vipOf(luck: Chance, name: string, n: number, count: number, big: boolean): VipSpec {
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

const clockOf = (luck: Chance, how: 'right' | 'near' | 'far'): number =>
  how === 'right'
    ? luck.int(-20, 20)
    : how === 'near'
      ? luck.int(-5000, 5000)
      : luck.int(-90 * 24 * HOUR_MS, 90 * 24 * HOUR_MS);

function oddsOf(luck: Chance): Odds {
  const level = luck.pick([0, 0.2, 0.4, 0.7]);
  const odds: Partial<Record<FaultName, number>> = {};
  for (const name of faultNames) if (luck.odds(level)) odds[name] = luck.pick([0.01, 0.05, 0.15, 0.4]);
  return odds;
}

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
      for (const act of deedOf(luck, nodes, vips, Math.min(atMs, quietAtMs - 1), quietAtMs)) acts.push(act);
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

type Recipe = (luck: Chance, given: Given) => readonly (Deed & { inMs?: number })[];
interface Given {
  readonly node: number;
  readonly vip: number;
  readonly nodes: readonly NodeSpec[];
  readonly leftMs: number;
}

const some = (luck: Chance, leftMs: number): number => Math.min(luck.log(200, 120_000), leftMs);

const recipes: readonly (readonly [number, Recipe])[] = [
  [6, (_luck, { node }) => [{ does: 'dies', node }]],
  [
    6,
    (luck, { node }) => [
      { does: 'dies', node },
      { does: 'boots', node, inMs: luck.log(10_000, 120_000) },
    ],
  ],
  [
    5,
    (luck, { node, leftMs }) => [
      { does: 'stops', node },
      { does: 'starts', node, inMs: some(luck, leftMs) },
    ],
  ],
  [2, (_luck, { node }) => [{ does: 'stops', node }]],
  [
    5,
    (luck, { node, leftMs }) => [
      { does: 'fails', node },
      { does: 'recovers', node, inMs: some(luck, leftMs) },
    ],
  ],
  [1, (_luck, { node }) => [{ does: 'fails', node }]],
  [3, (luck, given) => partition(luck, given, true)],
  [1, (luck, given) => partition(luck, given, false)],
  [3, flap],
  [
    5,
    (luck, { node, vip }) => [
      { does: 'is transient', node, vip, forMs: luck.log(10, 20_000), adverts: luck.odds(0.6) },
    ],
  ],
  [
    4,
    (luck, { node, vip, leftMs }) => [
      { does: 'is deleted', node, vip },
      { does: 'is added', node, vip, inMs: some(luck, leftMs) },
    ],
  ],
  [3, transientThenAlone],
  [2, (luck, { node }) => [{ does: 'clock jumps', node, clockMs: clockOf(luck, 'far') }]],
  [
    3,
    (luck, { leftMs }) => [
      { does: 'bus goes' },
      { does: 'bus returns', inMs: Math.min(luck.log(5000, 1_800_000), leftMs) },
    ],
  ],
  [
    3,
    (luck, { nodes, node, leftMs }) => {
      const { zone } = nodes[node]!;
      return [
        { does: 'bus goes', zone },
        { does: 'bus returns', zone, inMs: Math.min(luck.log(5000, 1_800_000), leftMs) },
      ];
    },
  ],
  [
    2,
    (luck, { leftMs }) => [{ does: 'describes fail' }, { does: 'describes work', inMs: some(luck, leftMs) }],
  ],
  [3, () => [{ does: 'bucket is drained' }]],
  [
    2,
    (luck, { node, vip, leftMs }) => [
      { does: 'pin', node, vip, forMs: Math.min(luck.log(5000, 300_000), leftMs) },
    ],
  ],
  [
    1,
    (luck, { node, vip, leftMs }) => [
      { does: 'pin', node, vip, forMs: leftMs + 600_000 },
      ...(luck.odds(0.5) ? [{ does: 'unpin', vip, inMs: some(luck, leftMs) } as const] : []),
    ],
  ],
  [1, (luck, { vip, leftMs }) => [{ does: 'freeze', vip, forMs: Math.min(luck.log(5000, 200_000), leftMs) }]],
  [2, (_luck, { vip }) => [{ does: 'table appears', vip }]],
  [1, (_luck, { vip }) => [{ does: 'foreign route', vip }]],
  [1, (_luck, { vip }) => [{ does: 'foreign eip', vip }]],
  [2, (_luck, { vip, node }) => [{ does: 'route is changed', vip, node }]],
  [1, (_luck, { vip }) => [{ does: 'route is deleted', vip }]],
  [1, (_luck, { vip }) => [{ does: 'eip is loosed', vip }]],
  [
    2,
    (luck, { node, leftMs }) => [
      { does: 'is untagged', node },
      ...(luck.odds(0.7) ? [{ does: 'is tagged', node, inMs: some(luck, leftMs) } as const] : []),
    ],
  ],
  [2, (_luck, { node }) => [{ does: 'is replaced', node }]],
  [1, (luck, { vip, node }) => [{ does: 'stranger speaks', vip, node, forged: luck.odds(0.5) }]],
];
const drawn = recipes.flatMap(([times, recipe]) => Array.from({ length: times }, () => recipe));

function deedOf(
  luck: Chance,
  nodes: readonly NodeSpec[],
  vips: readonly VipSpec[],
  atMs: number,
  quietAtMs: number,
): Act[] {
  const recipe = luck.pick(drawn);
  const given = {
    node: luck.int(0, nodes.length - 1),
    vip: luck.int(0, vips.length - 1),
    nodes,
    leftMs: quietAtMs - atMs,
  };
  return recipe(luck, given).map(({ inMs = 0, ...deed }) => ({
    ...(deed as Deed),
    // Whatever mends something does so before it gets quiet.
    atMs: Math.min(atMs + inMs, quietAtMs - 1),
  }));
}

function partition(luck: Chance, { nodes, leftMs }: Given, heals: boolean): (Deed & { inMs?: number })[] {
  const cut = nodes.map((_, n) => n).filter(() => luck.odds(0.5));
  const gone: Deed = { does: 'is cut off', nodes: cut.length === 0 ? [0] : cut };
  return heals ? [gone, { does: 'heals', adverts: luck.odds(0.6), inMs: some(luck, leftMs) }] : [gone];
}

/** A second master that the first one hears, and soon is the only one, or dies before it can say that it stepped down. */
function transientThenAlone(luck: Chance, { node, vip, nodes }: Given): (Deed & { inMs?: number })[] {
  const dies = luck.odds(0.7) ? (node + 1) % nodes.length : node;
  return [
    { does: 'is transient', node, vip, forMs: luck.log(200, 30_000), adverts: luck.odds(0.8) },
    { does: 'dies', node: dies, inMs: luck.log(100, 30_000) },
  ];
}

function flap(luck: Chance, { node, leftMs }: Given): (Deed & { inMs?: number })[] {
  const deeds: (Deed & { inMs?: number })[] = [];
  let inMs = 0;
  for (let n = luck.int(2, 5); n > 0; n--) {
    deeds.push({ does: 'fails', node, inMs: Math.min(inMs, leftMs) });
    inMs += luck.log(50, 8000);
    deeds.push({ does: 'recovers', node, inMs: Math.min(inMs, leftMs) });
    inMs += luck.log(50, 8000);
  }
  return deeds;
}
