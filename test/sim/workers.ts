// Threads that run batches of histories: the pool that hands them out, and what each thread does.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { emptyTally, runSeeds, type Tally } from './run.ts';

export interface Workers {
  /** Runs the histories from a seed on. `onTally` is given the total so far and each batch as it comes in. */
  run(from: number, runs: number, onTally: (total: Tally, batch: Tally) => void): Promise<Tally>;
  end(): Promise<void>;
}

interface Batch {
  readonly from: number;
  readonly runs: number;
}

const BATCH = 250;

/** They stay from run to run: a new thread compiles everything again. The sums do not depend on which thread took what. */
export function startWorkers(count: number): Workers {
  const threads = Array.from({ length: count }, () => new Worker(new URL(import.meta.url)));
  return {
    async run(from, runs, onTally) {
      const total = emptyTally();
      let next = from;
      await Promise.all(
        threads.map(async (thread) => {
          while (next < from + runs) {
            const batch = { from: next, runs: Math.min(BATCH, from + runs - next) };
            next += batch.runs;
            const tally = await tallyOf(thread, batch);
            join(total, tally);
            onTally(total, tally);
          }
        }),
      );
      return total;
    },
    async end() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

const tallyOf = (thread: Worker, batch: Batch): Promise<Tally> =>
  new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('message', (tally: Tally) => {
      thread.off('error', reject);
      resolve(tally);
    });
    thread.postMessage(batch);
  });

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

if (!isMainThread) {
  // Faults are answers here, by the thousand; no one reads where they were made.
  Error.stackTraceLimit = 0;
  parentPort!.on('message', ({ from, runs }: Batch) => {
    void runSeeds(from, runs).then((tally) => parentPort!.postMessage(tally));
  });
}
