// The rpm in an empty root, by rpm itself. Its scripts do not run there; test/lab/booted runs the same ones for the deb.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePackage } from '../../build/release/node-packages.ts';

let folder: string;
let root: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-rpm-'));
  root = join(folder, 'root');
  mkdirSync(root);
  for (const version of ['0.9.0', '1.0.1']) {
    const input = { homepage: 'https://example.invalid', date: 1_764_000_000, version };
    renameSync(join(folder, makePackage(folder, 'rpm', input)), join(folder, `${version}.rpm`));
  }
  expect(rpm('--initdb').status).toBe(0);
}, 1_200_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (version: string) => join(folder, `${version}.rpm`);
function rpm(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync('rpm', ['--root', root, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}
const own = () =>
  (readdirSync(root, { recursive: true }) as string[]).filter((path) => /vipshift/.test(path)).toSorted();

// Each goes on from the one before.
describe('the rpm', () => {
  it('is refused where what it needs is missing, each named: --test', () => {
    const { status, stderr } = rpm('--install', '--test', file('0.9.0'));
    expect(status).not.toBe(0);
    for (const need of ['bash >= 4.4', '/usr/bin/curl', 'ca-certificates', 'coreutils', 'systemd >= 240'])
      expect(stderr).toContain(`${need} is needed by vipshift-notify`);
  });

  it('has no configuration file that an upgrade would ask about', () => {
    expect(rpm('--query', '--package', '--configfiles', file('0.9.0')).stdout).toBe('');
  });

  it('is installed and verified: -V finds every file as it was packed', () => {
    expect(rpm('--install', '--nodeps', '--noscripts', file('0.9.0'))).toMatchObject({ status: 0 });
    expect(own()).toContain('usr/lib/systemd/system/vipshift-notify.service');
    expect(rpm('--verify', '--nodeps', '--noghost', 'vipshift-notify')).toMatchObject({
      status: 0,
      stdout: '',
    });
  });

  it('is upgraded by the next version', () => {
    expect(rpm('--upgrade', '--nodeps', '--noscripts', file('1.0.1'))).toMatchObject({ status: 0 });
    expect(rpm('--query', 'vipshift-notify').stdout).toBe('vipshift-notify-1.0.1-1.noarch\n');
    expect(rpm('--verify', '--nodeps', '--noghost', 'vipshift-notify').stdout).toBe('');
  });

  it('leaves nothing when it goes: -e', () => {
    expect(rpm('--erase', '--noscripts', 'vipshift-notify')).toMatchObject({ status: 0 });
    expect(own()).toEqual([]);
  });
});
