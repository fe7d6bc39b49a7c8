// Prints a storm's figures, before and after: what it costs in five minutes, and what it costs an honest failover next to it.
//
//   npm run storm
import { variant } from '../controls/variant.ts';
import { simulate } from '../world/simulate.ts';
import {
  BOUND_DAMPED_MS,
  boundBeforeMs,
  DAMPED_FROM_MS,
  honestFailover,
  type Storm,
  stormFigures,
} from './figures.ts';
import { undamped } from './undamped.ts';

const before = (await variant(undamped)).simulate;
const MINUTES_5 = 300_000;
/** A transition each: as fast as one VIP of nine cells was answered, and faster. */
const PACES_MS = [1570, 500];

const row = (...cells: readonly (string | number)[]): void =>
  console.log(
    cells.map((cell, n) => String(cell)[n === 0 ? 'padEnd' : 'padStart'](n === 0 ? 44 : 12)).join(''),
  );
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

for (const hold of ['both', 'master'] as const) {
  for (const everyMs of PACES_MS) {
    const storm: Storm = { hold, everyMs, forMs: MINUTES_5 };
    console.log(`\nten VIPs of 20 tables, hold ${hold}, a transition every ${everyMs} ms for five minutes`);
    row('', 'before', 'after');
    const [was, is] = [await stormFigures(storm, before), await stormFigures(storm, simulate)];
    row('notices', was.notices, is.notices);
    row('epochs', was.epochs, is.epochs);
    row('EC2 calls: mutations', was.mutations, is.mutations);
    row('EC2 calls: describes', was.describes, is.describes);
    row('invocations that wait, at once at the most', was.waiting, is.waiting);
  }
  const everyMs = PACES_MS[0]!;
  console.log(
    `\nan honest failover of 20 tables at the same time, hold ${hold}, a transition every ${everyMs} ms`,
  );
  row('in which second of the storm, tokens left', 'before', 'after', 'bound');
  for (const second of [2, 5, 8, 12, 15, 20, 30, 60, 120]) {
    const storm: Storm = { hold, everyMs, forMs: 180_000, honestAtMs: second * 1000 };
    const [was, is] = [await honestFailover(storm, before), await honestFailover(storm, simulate)];
    const bound = is.atMs < DAMPED_FROM_MS ? boundBeforeMs(is) : BOUND_DAMPED_MS;
    row(`${seconds(is.atMs)}, ${is.tokensLeft}`, seconds(was.tookMs), seconds(is.tookMs), seconds(bound));
  }
}
