/**
 * Apt: installs Debian's packages for their programs alone, without starting a service.
 *
 * Invariant: nothing is left behind that changes how the machine installs later. That systemd runs is hidden from the
 * packages' scripts in a mount namespace that ends with apt; a policy-rc.d would stay after a SIGKILL.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import type { Machine } from './machine.ts';
import { bringsService } from './needs.ts';

const LISTS_MAX_MS = 300_000;
const INSTALL_MAX_MS = 1_200_000;
const settings = ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1'];
const update = ['apt-get', 'update', '-qq'];
const aptInstall = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends'];

/** Without systemd to ask, a package's script looks at the runlevel, and starts nothing at 1. */
function installing(packages: readonly string[], { systemd }: Machine): readonly string[] {
  const plain = ['env', ...settings, ...aptInstall, ...packages];
  if (!packages.some(bringsService) || !existsSync(`${systemd}/system`)) return plain;
  return ['unshare', '-m', 'sh', '-c', `mount -t tmpfs tmpfs ${systemd} && exec "$@"`, 'sh', ...plain];
}

const quoted = (word: string): string =>
  /^[\w./=:+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** One line for a shell that does the same. */
export function installLine(packages: readonly string[], machine: Machine): string {
  const sudo = machine.uid === 0 ? [] : ['sudo'];
  return [update, installing(packages, machine)]
    .map((words) => [...sudo, ...words].map(quoted).join(' '))
    .join(' && ');
}

/**
 * Installs the packages; fetches the lists first where there are none, and once more where they are too old to find a
 * package by. Throws with the end of what apt-get said.
 */
export function installPackages(packages: readonly string[], machine: Machine): void {
  const fetch = () => machine.say(`fetched the package lists, ${run(update, machine, LISTS_MAX_MS)} s`);
  const install = () => {
    const seconds = run(installing(packages, machine), machine, INSTALL_MAX_MS);
    machine.say(`installed ${packages.join(' ')}, ${seconds} s; no service was started`);
  };
  const fresh = !hasLists(machine.lists);
  if (fresh) fetch();
  try {
    install();
  } catch (error) {
    if (fresh) throw error;
    fetch();
    install();
  }
}

const hasLists = (folder: string): boolean =>
  existsSync(folder) && readdirSync(folder).some((name) => name.includes('_Packages'));

/** How many seconds it took. */
function run(words: readonly string[], { uid, env }: Machine, timeout: number): number {
  const beganMs = performance.now();
  const [program, ...args] = uid === 0 ? words : ['sudo', '-n', ...words];
  const ended = spawnSync(program!, args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (ended.status !== 0) {
    const said = (ended.stderr ?? '').trim().split('\n').slice(-5).join('\n');
    throw new Error(said || ended.error?.message || `${program} ended with ${ended.status ?? ended.signal}`);
  }
  return Math.round((performance.now() - beganMs) / 1000);
}
