import { expect, it } from 'vitest';
import type { ScenarioResult } from '../../../lab/netns/scenario/run-scenario.ts';
import { runLab } from './lab-run.ts';

it('breaks the healing partition for a controller that hears MASTER only: the master that never left says nothing', async () => {
  // On a busy machine the master may miss adverts after all, leave MASTER and come back to it: then it does say MASTER.
  const run = await firstThat((status) => status === 1);
  const [result] = JSON.parse(run.said().out) as ScenarioResult[];
  expect(result?.verdict).toBe('broken');
  expect(result?.broken).toContainEqual(expect.stringContaining('for node a to own the VIP'));
  // The node that stepped down has let the address go, so no one answers any more.
  expect(result?.outageMs).toBeGreaterThan(10_000);
}, 300_000);

/** The first of three runs that ends with such a status. */
async function firstThat(is: (status: number | null) => boolean): Promise<ReturnType<typeof runLab>> {
  const said: string[] = [];
  for (let n = 0; n < 3; n++) {
    const run = runLab(['--control', '--json', '--scenario', 'partition-heals']);
    if (is(await run.ended())) return run;
    said.push(run.said().out, run.said().err);
  }
  throw new Error(`no scenario broke in three runs: ${said.join('\n')}`);
}
