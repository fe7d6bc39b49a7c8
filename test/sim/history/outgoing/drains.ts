// Drains and their ends: of any nodes, in any order, of one, some or all; short and long; beside whatever else the history has.
import type { Act, History } from '../history.ts';
import { chance } from '../random.ts';

/** Longer than any history: it ends by an undrain, or not at all. */
const LONG_MS = 4 * 3_600_000;

export function withDrains(history: History): History {
  const luck = chance(history.seed, 'drains');
  if (!luck.odds(0.12)) return history;
  const vips = history.vips.map((vip) => (luck.odds(0.25) ? { ...vip, hold: 'master' as const } : vip));
  const last = history.nodes.length - 1;
  const acts = Array.from({ length: luck.int(1, 5) }, (): readonly Act[] => {
    // Node a is the master unless something happens to it.
    const node = luck.odds(0.5) ? 0 : luck.int(0, last);
    const atMs = luck.between(10_000, history.quietAtMs - 1);
    const leftMs = history.quietAtMs - atMs;
    const forMs = luck.odds(0.5) ? Math.min(luck.log(5000, 400_000), leftMs) : leftMs + LONG_MS;
    const drain: Act = { does: 'drain', node, forMs, atMs };
    if (luck.odds(0.6)) return [drain];
    const endsAtMs = Math.min(atMs + luck.log(500, 200_000), history.quietAtMs - 1);
    return [drain, { does: 'undrain', node, atMs: endsAtMs }];
  }).flat();
  return { ...history, vips, acts: [...history.acts, ...acts].sort((a, b) => a.atMs - b.atMs) };
}
