// The simulation's command line:
//
//   node test/sim/main.ts --runs 100000 --json              histories on all cores, and what came of them: from a fresh seed
//   node test/sim/main.ts --runs 100000 --seed 1            the same from this seed on
//   node test/sim/main.ts --runs 100000 --seeds 10          as many from each of ten fresh seeds, and a table with a row for each
//   node test/sim/main.ts --runs 100000 --seed 17,4711      the same from these seeds, as after a stop
//   node test/sim/main.ts --replay 4711 [--shrink]          one history, step by step
//
// Exit status 1 when a guarantee did not hold, or when in a run of 100,000 a pair of node state and fault was too rare.
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { whole } from '../support/whole.ts';
import { violationsOf } from './checkers.ts';
import { historyFrom } from './history/generator.ts';
import { shrink } from './history/shrink.ts';
import { asText, outcomeOf, type RunOutcome, summary } from './report.ts';
import type { Failure, Tally } from './run.ts';
import { retell } from './truth/retell.ts';
import { startWorkers, type Workers } from './workers.ts';
import { simulate } from './world/simulate.ts';

/** Streams of chance begin from 32 bits. */
const SEED_MAX = 2 ** 31;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    seeds: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    replay: { type: 'string' },
    shrink: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

/** Where each run begins. Always the same seeds would prove these seeds. */
function seedsAsked(): readonly number[] {
  const { seed, seeds = '1' } = values;
  if (seed === undefined) return Array.from({ length: whole('seeds', seeds) }, () => randomInt(SEED_MAX));
  if (values.seeds !== undefined)
    throw new RangeError('--seed cannot be combined with --seeds, which draws them');
  return seed.split(',').map((one) => whole('seed', one));
}

/** At once: a run of hours must not have to end before its failures can be looked at. */
function onTally(total: Tally, batch: Tally): void {
  for (const failure of batch.failures) process.stderr.write(`\n${failureText(failure)}\n`);
  if (!values.json) process.stderr.write(`\r${total.histories} histories, ${total.failures.length} failed`);
}

const failureText = ({ seed, violations }: Failure): string =>
  `seed ${seed}: ${violations
    .map(({ guarantee, vip, what }) => `${guarantee}: ${vip}: ${what}`)
    .join('; ')
    .slice(0, 400)}`;

async function replay(seed: number): Promise<boolean> {
  const history = values.shrink ? await shrink(historyFrom(seed)) : historyFrom(seed);
  const world = await simulate(history);
  const violations = violationsOf(world);
  console.log(retell(world, violations));
  return violations.length === 0;
}

/** One run. Of several only the row is left when the next begins: a million histories do not fit into memory one by one. */
async function runOne(workers: Workers, seed: number, isOnly: boolean): Promise<RunOutcome> {
  const began = performance.now();
  const tally = await workers.run(seed, whole('runs', values.runs), onTally);
  if (!values.json) process.stderr.write('\n');
  const run = { seed, tookMs: performance.now() - began };
  if (isOnly && !values.json) console.log(asText(tally, run));
  return outcomeOf(tally, run);
}

async function runEach(seeds: readonly number[]): Promise<readonly RunOutcome[]> {
  const outcomes: RunOutcome[] = [];
  const workers = startWorkers(Math.max(1, whole('workers', values.workers)));
  for (const [n, seed] of seeds.entries()) {
    outcomes.push(await runOne(workers, seed, seeds.length === 1));
    const left = seeds.slice(n + 1);
    if (left.length > 0)
      process.stderr.write(
        `${summary(outcomes.slice(-1))}\nwhat is left: --runs ${values.runs} --seed ${left.join(',')}\n`,
      );
  }
  await workers.end();
  return outcomes;
}

async function main(): Promise<boolean> {
  if (values.replay !== undefined) return replay(whole('replay', values.replay));
  const seeds = seedsAsked();
  process.stderr.write(
    seeds.length === 1 ? `from seed ${seeds[0]} on\n` : `--runs ${values.runs} --seed ${seeds.join(',')}\n`,
  );
  const outcomes = await runEach(seeds);
  if (values.json) console.log(JSON.stringify(seeds.length === 1 ? outcomes[0] : outcomes, null, 2));
  else if (seeds.length > 1) console.log(summary(outcomes));
  const worst = outcomes.flatMap(({ failures }) => failures)[0];
  if (worst !== undefined && !values.json) {
    const history = await shrink(historyFrom(worst.seed));
    const world = await simulate(history);
    console.log(`\nseed ${worst.seed} made as small as it gets:\n${retell(world, violationsOf(world))}`);
  }
  return outcomes.every(({ violations, pairs }) => violations === 0 && pairs.short.length === 0);
}

process.exitCode = (await main()) ? 0 : 1;
