/**
 * `npm run lab`: plays the stories of lab/scenarios with real keepalived, the real shim and real packets, on a local AWS with
 * the deployed service, and prints what each outage was made of.
 *
 * Exit status: 0 every story held, 1 one is broken, 2 wrong usage, 3 a right or a program is lacking,
 * 4 the lab itself failed.
 * Invariant: everything runs inside a sandbox of its own (lab/netns/sandbox/sandbox.ts), so nothing is left behind on any exit path.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePython } from './aws/python.ts';
import { masterOnly, pass } from './netns/cloud/cloud.ts';
import { type Lab, openLab } from './netns/sandbox/lab.ts';
import { type Entry, rights, searchPath } from './netns/sandbox/rights.ts';
import { isInside, runInSandbox } from './netns/sandbox/sandbox.ts';
import { footnotes, HEAD, row, runsLine, summary } from './netns/scenario/report.ts';
import { runScenario, type ScenarioResult } from './netns/scenario/run-scenario.ts';
import type { Scenario } from './netns/scenario/scenario.ts';
import { stories } from './scenarios/all.ts';

const USAGE = `usage: npm run lab -- [--scenario NAME]... [--runs N] [--json] [--list] [--rootless] [--control] [--logs FOLDER]

  --scenario NAME  only this story; may be given several times
  --runs N         every story N times, with min, median and p99 of its outage (1 to 1000)
  --json           an array of objects with story, outageMs, parts, verdict (and more) on stdout
  --list           the stories and what each is about
  --rootless       in a user namespace of its own even when root
  --control        the negative control: the bus passes on MASTER transitions only, and stories must break
  --logs FOLDER    where the nodes' and emulators' logs go (.lab/netns unless told)
`;
const RUNS_MAX = 1_000;

interface Wish {
  readonly chosen: readonly Scenario[];
  readonly runs: number;
  readonly json: boolean;
  readonly list: boolean;
  readonly control: boolean;
  readonly entry: Entry | undefined;
  readonly logFolder: string;
}

function wishFrom(argv: readonly string[]): Wish {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      scenario: { type: 'string', multiple: true },
      runs: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      control: { type: 'boolean', default: false },
      rootless: { type: 'boolean', default: false },
      logs: { type: 'string', default: join(import.meta.dirname, '..', '.lab', 'netns') },
    },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1 || runs > RUNS_MAX) {
    throw new Error(`--runs is "${values.runs}", want a whole number from 1 to ${RUNS_MAX}`);
  }
  const names = values.scenario ?? stories.map(({ name }) => name);
  const chosen = names.map((name) => {
    const history = stories.find((candidate) => candidate.name === name);
    if (history === undefined) {
      throw new Error(
        `--scenario is "${name}", want one of: ${stories.map((known) => known.name).join(', ')}`,
      );
    }
    return history;
  });
  const { json, list, control, logs } = values;
  return {
    chosen,
    runs,
    json,
    list,
    control,
    entry: values.rootless ? 'rootless' : undefined,
    logFolder: logs,
  };
}

const say = (what: string) => process.stderr.write(`lab: ${what}\n`);

/** From the caller's side: asks for everything that the inside cannot get for itself, then enters. */
async function enter(wish: Wish): Promise<number> {
  const path = searchPath(process.env.PATH);
  const { entry, lacking } = rights(path, wish.entry);
  if (lacking.length > 0) {
    process.stderr.write(`the lab cannot run here:\n${lacking.map((one) => `  - ${one}\n`).join('')}`);
    return 3;
  }
  // The only step that needs a network, which the inside does not have.
  await ensurePython();
  mkdirSync(wish.logFolder, { recursive: true });
  return runInSandbox({
    entry,
    path,
    program: process.execPath,
    args: [import.meta.filename, ...process.argv.slice(2)],
    env: { TMPDIR: '/run' },
  });
}

async function playAll(lab: Lab, wish: Wish): Promise<ScenarioResult[]> {
  const told: ScenarioResult[] = [];
  if (!wish.json) process.stdout.write(`${HEAD}\n`);
  for (const history of wish.chosen) {
    const played: ScenarioResult[] = [];
    for (let run = 1; run <= wish.runs; run += 1) {
      say(`${history.name}${wish.runs > 1 ? `, run ${run} of ${wish.runs}` : ''}: ${history.says}`);
      played.push(await runScenario(lab, history));
    }
    const one = wish.runs > 1 ? summary(played) : played[0]!;
    told.push(one);
    if (wish.json) continue;
    const lines = [row(one), ...('runs' in one ? [runsLine(one.runs as never)] : []), ...footnotes(one)];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  return told;
}

async function inside(wish: Wish): Promise<number> {
  const beganMs = performance.now();
  const lab = await openLab({ logFolder: wish.logFolder, busGate: wish.control ? masterOnly : pass, say });
  say(`ready after ${((performance.now() - beganMs) / 1000).toFixed(1)} s`);
  const told = await playAll(lab, wish);
  await lab.close();
  const held = told.filter(({ verdict }) => verdict === 'held').length;
  if (wish.json) process.stdout.write(`${JSON.stringify(told, undefined, 2)}\n`);
  else {
    const seconds = Math.round((performance.now() - beganMs) / 1000);
    process.stdout.write(`${held} of ${told.length} stories held, ${seconds} s; logs in ${wish.logFolder}\n`);
  }
  return held === told.length ? 0 : 1;
}

async function main(): Promise<number> {
  let wish: Wish;
  try {
    wish = wishFrom(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  if (wish.list) {
    process.stdout.write(stories.map(({ name, says }) => `${name.padEnd(26)}${says}\n`).join(''));
    return 0;
  }
  return isInside() ? inside(wish) : enter(wish);
}

function failed(error: unknown): number {
  process.stderr.write(
    `the lab failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 4;
}

process.exit(await main().catch(failed));
