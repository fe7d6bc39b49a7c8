// The simulation's command line:
//
//   node test/sim/main.ts --runs 100000 --json              histories on all cores, and what came of them: from a fresh seed
//   node test/sim/main.ts --runs 100000 --seed 1            the same from this seed on
//   node test/sim/main.ts --replay 4711 [--shrink]          one history, step by step
//
// Exit status 1 when a guarantee did not hold, or when in a run of 100,000 a pair of node state and fault was too rare.
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { whole } from '../support/whole.ts';
import { violationsOf } from './checkers.ts';
import { historyFrom } from './history/generator.ts';
import { shrink } from './history/shrink.ts';
import { asJson, asText, shortPairs } from './report.ts';
import { emptyTally, type Tally } from './run.ts';
import { retell } from './truth/retell.ts';
import type { Violation } from './violation.ts';
import { simulate } from './world/simulate.ts';

const BATCH = 250;
/** Streams of chance begin from 32 bits. */
const SEED_MAX = 2 ** 31;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    replay: { type: 'string' },
    shrink: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

/** Workers take batches of seeds until none is left; the sums do not depend on who took which. */
async function runAll(from: number, runs: number, workers: number): Promise<Tally> {
  const total = emptyTally();
  let next = from;
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./worker.ts', import.meta.url));
      const more = () => {
        const size = Math.min(BATCH, from + runs - next);
        if (size <= 0) return void worker.terminate().then(() => resolve());
        worker.postMessage({ from: next, runs: size });
        next += size;
      };
      worker.on('message', (tally: Tally) => {
        join(total, tally);
        // At once: a run of hours must not have to end before its failures can be looked at.
        for (const { seed, violations } of tally.failures)
          process.stderr.write(`\n${failureText(seed, violations)}\n`);
        if (!values.json)
          process.stderr.write(`\r${total.histories} histories, ${total.failures.length} failed`);
        more();
      });
      worker.on('error', reject);
      more();
    });
  await Promise.all(Array.from({ length: workers }, work));
  if (!values.json) process.stderr.write('\n');
  return total;
}

const failureText = (seed: number, violations: readonly Violation[]): string =>
  `seed ${seed}: ${violations
    .map(({ guarantee, vip, what }) => `${guarantee}: ${vip}: ${what}`)
    .join('; ')
    .slice(0, 400)}`;

function join(total: Tally, tally: Tally): void {
  total.histories += tally.histories;
  total.failures.push(...tally.failures);
  total.claims.push(...tally.claims);
  total.faults.push(...tally.faults);
  total.awaits.push(...tally.awaits);
  for (const [pair, n] of Object.entries(tally.pairs)) total.pairs[pair] = (total.pairs[pair] ?? 0) + n;
  for (const [kind, ms] of Object.entries(tally.convergeMs)) {
    total.convergeMs[kind] ??= [];
    total.convergeMs[kind].push(...ms);
  }
}

async function replay(seed: number): Promise<boolean> {
  const history = values.shrink ? await shrink(historyFrom(seed)) : historyFrom(seed);
  const world = await simulate(history);
  const violations = violationsOf(world);
  console.log(retell(world, violations));
  return violations.length === 0;
}

async function main(): Promise<boolean> {
  if (values.replay !== undefined) return replay(whole('replay', values.replay));
  const began = performance.now();
  // Always the same seeds would prove these seeds.
  const seed = values.seed === undefined ? randomInt(SEED_MAX) : whole('seed', values.seed);
  process.stderr.write(`from seed ${seed} on\n`);
  const workers = Math.max(1, whole('workers', values.workers));
  const tally = await runAll(seed, whole('runs', values.runs), workers);
  const run = { seed, tookMs: performance.now() - began };
  console.log(values.json ? asJson(tally, run) : asText(tally, run));
  const [worst] = tally.failures;
  if (worst !== undefined && !values.json) {
    const history = await shrink(historyFrom(worst.seed));
    const world = await simulate(history);
    console.log(`\nseed ${worst.seed} made as small as it gets:\n${retell(world, violationsOf(world))}`);
  }
  return tally.failures.length === 0 && shortPairs(tally).length === 0;
}

process.exitCode = (await main()) ? 0 : 1;
