// Nodes of which AWS warns, by events that are lost, doubled, late, or not what they seem, and by EC2's own list; some of them are gone
// after two minutes, and some of what was announced is called off or put off. Beside whatever else the history has.
import { LEAD } from '../../../../shared/warning/departure.ts';
import type { Act, History } from '../history.ts';
import { type Chance, chance } from '../random.ts';

const WARNED_MS = 120_000;
/** Far enough away for nothing to happen in the history. */
const FAR_MS = 3 * 3_600_000;
const codes = [
  'system-reboot',
  'instance-reboot',
  'system-maintenance',
  'instance-stop',
  'instance-retirement',
];

export function withDepartures(history: History): History {
  const luck = chance(history.seed, 'departures');
  if (!luck.odds(0.12)) return history;
  const vips = history.vips.map((vip) => (luck.odds(0.25) ? { ...vip, hold: 'master' as const } : vip));
  const mayLeave = !history.acts.some(({ does }) => does === 'flaps' || does === 'forges');
  const drawn = Array.from({ length: luck.int(1, 3) }, () =>
    luck.odds(0.5) ? interruption(luck, history, mayLeave) : maintenance(luck, history),
  ).flat();
  // A pin of half an hour would end while everything is watched.
  const before = history.acts.map((act) =>
    act.does === 'forced failover' && act.pinMinutes > 2 ? { ...act, pinMinutes: 2 } : act,
  );
  return { ...history, vips, acts: [...before, ...drawn].sort((a, b) => a.atMs - b.atMs) };
}

/** When an event comes: never, once or twice; at once or minutes later. */
function ways(luck: Chance, mostMs: number): readonly number[] {
  const count = luck.pick([0, 1, 1, 1, 2, 2]);
  return Array.from({ length: count }, () =>
    Math.min(luck.odds(0.7) ? luck.log(50, 2000) : luck.log(2000, 300_000), mostMs),
  );
}

const nodeFor = (luck: Chance, { nodes }: History): number =>
  luck.odds(0.6) ? 0 : luck.int(0, nodes.length - 1);

function interruption(luck: Chance, history: History, mayLeave: boolean): readonly Act[] {
  const { quietAtMs } = history;
  const node = nodeFor(luck, history);
  const atMs = luck.between(10_000, quietAtMs - 20_000);
  const thenMs = (ms: number) => Math.min(atMs + ms, quietAtMs - 1);
  const as = luck.pick(['right', 'right', 'right', 'right', 'malformed', 'foreign', 'unknown'] as const);
  const warned: Act = { does: 'is warned', node, as, comesAfterMs: ways(luck, quietAtMs - 1 - atMs), atMs };
  const leaves: readonly Act[] =
    mayLeave && luck.odds(0.3) ? [{ does: 'leaves', node, lateMs: luck.between(0, 5000), atMs }] : [];
  const dies: readonly Act[] = luck.odds(0.5)
    ? [{ does: 'dies', node, stopped: true, atMs: thenMs(WARNED_MS) }]
    : [];
  return [warned, ...leaves, ...dies];
}

function maintenance(luck: Chance, history: History): readonly Act[] {
  const { quietAtMs } = history;
  const node = nodeFor(luck, history);
  const atMs = luck.between(5000, quietAtMs - 20_000);
  const code = luck.pick(codes);
  // When it is due, by the ten minutes before; what fails goes at once.
  const dueInMs = luck.odds(0.25) ? FAR_MS : luck.between(0, quietAtMs - 5000 - atMs);
  const inMs = Math.round(dueInMs) + LEAD;
  const comesAfterMs = ways(luck, quietAtMs - 1 - atMs);
  const scheduled: Act = { does: 'is scheduled', node, code, inMs, comesAfterMs, atMs };
  if (luck.odds(0.5)) return [scheduled];
  const offAtMs = luck.between(atMs + 1, quietAtMs - 10_000);
  const offComes = ways(luck, quietAtMs - 1 - offAtMs);
  const off: Act = { does: 'is called off', node, comesAfterMs: offComes, atMs: offAtMs };
  // Moved: called off, and another date instead of it, sooner or later.
  if (luck.odds(0.5)) return [scheduled, off];
  const newMs = luck.odds(0.5) ? FAR_MS + LEAD : luck.between(0, quietAtMs - 5000 - offAtMs) + LEAD;
  const again: Act = {
    ...{ does: 'is scheduled', node, code, inMs: Math.round(newMs), atMs: offAtMs },
    comesAfterMs: ways(luck, quietAtMs - 1 - offAtMs),
  };
  return [scheduled, off, again];
}
