// Shims that are killed and started again, also on a full disk, and FIFOs that are made again under their name; mostly while much is
// said, and at times while the bus cannot be reached.
import type { Act, History } from './history.ts';
import { chance } from './random.ts';

export function withMishaps(history: History): History {
  const luck = chance(history.seed, 'mishaps');
  if (!luck.odds(0.1)) return history;
  const { nodes, quietAtMs } = history;
  const said = history.acts.filter((act) => act.does === 'flaps' || act.does === 'bus goes');
  const acts: Act[] = Array.from({ length: luck.int(1, 4) }, () => {
    const near = said.length > 0 && luck.odds(0.7) ? luck.pick(said) : undefined;
    const node = near?.does === 'flaps' ? near.node : luck.int(0, nodes.length - 1);
    const drawnMs = near === undefined ? luck.between(1000, quietAtMs) : near.atMs + luck.log(50, 20_000);
    const what = luck.odds(0.5)
      ? ({ does: 'fifo is remade' } as const)
      : ({ does: 'shim restarts', disk: luck.odds(0.5) ? 'full' : 'fine' } as const);
    return { ...what, node, atMs: Math.min(drawnMs, quietAtMs - 1) };
  });
  return { ...history, acts: [...history.acts, ...acts].sort((a, b) => a.atMs - b.atMs) };
}
