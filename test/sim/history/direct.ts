// Fleets of which some or all nodes have the direct path, front ends whose clocks differ, a direct path that fails, first carriers that die,
// and a bus that is down for long while only some have another way.
import type { Act, FaultName, History, Odds } from './history.ts';
import { type Chance, chance } from './random.ts';

/** Two front ends differ by twice as much at most. */
const CLOCK_MAX_MS = 100;

const faults: readonly FaultName[] = [
  'direct refused',
  'direct failed',
  'direct delayed',
  'direct throttled',
  'direct reply lost',
];

export function withDirect(history: History): History {
  const luck = chance(history.seed, 'direct');
  if (!luck.odds(0.5)) return history;
  const share = luck.pick([1, 1, 0.5]);
  const nodes = history.nodes.map((node) => ({ ...node, direct: luck.odds(share) }));
  const frontEnds = {
    busMs: luck.int(-CLOCK_MAX_MS, CLOCK_MAX_MS),
    directMs: luck.int(-CLOCK_MAX_MS, CLOCK_MAX_MS),
  };
  // A split has no faults by chance, and then the carriers die alone, too.
  const isPlain = Object.keys(history.odds).length === 0;
  const odds = { ...history.odds, ...(isPlain ? {} : oddsOf(luck)) };
  const dies = luck.odds(0.15);
  const acts = luck.odds(isPlain ? 0.6 : 0.1) ? [...history.acts, ...outage(luck, history)] : history.acts;
  return {
    ...history,
    nodes,
    frontEnds,
    odds: dies ? { ...carriersDie(luck, history, odds), 'first carrier dies': luck.pick([0.3, 1]) } : odds,
    acts: [...acts].sort((a, b) => a.atMs - b.atMs),
  };
}

function oddsOf(luck: Chance): Odds {
  const level = luck.pick([0, 0.3, 0.6]);
  const odds: Partial<Record<FaultName, number>> = {};
  for (const name of faults) if (luck.odds(level)) odds[name] = luck.pick([0.05, 0.3, 0.9]);
  return odds;
}

/** Half of the time nothing else goes wrong by chance: then it is known when the second copy has to go on. */
const carriersDie = (luck: Chance, _history: History, odds: Odds): Odds => (luck.odds(0.5) ? {} : odds);

/** The bus is gone for all for minutes. */
function outage(luck: Chance, { quietAtMs }: History): readonly Act[] {
  const atMs = luck.between(20_000, Math.max(21_000, quietAtMs - 200_000));
  const endsAtMs = Math.min(atMs + luck.pick([30_000, 600_000]), quietAtMs - 1);
  return [
    { does: 'bus goes', atMs },
    { does: 'bus returns', atMs: endsAtMs },
  ];
}
