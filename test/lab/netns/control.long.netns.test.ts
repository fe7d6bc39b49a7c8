import { expect, it } from 'vitest';
import type { ScenarioResult } from '../../../lab/netns/scenario/run-scenario.ts';
import { runLab } from './lab-run.ts';

it('breaks the healing partition for a controller that hears MASTER only: the master that never left says nothing', async () => {
  const run = runLab(['--control', '--json', '--scenario', 'partition-heals']);
  expect(await run.ended(), run.said().err).toBe(1);
  const [result] = JSON.parse(run.said().out) as ScenarioResult[];
  expect(result?.verdict).toBe('broken');
  expect(result?.broken).toContainEqual(expect.stringContaining('for node a to own the VIP'));
  // The node that stepped down has let the address go, so no one answers any more.
  expect(result?.outageMs).toBeGreaterThan(10_000);
}, 180_000);
