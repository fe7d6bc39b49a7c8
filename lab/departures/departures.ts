/**
 * `npm run lab -- departures`: nodes that go, with delays like those of AWS, over and over, and what a client saw of it.
 *
 * Exit status: as the lab's; 1 when a run did not end as it must. With hold `both` and a warning that includes a connection that no node
 * took.
 */
import { parseArgs } from 'node:util';
import type { LabCommand, Say } from '../command.ts';
import { pass } from '../netns/cloud/cloud.ts';
import { DELAYS_TEXT } from '../netns/cloud/delays.ts';
import type { Hold } from '../netns/node/keepalived.ts';
import { openLab } from '../netns/sandbox/lab.ts';
import { figure } from '../netns/scenario/report.ts';
import { runScenario, type ScenarioResult } from '../netns/scenario/run-scenario.ts';
import { oneOf } from '../options.ts';
import { type Series, seriesFrom, seriesOptions } from '../series.ts';
import { departure, type KindName, kinds } from './kinds.ts';

const names = Object.keys(kinds) as readonly KindName[];
const holds = ['both', 'master'] as const satisfies readonly Hold[];

const usage = `usage: npm run lab -- departures [--runs N] [--kind KIND]... [--hold both|master]... [--json] [--logs FOLDER]

  --runs N         each kind N times in each hold (default 20)
  --kind KIND      by default all of:
${names.map((name) => `                     ${name.padEnd(8)}${kinds[name].says}`).join('\n')}
  --hold HOLD      by default both
  --json           an array of objects, one for each run, on stdout
  --logs FOLDER    where the nodes' and emulators' logs go (default: .lab/netns)
`;

interface Options extends Series<KindName> {
  readonly holds: readonly Hold[];
}

export const departuresCommand: LabCommand = {
  usage,
  prepare(argv, logFolder) {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...seriesOptions({ runs: 20, kinds: names, logFolder }),
        hold: { type: 'string', multiple: true, default: [...holds] },
      },
    });
    const holdsAsked = values.hold.map((hold) => oneOf('--hold', hold, holds));
    const options = { ...seriesFrom(values, names), holds: holdsAsked };
    return { help: values.help, logFolder: values.logs, run: (say) => runDepartures(options, say) };
  },
};

export interface Departure extends ScenarioResult {
  readonly kind: KindName;
  readonly hold: Hold;
}

const HEAD =
  'KIND    HOLD    RUNS  REFUSED  LOST   CUT  OUTAGE MEDIAN  MAX       MOVED AFTER MEDIAN  MAX       AS IT MUST';

async function runDepartures(options: Options, say: Say): Promise<number> {
  const { logFolder, runs, json } = options;
  const lab = await openLab({ logFolder, busGate: pass, say });
  const all: Departure[] = [];
  if (!json) process.stdout.write(`${DELAYS_TEXT}\n${HEAD}\n`);
  for (const kind of options.kinds) {
    for (const hold of options.holds) {
      const found: Departure[] = [];
      for (let run = 0; run < runs; run += 1) {
        const result = { kind, hold, ...(await runScenario(lab, departure(kind, hold, run))) };
        say(JSON.stringify(result));
        found.push(result);
      }
      all.push(...found);
      if (!json) process.stdout.write(`${row(found)}\n`);
    }
  }
  await lab.close();
  if (json) process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
  return all.every(({ verdict }) => verdict === 'held') ? 0 : 1;
}

function row(runs: readonly Departure[]): string {
  const sum = (of: (run: Departure) => number) => String(runs.reduce((total, run) => total + of(run), 0));
  const of = (pick: (run: Departure) => number | undefined, percent: number): string =>
    figure(
      runs.flatMap((run) => pick(run) ?? []),
      percent,
    );
  const { kind, hold } = runs[0]!;
  return [
    kind.padEnd(8),
    hold.padEnd(8),
    String(runs.length).padEnd(6),
    sum(({ refused }) => refused).padEnd(9),
    sum(({ lost }) => lost).padEnd(7),
    sum(({ cut }) => cut).padEnd(5),
    of(({ outageMs }) => outageMs, 50).padEnd(15),
    of(({ outageMs }) => outageMs, 100).padEnd(10),
    of(({ movedMs }) => movedMs, 50).padEnd(20),
    of(({ movedMs }) => movedMs, 100).padEnd(10),
    `${runs.filter(({ verdict }) => verdict === 'held').length} of ${runs.length}`,
  ].join('');
}
