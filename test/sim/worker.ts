// A thread that runs batches of histories.
import { parentPort } from 'node:worker_threads';
import { runSeeds } from './run.ts';

// Faults are answers here, by the thousand; no one reads where they were made.
Error.stackTraceLimit = 0;

parentPort!.on('message', ({ from, runs }: { from: number; runs: number }) => {
  void runSeeds(from, runs).then((tally) => parentPort!.postMessage(tally));
});
