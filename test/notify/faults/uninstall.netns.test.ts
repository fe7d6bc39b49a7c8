// An uninstall that is killed in the middle: the next one finds all that is left, whatever that is.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shimPath } from '../../../lab/shim/node.ts';

let folder: string;
let root: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-killed-'));
  root = join(folder, 'root');
  mkdirSync(root);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const shim = (path: string, ...args: string[]) =>
  spawnSync(shimPath, [...args, '--root', root], { encoding: 'utf8', timeout: 60_000, env: { PATH: path } });
const path = process.env.PATH ?? '';
const list = () => readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted();

/** A PATH with an `rm` that ends the uninstall with its `nth` call, before it removes anything. */
function killingAt(nth: number): string {
  const count = join(folder, 'count');
  writeFileSync(count, '');
  const rm = `#!/bin/sh
echo >>${count}
[ "$(wc -l <${count})" -ne ${nth} ] || { kill -KILL $PPID; exit 1; }
exec /bin/rm "$@"
`;
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'bin', 'rm'), rm, { mode: 0o755 });
  return `${join(folder, 'bin')}:${path}`;
}

test.each([1, 4, 8, 12, 16, 20])('killed at its removal number %i is made up for by the next one', (nth) => {
  expect(
    shim(path, 'install', '--bus', 'b', '--instance', 'VI_WEB=web', '--eip-interface', 'ens6').status,
  ).toBe(0);
  const conf = join(root, 'etc/vipshift/notify.conf');
  writeFileSync(conf, `${readFileSync(conf, 'utf8')}run_dir = /srv/run\nstate_dir = /srv/state\n`);
  for (const [dir, name] of [
    ['srv/run', 'credentials'],
    ['srv/run', 'status.0'],
    ['srv/state', 'spool'],
    ['srv/state', 'identity'],
  ]) {
    mkdirSync(join(root, dir!), { recursive: true });
    writeFileSync(join(root, dir!, name!), 'x');
  }
  expect(shim(killingAt(nth), 'uninstall', '--purge').signal).toBe('SIGKILL');
  expect(list().length).toBeGreaterThan(0);
  expect(shim(path, 'uninstall', '--purge').status).toBe(0);
  expect(list().filter((name) => /vipshift|keepalived|srv\/|\.d$|wants/.test(name))).toEqual([]);
});
