import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const script = join(root, '.ci', 'run');
let folder: string;
let bin: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
  bin = join(folder, 'bin');
  mkdirSync(join(folder, '.ci'));
  mkdirSync(bin);
  cpSync(script, join(folder, '.ci', 'run'));
  symlinkSync(process.execPath, join(bin, 'node'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function command(name: string, body: string): void {
  writeFileSync(join(bin, name), `#!/bin/bash\n${body}\n`);
  chmodSync(join(bin, name), 0o755);
}

interface Report {
  readonly passed?: number;
  readonly failed?: number;
  readonly skipped?: number;
  /** Files that broke before their first test. */
  readonly unborn?: number;
}

/** As vitest's json reporter writes it. */
function reported({ passed = 0, failed = 0, skipped = 0, unborn = 0 }: Report): string {
  const testResults = Array.from({ length: unborn }, () => ({ status: 'failed', assertionResults: [] }));
  const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped };
  return JSON.stringify({ ...counts, testResults });
}

/** An npm whose two test commands write such reports and whose other commands end with 0, but for the one named. */
function npm(report: Report, broken = 'nothing', long: Report = { passed: 1 }): void {
  const lines = [
    `[[ $* == ${JSON.stringify(broken)}* ]] && exit 1`,
    `[[ $1 == test ]] && echo '${reported(report)}' > .lab/vitest.json`,
    `[[ $2 == test:long ]] && echo '${reported(long)}' > .lab/vitest-long.json`,
    'exit 0',
  ];
  command('npm', lines.join('\n'));
}

function run(): { status: number | null; last: string | undefined; output: string } {
  const system = ['/usr/bin', '/bin', '/usr/sbin', dirname(process.execPath)];
  const env = { PATH: [bin, ...system].join(delimiter) };
  const { status, stdout, stderr } = spawnSync(join(folder, '.ci', 'run'), { env, encoding: 'utf8' });
  return { status, last: stdout.trimEnd().split('\n').at(-1), output: stdout + stderr };
}

describe('install scripts', () => {
  const read = (path: string) =>
    JSON.parse(readFileSync(join(root, path), 'utf8')) as Record<string, unknown>;
  const { allowScripts } = read('package.json') as { allowScripts: Record<string, boolean> };

  it('are known, each: a package that brings a new one is seen before it runs anywhere', () => {
    const { packages } = read('package-lock.json') as {
      packages: Record<string, { hasInstallScript?: boolean }>;
    };
    const having = Object.keys(packages).filter((path) => packages[path]!.hasInstallScript === true);
    expect(having.map((path) => path.split('node_modules/').at(-1))).toEqual(
      expect.arrayContaining(Object.keys(allowScripts)),
    );
    expect(having).toHaveLength(Object.keys(allowScripts).length);
  });

  it('run only where they are allowed, also with the npm of Node 20 and 22, which does not read that list', () => {
    const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name]);
    const ci = readFileSync(join(root, '.ci', 'run'), 'utf8');
    expect(ci).toContain('npm ci --no-audit --no-fund --ignore-scripts &&');
    expect(/npm rebuild --ignore-scripts=false (.+)/.exec(ci)?.[1]?.split(' ')).toEqual(allowed);
    for (const page of ['docs/install.md', 'CONTRIBUTING.md']) {
      const text = readFileSync(join(root, page), 'utf8').replace(/\s+/g, ' ');
      expect(text, page).toContain(`npm ci --ignore-scripts && npm rebuild ${allowed.join(' ')}\``);
    }
  });
});

describe('.ci/run', () => {
  it('ends with 0 and the count of both test commands when every step passed', () => {
    npm({ passed: 12 });
    expect(run()).toMatchObject({ status: 0, last: '13 passed, 0 failed' });
  });

  it.each<[string, Report, string | undefined, string]>([
    ['a test failed', { passed: 3, failed: 2 }, undefined, '4 passed, 2 failed'],
    ['a file broke before its first test', { passed: 3, unborn: 1 }, undefined, '4 passed, 1 failed'],
    ['no test was executed', {}, undefined, '1 passed, 0 failed'],
    [
      'a test was skipped: a suite that cannot run has to fail',
      { passed: 3, skipped: 1 },
      undefined,
      '4 passed, 0 failed',
    ],
    ['the machine could not be prepared', { passed: 3 }, 'run machine -- test', '4 passed, 0 failed'],
    ['only the check failed', { passed: 3 }, 'run check', '4 passed, 0 failed'],
    ['only the demo failed', { passed: 3 }, 'run demo', '4 passed, 0 failed'],
    ['a judge found otherwise', { passed: 3 }, 'run judges', '4 passed, 0 failed'],
    ['an allowed install script failed', { passed: 3 }, 'rebuild', '0 passed, 0 failed'],
    ['the long tests did not run', { passed: 3 }, 'run test:long', '3 passed, 0 failed'],
    ['nothing could be installed', { passed: 3 }, 'ci --no-audit --no-fund', '0 passed, 0 failed'],
  ])('does not end with 0 when %s', (_why, report, broken, last) => {
    npm(report, broken);
    expect(run()).toMatchObject({ status: 1, last });
  });

  it.each<[string, Report, string]>([
    ['failed', { failed: 1 }, '3 passed, 1 failed'],
    ['was skipped', { passed: 1, skipped: 1 }, '4 passed, 0 failed'],
  ])('does not end with 0 when a long test %s', (_why, long, last) => {
    npm({ passed: 3 }, undefined, long);
    expect(run()).toMatchObject({ status: 1, last });
  });
});
