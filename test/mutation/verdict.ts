// What became of a mutant, and the judge that decides it: a thread with a bundle of tests and histories in it.
//
// Invariant: patience is counted in the thread's own CPU time, so that a busy machine kills no one. A thread that has
// nothing left to wait for ends by itself and is told as such.
import { Worker } from 'node:worker_threads';

/**
 * `stillborn`: not a program, so not a mutant. `load`: an assertion of the mutated file itself failed. `endless`: used more than
 * CPU_MAX_MS, or waits for what never comes. `crash`: the thread broke down, by an error that no one caught or for want of memory.
 */
export const verdictKinds = [
  'test',
  'property',
  'history',
  'load',
  'crash',
  'endless',
  'survived',
  'stillborn',
] as const;
export interface Verdict {
  readonly kind: (typeof verdictKinds)[number];
  /** The test or history that failed, or the error. */
  readonly by?: string;
}

/** The whole run takes a thread about 1.5 s; what needs ten times as much never ends. */
const CPU_MAX_MS = 20_000;
const LOOK_MS = 200;
const MEMORY_MAX_MB = 1024;

export function judged(bundle: string, cpuMaxMs = CPU_MAX_MS): Promise<Verdict> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./judge.ts', import.meta.url), {
      workerData: { bundle },
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MAX_MB },
      // A mutant's own warnings are no one's.
      stdout: true,
      stderr: true,
    });
    const end = (verdict: Verdict) => {
      clearInterval(look);
      void worker.terminate();
      resolve(verdict);
    };
    const look = setInterval(() => {
      // Throws where the thread has just ended, which is told by itself.
      worker.cpuUsage().then(
        ({ user, system }) => {
          const usedMs = (user + system) / 1000;
          if (usedMs > cpuMaxMs) end({ kind: 'endless', by: `${Math.round(usedMs)} ms of CPU` });
        },
        () => undefined,
      );
    }, LOOK_MS);
    worker.on('message', end);
    worker.on('error', (error) => end({ kind: 'crash', by: error.message }));
    worker.on('exit', (code) => end({ kind: 'endless', by: `waits for what never comes (exit ${code})` }));
  });
}
