// Nodes that AWS is about to take: any of them, one after the other or all at once, some of whom are gone after two minutes, and some
// of whom stay; beside whatever else the history has.
import type { Act, History } from '../history.ts';
import { chance } from '../random.ts';

const WARNED_MS = 120_000;
/** An IMDS that is slow, and a poll that comes late. */
const LATE_MAX_MS = 10_000;

export function withLeavings(history: History): History {
  const luck = chance(history.seed, 'leavings');
  // A node that flaps by its own script is no node that keepalived's tracked file holds down.
  if (!luck.odds(0.12) || history.acts.some(({ does }) => does === 'flaps' || does === 'forges'))
    return history;
  const vips = history.vips.map((vip) => (luck.odds(0.25) ? { ...vip, hold: 'master' as const } : vip));
  const last = history.nodes.length - 1;
  const firstAtMs = luck.between(10_000, history.quietAtMs - 20_000);
  const acts = Array.from({ length: luck.int(1, 4) }, (_, n): readonly Act[] => {
    const node = luck.odds(0.5) ? n % (last + 1) : luck.int(0, last);
    const atMs = luck.odds(0.5)
      ? Math.min(firstAtMs + luck.log(10, 30_000), history.quietAtMs - 20_000)
      : luck.between(10_000, history.quietAtMs - 20_000);
    const leaves: Act = {
      does: 'leaves',
      node,
      lateMs: luck.odds(0.5) ? 0 : luck.between(0, LATE_MAX_MS),
      atMs,
    };
    const thenMs = (ms: number) => Math.min(atMs + ms, history.quietAtMs - 1);
    const end: readonly Act[] = luck.odds(0.4)
      ? [{ does: 'dies', node, stopped: true, atMs: thenMs(WARNED_MS) }]
      : luck.odds(0.5)
        ? [{ does: 'stays', node, atMs: thenMs(luck.log(500, 200_000)) }]
        : [];
    const killed: readonly Act[] = luck.odds(0.3)
      ? [{ does: 'shim restarts', node, disk: 'fine', atMs: thenMs(luck.between(100, 4000)) }]
      : [];
    return [leaves, ...end, ...killed];
  }).flat();
  return { ...history, vips, acts: [...history.acts, ...acts].sort((a, b) => a.atMs - b.atMs) };
}
