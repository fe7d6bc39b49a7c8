// What may happen in a story, each with how often: single moments, and things that belong together.

import type { Act, Deed, NodeSpec, VipSpec } from './history.ts';
import type { Chance } from './random.ts';

const HOUR_MS = 3_600_000;

/** How wrong a node's clock is, in ms. */
export const clockOf = (luck: Chance, how: 'right' | 'near' | 'far'): number =>
  how === 'right'
    ? luck.int(-20, 20)
    : how === 'near'
      ? luck.int(-5000, 5000)
      : luck.int(-90 * 24 * HOUR_MS, 90 * 24 * HOUR_MS);

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

/** The acts of one deed and its consequences, from `atMs` on. */
export function deedOf(
  luck: Chance,
  nodes: readonly NodeSpec[],
  vips: readonly VipSpec[],
  { atMs, quietAtMs }: { readonly atMs: number; readonly quietAtMs: number },
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
    // Whatever repairs something does so before it gets quiet.
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
