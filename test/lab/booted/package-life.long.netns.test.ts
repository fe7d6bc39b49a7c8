// `npm run lab -- life --packages`: two nodes from the first package to its purge, on this machine's own system and on Debian 13.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePackage } from '../../../build/release/node-packages.ts';
import { ROOT_VARIABLE } from '../../../lab/booted/booted-machine.ts';
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

async function life(root: string): Promise<void> {
  const run = runLab(['life', '--json', '--packages', folder], { [ROOT_VARIABLE]: root });
  const status = await run.ended();
  const { out, err } = run.said();
  // 1 is a broken chapter, which is named below.
  if (status !== 0 && status !== 1) throw new Error(`the lab ended with status ${status}:\n${err}`);
  const told = JSON.parse(out) as readonly Told[];
  expect(told.filter(({ trouble }) => trouble !== undefined)).toEqual([]);
  expect(told.map(({ chapter }) => chapter)).toEqual([
    ...['install', 'configure', 'selftest', 'failover', 'upgrade', 'reboot', 'remove', 'purge'],
  ]);
}

describe('two nodes get the package, are set up, fail over, upgraded, rebooted, and left as they were', () => {
  it('on this machine’s own system', () => life('/'), 300_000);

  it('on Debian 13', async () => {
    const made = spawnSync(join(import.meta.dirname, '../../../lab/booted/boot-root.bash'), ['trixie'], {
      encoding: 'utf8',
    });
    // On standard error how long it took to make, the first time.
    if (made.status !== 0) throw new Error(`there is no Debian 13 to boot: ${made.stderr}`);
    process.stderr.write(made.stderr);
    const root = made.stdout.trim();
    expect(readFileSync(join(root, 'etc/debian_version'), 'utf8')).toMatch(/^13/);
    await life(root);
    // The disk is an overlay: the next one finds it as it was.
    expect(existsSync(join(root, 'usr/lib/vipshift'))).toBe(false);
  }, 900_000);
});
