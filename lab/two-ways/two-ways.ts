/**
 * `npm run lab -- two-ways`: the same faults by the bus alone and by both ways, over and over, with a bus that takes as long as AWS's,
 * and what a client saw of them.
 *
 * Exit status: as the lab's; 1 when a run did not end as it must, or when a client waited longer than its kind may cost.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { LEASE_TTL } from '../../shared/vip/lease.ts';
import type { LabCommand, Say } from '../command.ts';
import { pass } from '../netns/cloud/cloud.ts';
import { openLab } from '../netns/sandbox/lab.ts';
import { figure } from '../netns/scenario/report.ts';
import { runScenario, type ScenarioResult } from '../netns/scenario/run-scenario.ts';
import { wholeNumber } from '../options.ts';
import { type Series, seriesFrom, seriesOptions } from '../series.ts';
import { BUS_MEDIAN_MS, BUS_P99_MS } from './bus-delay.ts';
import { type KindName, kinds, played } from './kinds.ts';

const names = Object.keys(kinds) as readonly KindName[];
const SEED_MAX = 2 ** 31;
const HEALED_WITHIN_MS = LEASE_TTL + 1_000;
/** More requests a function never made here. */
const KILLS_MAX = 200;

const usage = `usage: npm run lab -- two-ways [--runs N] [--kind KIND]... [--seed S] [--json] [--logs FOLDER]

  --runs N         each kind N times (default 100); carrier as often as its function makes requests, twice
  --kind KIND      by default all of:
${names.map((name) => `                     ${name.padEnd(11)}${kinds[name].says}`).join('\n')}
  --seed S         of the bus's delays (default: drawn, and printed)
  --json           an array of objects, one for each run, on stdout
  --logs FOLDER    where the nodes' and emulators' logs go (default: .lab/netns)
`;

interface Options extends Series<KindName> {
  readonly seed: number;
}

export const twoWaysCommand: LabCommand = {
  usage,
  prepare(argv, logFolder) {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...seriesOptions({ runs: 100, kinds: names, logFolder }),
        seed: { type: 'string', default: String(randomInt(SEED_MAX)) },
      },
    });
    const seed = wholeNumber('--seed', values.seed, { from: 0, to: SEED_MAX });
    const options = { ...seriesFrom(values, names), seed };
    return { help: values.help, logFolder: values.logs, run: (say) => runTwoWays(options, say) };
  },
};

export interface TwoWaysRun extends ScenarioResult {
  readonly kind: KindName;
  /** By which way the claim came that moved the VIP; undefined where that was another's work. */
  readonly by: 'bus' | 'direct' | undefined;
  /** Of `carrier`: the request at which the function was killed. */
  readonly killedAt?: string | undefined;
}

const HEAD =
  'KIND       RUNS  OUTAGE MEDIAN  P99       MAX       MOVED AFTER MAX  BY URL  BY BUS  REFUSED  LOST   CUT   AS IT MUST';

async function runTwoWays(options: Options, say: Say): Promise<number> {
  const { logFolder, seed, json } = options;
  const lab = await openLab({ logFolder, busGate: pass, direct: true, say });
  const all: TwoWaysRun[] = [];
  if (!json)
    process.stdout.write(
      `a bus of ${BUS_MEDIAN_MS} ms in the median and ${BUS_P99_MS} ms at p99, seed ${seed}\n${HEAD}\n`,
    );
  for (const kind of options.kinds) {
    const found: TwoWaysRun[] = [];
    const most = kind === 'carrier' ? KILLS_MAX : options.runs;
    for (let nth = 0; nth < most; nth += 1) {
      const { scenario, carrier } = played(kind, lab.cloud, { nth, seed });
      const result = await runScenario(lab, scenario);
      const killedAt = carrier()?.killedAt;
      // Nothing was killed: it makes no more requests, or something else is wrong.
      const isOver = kind === 'carrier' && killedAt === undefined;
      if (isOver && result.verdict === 'held') break;
      const run = bounded({ kind, ...result, by: wayOf(result), killedAt });
      say(JSON.stringify(run));
      found.push(run);
      if (isOver) break;
    }
    all.push(...found);
    if (!json) process.stdout.write(`${row(kind, found)}\n`);
  }
  await lab.close();
  if (json) process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
  return all.every(({ verdict }) => verdict === 'held') ? 0 : 1;
}

/** Where the function was killed the VIP has moved within a lease and a second from then. */
export function bounded(run: TwoWaysRun): TwoWaysRun {
  const { killedAt, movedMs = 0 } = run;
  if (killedAt === undefined || movedMs <= HEALED_WITHIN_MS) return run;
  const late = `moved ${Math.round(movedMs)} ms after the kill, expected ${HEALED_WITHIN_MS} ms or less`;
  return { ...run, verdict: 'broken', tooLong: [...run.tooLong, late] };
}

/** By the record's own stages of the failover that ended the outage. */
export function wayOf({ timeline }: Pick<ScenarioResult, 'timeline'>): TwoWaysRun['by'] {
  const keys = timeline?.stages.map(({ key }) => key) ?? [];
  if (keys.includes('direct-accepted')) return 'direct';
  return keys.includes('bus-accepted') ? 'bus' : undefined;
}

function row(kind: KindName, runs: readonly TwoWaysRun[]): string {
  const outages = runs.flatMap(({ outageMs }) => outageMs ?? []);
  const count = (holds: (run: TwoWaysRun) => boolean) => String(runs.filter(holds).length);
  const sum = (of: (run: TwoWaysRun) => number) => String(runs.reduce((total, run) => total + of(run), 0));
  return [
    kind.padEnd(11),
    String(runs.length).padEnd(6),
    figure(outages, 50).padEnd(15),
    figure(outages, 99).padEnd(10),
    figure(outages, 100).padEnd(10),
    figure(
      runs.flatMap(({ movedMs }) => movedMs ?? []),
      100,
    ).padEnd(17),
    count(({ by }) => by === 'direct').padEnd(8),
    count(({ by }) => by === 'bus').padEnd(8),
    sum(({ refused }) => refused).padEnd(9),
    sum(({ lost }) => lost).padEnd(7),
    sum(({ cut }) => cut).padEnd(6),
    `${count(({ verdict }) => verdict === 'held')} of ${runs.length}`,
  ].join('');
}
