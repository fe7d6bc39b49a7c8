// A thread that runs batches of histories.
import { parentPort } from 'node:worker_threads';
import { runSeeds } from './run.ts';

// Faults are answers here, by the thousand; nobody reads where they were made.
Error.stackTraceLimit = 0;

parentPort!.on('message', async ({ from, runs }: { from: number; runs: number }) => {
  parentPort!.postMessage(await runSeeds(from, runs));
});
