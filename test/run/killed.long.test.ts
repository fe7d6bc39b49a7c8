// A run of the tests that is killed half-way leaves nothing behind: no process, namespace, link, mount, control group or temporary folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import {
  descendantsOf,
  isLiving,
  livingNamespaces,
  namespacesOf,
  type Process,
  ticksNow,
} from '../lab/processes.ts';
import { suites, UP_FOLDER, UP_MAX_MS } from './killed/up.ts';

const root = join(import.meta.dirname, '..', '..');
const GONE_MAX_MS = 60_000;
vi.setConfig({ testTimeout: UP_MAX_MS + 2 * GONE_MAX_MS });

interface Run extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Its temporary folder. */
  readonly temporary: string;
  /** Resolves with vitest's own process when all suites are up. */
  up(): Promise<number>;
}

function startRun(): Run {
  // Short: there are sockets further down, and the path of one has 107 bytes at most.
  const folder = mkdtempSync(join(tmpdir(), 'k-'));
  const [temporary, up] = [join(folder, 'tmp'), join(folder, 'up')];
  for (const one of [temporary, up]) mkdirSync(one);
  // Not what this run has told its own workers: which one they are, and where its fork servers are.
  const own = Object.entries(process.env).filter(([name]) => !/^(VITEST|VIPSHIFT_LAB)/.test(name));
  const child = spawn(
    'npx',
    ['vitest', 'run', '--config', 'test/run/killed/vitest.config.ts', '--root', '.'],
    {
      cwd: root,
      env: { ...Object.fromEntries(own), TMPDIR: temporary, [UP_FOLDER]: up },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    child,
    temporary,
    async up() {
      const allUp = () => {
        if (hasEnded()) throw new Error(`the run ended by itself:\n${said}`);
        return readdirSync(up).length === suites.length;
      };
      await vi.waitUntil(allUp, { timeout: UP_MAX_MS, interval: 50 });
      return Number(readFileSync(join(up, suites[0]), 'utf8'));
    },
    async [Symbol.asyncDispose]() {
      if (!hasEnded()) process.kill(-child.pid!, 'SIGKILL');
    },
  };
}

/** Those of the booted machines. */
const controlGroups = (): readonly string[] =>
  ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']
    .filter((mount) => existsSync(mount))
    .flatMap((mount) => readdirSync(mount))
    .filter((name) => name.startsWith('vipshift-'));

const linksAndMounts = (): readonly string[] =>
  ['/proc/self/net/dev', '/proc/self/mountinfo'].flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      // The names alone: the rest are counters.
      .map((line) => (file.endsWith('dev') ? line.split(':')[0]! : line)),
  );

it.each([
  ['SIGINT', 'of all its processes'],
  ['SIGTERM', 'of all its processes'],
  ['SIGKILL', 'of all its processes'],
  ['SIGINT', 'of vitest alone'],
  ['SIGTERM', 'of vitest alone'],
  ['SIGKILL', 'of vitest alone'],
] as const)('nothing is left after %s %s', async (signal, whose) => {
  const before = new Set([...linksAndMounts(), ...controlGroups()]);
  await using run = startRun();
  const vitest = await run.up();
  const started: readonly Process[] = descendantsOf(run.child.pid!);
  const own = new Set(namespacesOf('self'));
  const namespaces = [...new Set(started.flatMap(({ pid }) => namespacesOf(pid)))].filter((n) => !own.has(n));
  for (const program of [
    'systemd-nspawn',
    'vipshift-notify',
    '/keepalived',
    'fork-server.py',
    'emulator.py',
    'serverless.js',
    'lab/main.ts',
  ])
    expect(started.map(({ command }) => command)).toContainEqual(expect.stringContaining(program));
  expect(controlGroups().filter((one) => !before.has(one))).not.toEqual([]);
  expect(namespaces.length, 'the lab has namespaces').toBeGreaterThan(3);
  expect(readdirSync(run.temporary)).not.toEqual([]);

  const killedAt = ticksNow();
  process.kill(whose === 'of vitest alone' ? vitest : -run.child.pid!, signal);

  const left = () => {
    const living = livingNamespaces(killedAt);
    return {
      processes: started.filter(isLiving).map(({ command }) => command),
      namespaces: namespaces.filter((namespace) => living.has(namespace)),
      linksAndMounts: linksAndMounts().filter((one) => !before.has(one)),
      controlGroups: controlGroups().filter((one) => !before.has(one)),
      folders: readdirSync(run.temporary),
    };
  };
  await expect
    .poll(left, { timeout: GONE_MAX_MS, interval: 200 })
    .toEqual({ processes: [], namespaces: [], linksAndMounts: [], controlGroups: [], folders: [] });
});
