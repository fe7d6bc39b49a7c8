import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hasSaid, processesOf, runLab } from './lab-run.ts';

const LOOK_EVERY_MS = 20;

/** Bounded: the kernel needs a moment to take a pid namespace apart. */
async function goneWithin(mark: string, limitMs: number): Promise<string[]> {
  const untilMs = performance.now() + limitMs;
  let left = processesOf(mark);
  while (left.length > 0 && performance.now() < untilMs) {
    await delay(LOOK_EVERY_MS);
    left = processesOf(mark);
  }
  return left;
}

describe('the sandbox of the lab', () => {
  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'leaves no process behind when the lab gets %s with everything running: namespaces die with their first process',
    async (signal) => {
      const run = runLab(['--scenario', 'host-dies']);
      await hasSaid(run, 'local AWS is up');
      expect(processesOf(run.mark).length).toBeGreaterThan(2);
      run.child.kill(signal);
      await run.ended();
      expect(await goneWithin(run.mark, 30_000)).toEqual([]);
    },
  );
});

describe('the command line of the lab', () => {
  it('refuses a scenario that it does not know, and names those that it does', async () => {
    const run = runLab(['--scenario', 'host-sneezes']);
    expect(await run.ended()).toBe(2);
    expect(run.said().err).toContain('--scenario is "host-sneezes", expected one of: host-dies, ');
  });

  it('refuses a number of runs that is none', async () => {
    const run = runLab(['--runs', 'many']);
    expect(await run.ended()).toBe(2);
    expect(run.said().err).toContain('--runs is "many", expected a whole number from 1 to 1000');
  });
});
