/**
 * Needs: the programs beside Node that this project runs, the commands that run them, and Debian's package that brings each.
 * This is the only list of them.
 */
import { join } from 'node:path';
import { canMakePython } from '../aws/python.ts';
import { has, type Machine } from './machine.ts';

/** What a contributor types. */
export const commands = {
  demo: 'npm run demo',
  lab: 'npm run lab',
  live: 'npm run live -- --local',
  assumptions: 'npm run live -- --assumptions --local',
  bench: 'npm run bench',
  fast: 'npm run test:fast',
  test: 'npm test',
  judges: 'npm run judges',
  release: 'npm run release',
} as const;
export type Purpose = keyof typeof commands;

export interface Need {
  /** Any one of them is enough. */
  readonly programs: readonly string[];
  /** The name of Debian's and Ubuntu's package. */
  readonly debian: string;
  readonly purposes: readonly Purpose[];
  /** The package brings a service, which it starts unless it is kept from that. */
  readonly isService?: boolean;
  /** A variable that may name the program's place instead. */
  readonly variable?: string;
}

const root = join(import.meta.dirname, '..', '..');
const netns = ['lab', 'live', 'test'] as const;

/** In the order of the packages' names. Python is asked for in a way of its own. */
export const needs: readonly Need[] = [
  {
    programs: ['chromium', 'chromium-browser', 'google-chrome'],
    debian: 'chromium',
    purposes: ['fast', 'test'],
    variable: 'CHROMIUM',
  },
  { programs: ['curl'], debian: 'curl', purposes: ['demo', ...netns, 'assumptions', 'bench'] },
  { programs: ['dbus-daemon'], debian: 'dbus', purposes: ['lab', 'test'], isService: true },
  { programs: ['debootstrap'], debian: 'debootstrap', purposes: ['test'] },
  { programs: ['dpkg-deb'], debian: 'dpkg', purposes: ['test'] },
  { programs: ['git'], debian: 'git', purposes: ['fast', 'test', 'release'] },
  // It builds nfpm; a Go that is too old for that fetches the one that it needs (from Go 1.21 on).
  { programs: ['go'], debian: 'golang-go', purposes: ['test', 'release'] },
  { programs: ['ip'], debian: 'iproute2', purposes: netns },
  { programs: ['ss'], debian: 'iproute2', purposes: netns },
  { programs: ['iptables'], debian: 'iptables', purposes: netns },
  { programs: ['java'], debian: 'default-jdk-headless', purposes: ['judges'] },
  // The judge of rules is one file of Java, compiled as it starts: a runtime alone is not enough.
  { programs: ['javac'], debian: 'default-jdk-headless', purposes: ['judges'] },
  { programs: ['keepalived'], debian: 'keepalived', purposes: netns, isService: true },
  { programs: ['mvn'], debian: 'maven', purposes: ['judges'] },
  { programs: ['nginx'], debian: 'nginx', purposes: netns, isService: true },
  { programs: ['openssl'], debian: 'openssl', purposes: ['bench', 'test'] },
  { programs: ['rpm'], debian: 'rpm', purposes: ['test'] },
  { programs: ['shellcheck'], debian: 'shellcheck', purposes: ['test'] },
  { programs: ['systemd-analyze'], debian: 'systemd', purposes: ['test'], isService: true },
  { programs: ['systemd-nspawn'], debian: 'systemd-container', purposes: ['lab', 'test'], isService: true },
  { programs: ['setpriv'], debian: 'util-linux', purposes: ['demo', ...netns] },
  { programs: ['nsenter'], debian: 'util-linux', purposes: ['lab', 'test'] },
  { programs: ['unshare'], debian: 'util-linux', purposes: netns },
  { programs: ['zsh'], debian: 'zsh', purposes: ['fast', 'test'] },
];

const pythons: readonly { readonly requirements: string; readonly purposes: readonly Purpose[] }[] = [
  { requirements: join(root, 'lab', 'aws', 'requirements.txt'), purposes: ['demo', ...netns, 'assumptions'] },
  { requirements: join(root, 'bench', 'requirements.txt'), purposes: ['bench', 'test'] },
  { requirements: join(root, 'test', 'deploy', 'support', 'requirements.txt'), purposes: ['test'] },
];

export const needsNamespaces = (purpose: Purpose): boolean => netns.some((one) => one === purpose);

/** The packages that are not there, each once. */
export async function missingPackages(purpose: Purpose, machine: Machine): Promise<readonly string[]> {
  const { env, venvs: folder } = machine;
  const missing = needs
    .filter(({ purposes }) => purposes.includes(purpose))
    .filter(({ variable }) => variable === undefined || !env[variable])
    .filter(({ programs }) => !programs.some((program) => has(machine, program)))
    .map(({ debian }) => debian);
  for (const requirements of requirementsOf(purpose)) {
    if (!(await canMakePython({ path: env.PATH ?? '', folder, requirements }))) missing.push('python3-venv');
  }
  return [...new Set(missing)].sort();
}

/** The files of Python packages that a purpose needs an environment of. */
export const requirementsOf = (purpose: Purpose): readonly string[] =>
  pythons.filter(({ purposes }) => purposes.includes(purpose)).map(({ requirements }) => requirements);

export const bringsService = (debian: string): boolean =>
  needs.some((need) => need.debian === debian && need.isService === true);
