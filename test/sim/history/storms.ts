// Storms: a node that flaps at some rate, on one of its VIPs or on all, beside honest ones; and at times a node that dies or stops in
// the middle of it.
import type { Act, History } from './history.ts';
import { type Chance, chance } from './random.ts';

/** What a storm needs after its last transition, to settle before it gets quiet. */
const SETTLES_MS = 6000;

export function withStorm(history: History): History {
  const luck = chance(history.seed, 'storm');
  if (!luck.odds(0.08) || history.quietAtMs < 60_000) return history;
  const vips = history.vips.map((vip) => (luck.odds(0.3) ? { ...vip, hold: 'master' as const } : vip));
  const acts = Array.from({ length: luck.pick([1, 1, 2]) }, () => stormOf(luck, history)).flat();
  return { ...history, vips, acts: [...history.acts, ...acts].sort((a, b) => a.atMs - b.atMs) };
}

function stormOf(luck: Chance, { nodes, vips, quietAtMs }: History): readonly Act[] {
  const node = luck.int(0, nodes.length - 1);
  const atMs = luck.between(8000, quietAtMs - 40_000);
  const everyMs = luck.pick([luck.log(150, 3000), luck.log(3000, 16_000)]);
  const room = Math.floor((quietAtMs - atMs - SETTLES_MS) / everyMs);
  const times = Math.min(luck.int(5, 60), room);
  if (times < 2) return [];
  const flaps: Act = {
    does: 'flaps',
    node,
    vips: luck.odds(0.5) ? vips.map((_, n) => n) : [luck.int(0, vips.length - 1)],
    everyMs: Math.round(everyMs),
    times,
    between: luck.pick(['BACKUP', 'FAULT'] as const),
    isHeard: luck.odds(0.5),
    atMs: Math.round(atMs),
  };
  if (luck.odds(0.5)) return [flaps];
  const diesAtMs = Math.round(atMs + luck.between(0, everyMs * times));
  const who = luck.odds(0.5) ? node : luck.int(0, nodes.length - 1);
  return [flaps, { does: luck.pick(['dies', 'dies', 'stops', 'fails'] as const), node: who, atMs: diesAtMs }];
}
