// `npm run lab -- life --packages`: two nodes from the first package to its purge, on this machine's own system and on Debian 13.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePackage } from '../../../build/release/node-packages.ts';
import { ROOT_VARIABLE } from '../../../lab/booted/booted-machine.ts';
import type { Told } from '../../../lab/booted/stories/life-command.ts';
import { debian13 } from '../../support/debian.ts';
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
    const root = debian13();
    await life(root);
    // The disk is an overlay: the next one finds it as it was.
    expect(existsSync(join(root, 'usr/lib/vipshift'))).toBe(false);
  }, 900_000);
});

/** Runs a script in a copy of it, where no systemd runs, as an image is built. The packages are in /root. */
const image = (root: string, script: string) =>
  spawnSync(
    'unshare',
    [
      ...['--mount', '--propagation', 'private', 'bash', '-ec'],
      `mount -t tmpfs tmpfs "$1"; mkdir "$1"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
cp "$3"/*.deb "$1/root/root/"; mount -t proc proc "$1/root/proc"
exec chroot "$1/root" bash -ec "$4"`,
      ...['bash', mkdtempSync(join(folder, 'image-')), root, folder, script],
    ],
    { encoding: 'utf8', env: { PATH: process.env.PATH, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' } },
  );

it('in an image it is enabled, installed again, downgraded and kept configured; after its purge nothing is left', () => {
  const { status, stdout, stderr } = image(
    debian13(),
    `cd /root
dpkg --install now.deb && dpkg --install now.deb
systemctl is-enabled vipshift-notify.service vipshift-notify.socket
echo '# mine' >>/etc/vipshift/notify.conf
dpkg --install before.deb
dpkg-query --show vipshift-notify && tail -n 1 /etc/vipshift/notify.conf
dpkg --verify vipshift-notify
dpkg --purge vipshift-notify
echo 'left:'; find / -xdev -name '*vipshift*' -not -path '/proc/*'`,
  );
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stdout).toContain('enabled\nenabled\n');
  expect(stdout).toContain('vipshift-notify\t0.9.0-1\n# mine\n');
  expect(stdout).toMatch(/left:\n$/);
}, 300_000);
