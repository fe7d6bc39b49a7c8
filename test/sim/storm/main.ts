// Prints a storm's figures, before and after: what it costs in five minutes, and what it costs an honest failover next to it.
//
//   npm run storm
import { bundled, variant } from '../controls/variant.ts';
import { simulate } from '../world/simulate.ts';
import {
  BOUND_DAMPED_MS,
  boundBeforeMs,
  DAMPED_FROM_MS,
  honestFailover,
  type Storm,
  stormFigures,
} from './figures.ts';
import { oneVip } from './one-vip.ts';
import { undamped } from './undamped.ts';

const before = (await variant(undamped)).simulate;
const MINUTES_5 = 300_000;
/** As often as one VIP of nine cells was answered. */
const EVERY_MS = 1570;
const SECONDS = [2, 5, 8, 12, 15, 20, 30, 45];

type Kind = Pick<Storm, 'hold' | 'inTurn'>;
const kinds: readonly (readonly [string, Kind])[] = [
  ['one node flaps, hold both: the VIPs rest', { hold: 'both' }],
  ['two nodes flap in turn, hold master: the VIPs follow', { hold: 'master', inTurn: true }],
];

const row = (first: string | number, ...cells: readonly (string | number)[]): void =>
  console.log(String(first).padEnd(46) + cells.map((cell) => String(cell).padStart(12)).join(''));
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

async function oneVipBefore(): ReturnType<typeof oneVip> {
  const text = await bundled('test/sim/storm/one-vip.ts', undamped.slice(0, 1));
  const module = (await import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`)) as {
    oneVip: typeof oneVip;
  };
  return module.oneVip();
}

console.log('one VIP of nine cells, 200 transitions, each as soon as the last was answered');
row('', 'before', 'after');
const [oneWas, oneIs] = [await oneVipBefore(), await oneVip()];
row('notices', oneWas.notices, oneIs.notices);
row('epochs', oneWas.epochs, oneIs.epochs);
row('EC2 calls: mutations', oneWas.mutations, oneIs.mutations);

for (const [what, kind] of kinds) {
  const storm = { ...kind, everyMs: EVERY_MS };
  console.log(`\nten VIPs of 20 tables, a transition every ${EVERY_MS} ms; ${what}`);
  row('in five minutes', 'before', 'after');
  const [was, is] = [
    await stormFigures({ ...storm, forMs: MINUTES_5 }, before),
    await stormFigures({ ...storm, forMs: MINUTES_5 }, simulate),
  ];
  row('notices', was.notices, is.notices);
  row('epochs', was.epochs, is.epochs);
  row('EC2 calls: mutations', was.mutations, is.mutations);
  row('EC2 calls: describes', was.describes, is.describes);
  row('invocations that wait, at once at the most', was.waiting, is.waiting);
  console.log();
  row('an honest failover of 20 tables, tokens left', 'before', 'after', 'bound');
  for (const second of SECONDS) {
    const honest: Storm = { ...storm, forMs: 90_000, honestAtMs: second * 1000 };
    const then = await honestFailover(honest, before).then(
      ({ tookMs }) => seconds(tookMs),
      () => 'not yet',
    );
    const now = await honestFailover(honest, simulate);
    const bound = now.atMs < DAMPED_FROM_MS ? boundBeforeMs(now) : BOUND_DAMPED_MS;
    row(`${seconds(now.atMs)} after it began, ${now.tokensLeft}`, then, seconds(now.tookMs), seconds(bound));
  }
}
