/**
 * `npm run lab`: runs the scenarios of lab/scenarios with real keepalived, the real shim and real packets, on a local AWS with
 * the deployed service, and prints what each outage was made of.
 *
 * Exit status: 0 every scenario held, 1 at least one is broken, 2 wrong usage, 3 a privilege or a program is missing,
 * 4 the lab itself failed.
 * Invariant: everything runs inside a sandbox of its own (lab/netns/sandbox/sandbox.ts), so nothing is left behind on any exit path.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePython } from './aws/python.ts';
import { makeCgroup } from './booted/cgroup.ts';
import { CGROUP_VARIABLE } from './booted/lab.ts';
import { rebootsCommand } from './booted/reboots.ts';
import { artefactsCommand } from './booted/stories/artefacts.ts';
import { lifeCommand } from './booted/stories/life-command.ts';
import type { LabCommand, Prepared } from './command.ts';
import { departuresCommand } from './departures/departures.ts';
import type { Entry } from './machine/namespaces.ts';
import { prepareOrExplain, UNPREPARED } from './machine/prepare.ts';
import { masterOnly, pass } from './netns/cloud/cloud.ts';
import { type Lab, openLab } from './netns/sandbox/lab.ts';
import { isInside, runInSandbox } from './netns/sandbox/sandbox.ts';
import { footnotes, HEAD, row, runsLine, summary } from './netns/scenario/report.ts';
import { runScenario, type ScenarioResult } from './netns/scenario/run-scenario.ts';
import type { Scenario } from './netns/scenario/scenario.ts';
import { oneOf, wholeNumber } from './options.ts';
import { scenarios } from './scenarios/all.ts';
import { twoWaysCommand } from './two-ways/two-ways.ts';

const USAGE = `usage: npm run lab -- [--scenario NAME]... [--runs N] [--json] [--list] [--rootless] [--control] [--logs FOLDER]

  --scenario NAME  only this scenario; may be given several times
  --runs N         every scenario N times, with min, median and p99 of its outage (1 to 1000)
  --json           an array of objects with scenario, outageMs, parts, verdict (and more) on stdout
  --list           list the scenarios and what each is about
  --rootless       in a user namespace of its own even when root
  --control        the negative control: the bus passes MASTER transitions only, so scenarios must break
  --logs FOLDER    where the nodes' and emulators' logs go (default: .lab/netns)

npm run lab -- departures --help: nodes that AWS takes, with its delays
npm run lab -- two-ways --help: the same faults by the bus alone and by both ways
npm run lab -- reboots --help: planned stops on machines that really boot
npm run lab -- life --help: a life of two such nodes, from install to uninstall
npm run lab -- artefacts --help: a first failover by the files of a release alone
`;
const RUNS_MAX = 1_000;
const LOGS = join(import.meta.dirname, '..', '.lab', 'netns');

interface Options {
  readonly chosen: readonly Scenario[];
  readonly runs: number;
  readonly json: boolean;
  readonly list: boolean;
  readonly help: boolean;
  readonly control: boolean;
  readonly entry: Entry | undefined;
  readonly logFolder: string;
}

function optionsFrom(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      scenario: { type: 'string', multiple: true },
      runs: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      control: { type: 'boolean', default: false },
      rootless: { type: 'boolean', default: false },
      logs: { type: 'string', default: LOGS },
      help: { type: 'boolean', default: false },
    },
  });
  const runs = wholeNumber('--runs', values.runs, { from: 1, to: RUNS_MAX });
  const names = values.scenario ?? scenarios.map(({ name }) => name);
  const known = scenarios.map(({ name }) => name);
  const chosen = names.map((name) => scenarios[known.indexOf(oneOf('--scenario', name, known))]!);
  const { json, list, control, logs, help } = values;
  return {
    chosen,
    runs,
    json,
    list,
    help,
    control,
    entry: values.rootless ? 'rootless' : undefined,
    logFolder: logs,
  };
}

const say = (what: string) => process.stderr.write(`lab: ${what}\n`);

/** From the caller's side: gets everything that the inside cannot get for itself, then enters. */
async function enter(
  options: Pick<Options, 'entry' | 'logFolder'>,
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const prepared = await prepareOrExplain('lab', options.entry);
  if (prepared === undefined) return UNPREPARED;
  // The only step that needs a network, which the inside does not have.
  await ensurePython();
  mkdirSync(options.logFolder, { recursive: true });
  return runInSandbox({
    ...prepared,
    program: process.execPath,
    args: [import.meta.filename, ...process.argv.slice(2)],
    env: { TMPDIR: '/run', ...env },
  });
}

async function runAll(lab: Lab, options: Options): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  if (!options.json) process.stdout.write(`${HEAD}\n`);
  for (const scenario of options.chosen) {
    const runs: ScenarioResult[] = [];
    for (let run = 1; run <= options.runs; run += 1) {
      say(`${scenario.name}${options.runs > 1 ? `, run ${run} of ${options.runs}` : ''}: ${scenario.says}`);
      runs.push(await runScenario(lab, scenario));
    }
    const one = options.runs > 1 ? summary(runs) : runs[0]!;
    results.push(one);
    if (options.json) continue;
    const lines = [row(one), ...('runs' in one ? [runsLine(one.runs as never)] : []), ...footnotes(one)];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  return results;
}

async function inside(options: Options): Promise<number> {
  const beganMs = performance.now();
  const lab = await openLab({
    logFolder: options.logFolder,
    busGate: options.control ? masterOnly : pass,
    say,
  });
  say(`ready after ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
  const results = await runAll(lab, options);
  await lab.close();
  const held = results.filter(({ verdict }) => verdict === 'held').length;
  if (options.json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
  else {
    const seconds = Math.round((performance.now() - beganMs) / 1000);
    process.stdout.write(
      `${held} of ${results.length} scenarios held, ${seconds} s; logs in ${options.logFolder}\n`,
    );
  }
  return held === results.length ? 0 : 1;
}

const commands: Readonly<Record<string, LabCommand>> = {
  departures: departuresCommand,
  'two-ways': twoWaysCommand,
};
/** Their nodes are machines that boot. */
const bootedCommands: Readonly<Record<string, LabCommand>> = {
  reboots: rebootsCommand,
  life: lifeCommand,
  artefacts: artefactsCommand,
};

async function runCommand(command: LabCommand, argv: readonly string[], boots: boolean): Promise<number> {
  let prepared: Prepared;
  try {
    prepared = command.prepare(argv, LOGS);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${command.usage}`);
    return 2;
  }
  if (prepared.help) {
    process.stdout.write(command.usage);
    return 0;
  }
  if (isInside()) return prepared.run(say);
  if (!boots) return enter({ entry: undefined, logFolder: prepared.logFolder });
  const cgroup = makeCgroup(`vipshift-lab-${process.pid}`, ['a', 'b']);
  try {
    // Root: systemd needs all users, which a user's own namespace does not have.
    const options = { entry: 'root', logFolder: prepared.logFolder } as const;
    return await enter(options, { [CGROUP_VARIABLE]: cgroup.path });
  } finally {
    await cgroup.remove();
  }
}

async function main(): Promise<number> {
  const [word, ...rest] = process.argv.slice(2);
  const booted = bootedCommands[word ?? ''];
  const command = booted ?? commands[word ?? ''];
  if (command !== undefined) return runCommand(command, rest, booted !== undefined);
  let options: Options;
  try {
    options = optionsFrom(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (options.list) {
    process.stdout.write(scenarios.map(({ name, says }) => `${name.padEnd(26)}${says}\n`).join(''));
    return 0;
  }
  return isInside() ? inside(options) : enter(options);
}

function failed(error: unknown): number {
  process.stderr.write(
    `the lab failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 4;
}

process.exit(await main().catch(failed));
