// `npm run lab -- life --packages`: two nodes from the first package to its purge.
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makePackage } from '../../../build/release/node-packages.ts';
import type { Told } from '../../../lab/booted/stories/life-command.ts';
import { runLab } from '../netns/lab-run.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-packages-'));
  for (const [name, version] of [
    ['before', '0.9.0'],
    ['now', '1.0.1'],
  ] as const) {
    const input = { homepage: 'https://example.invalid', date: 1_764_000_000, version };
    renameSync(join(folder, makePackage(folder, 'deb', input)), join(folder, `${name}.deb`));
  }
  // On a machine without nfpm Go builds it first.
}, 1_200_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('two nodes get the package, are set up, fail over, upgraded, rebooted, and left as they were', async () => {
  const run = runLab(['life', '--json', '--packages', folder]);
  const status = await run.ended();
  const { out, err } = run.said();
  // 1 is a broken chapter, which is named below.
  if (status !== 0 && status !== 1) throw new Error(`the lab ended with status ${status}:\n${err}`);
  const told = JSON.parse(out) as readonly Told[];
  expect(told.filter(({ trouble }) => trouble !== undefined)).toEqual([]);
  expect(told.map(({ chapter }) => chapter)).toEqual([
    ...['install', 'configure', 'selftest', 'failover', 'upgrade', 'reboot', 'remove', 'purge'],
  ]);
}, 300_000);
