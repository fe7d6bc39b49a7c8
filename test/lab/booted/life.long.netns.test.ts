// `npm run lab -- life`: two nodes from the first install, of the version before, to the last trace.
import { expect, it } from 'vitest';
import type { Told } from '../../../lab/booted/stories/life-command.ts';
import { runLab } from '../netns/lab-run.ts';

it('two nodes are installed, configured, booted, fail over, upgraded, filled up, misconfigured and repaired, rebooted, and left as they were', async () => {
  const run = runLab(['life', '--json']);
  const status = await run.ended();
  const { out, err } = run.said();
  // 1 is a broken chapter, which is named below.
  if (status !== 0 && status !== 1) throw new Error(`the lab ended with status ${status}:\n${err}`);
  const told = JSON.parse(out) as readonly Told[];
  expect(told.filter(({ trouble }) => trouble !== undefined)).toEqual([]);
  expect(told.map(({ chapter }) => chapter)).toEqual([
    ...['install', 'configure', 'boot', 'failover', 'upgrade'],
    ...['full disk', 'wrong configuration', 'reboot', 'uninstall'],
  ]);
}, 300_000);
