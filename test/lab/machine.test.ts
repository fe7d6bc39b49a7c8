import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Machine } from '../../lab/machine/machine.ts';
import { needs, type Purpose } from '../../lab/machine/needs.ts';
import { prepareMachine } from '../../lab/machine/prepare.ts';

const root = join(import.meta.dirname, '..', '..');

let folder: string;
let bin: string;
let said: string[];
/** What a stand-in writes down: its arguments. */
let noted: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-machine-'));
  bin = join(folder, 'bin');
  said = [];
  mkdirSync(bin);
  for (const { programs } of needs) program(programs[0]!, 'exit 0');
  program('python3', 'echo 3.12; echo ok');
  program('env', 'shift 2; exec "$@"');
  program('sh', 'exec /bin/sh "$@"');
  noted = `echo "$*" >> ${log()}`;
  program('apt-get', noted);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const log = () => join(folder, 'log');
const called = () => (existsSync(log()) ? readFileSync(log(), 'utf8').trim().split('\n') : []);

function program(name: string, body: string): void {
  writeFileSync(join(bin, name), `#!/bin/bash\n${body}\n`);
  chmodSync(join(bin, name), 0o755);
}
const without = (...names: string[]) => {
  for (const name of names) rmSync(join(bin, name));
};
/** An apt-get that brings these programs when it installs, as a real one does. */
function aptBrings(...names: string[]): void {
  const made = names.map((name) => `echo '#!/bin/bash' > ${bin}/${name}; /bin/chmod +x ${bin}/${name}`);
  program('apt-get', [noted, '[[ $1 == update ]] && exit 0', ...made].join('\n'));
}
function withLists(): void {
  mkdirSync(join(folder, 'lists'));
  writeFileSync(join(folder, 'lists', 'debian_dists_main_binary-amd64_Packages'), '');
}

/** The machine whose programs are those in `bin`. */
const machine = (more: Partial<Machine> = {}): Machine => ({
  uid: 0,
  venvs: join(folder, 'venv'),
  lists: join(folder, 'lists'),
  systemd: join(folder, 'systemd'),
  say: (text) => void said.push(text),
  ...more,
  env: { PATH: bin, ...more.env },
});
const prepare = (purpose: Purpose, more?: Partial<Machine>) =>
  prepareMachine(purpose, undefined, machine(more));
/** The lines that a machine is refused with. */
const refusal = (purpose: Purpose, more?: Partial<Machine>): Promise<readonly string[]> =>
  prepare(purpose, more).then(
    () => ['nothing was refused'],
    (error: Error) => [error.name, ...error.message.split('\n')],
  );
const noInstall = { env: { VIPSHIFT_NO_INSTALL: '1' } };

describe('a machine that has everything', () => {
  it('is left as it is, without a word', async () => {
    expect(await prepare('test')).toEqual({ entry: 'root', path: bin });
    expect([said, called()]).toEqual([[], []]);
  });

  it('needs no more for the demo than the demo needs', async () => {
    for (const { programs, purposes } of needs) if (!purposes.includes('demo')) without(programs[0]!);
    expect(needs.filter(({ purposes }) => purposes.includes('demo')).map(({ debian }) => debian)).toEqual([
      'curl',
      'util-linux',
    ]);
    await prepare('demo');
    expect(called()).toEqual([]);
  });

  it('takes another browser, or the one that is named', async () => {
    without('chromium');
    expect((await refusal('fast', noInstall))[1]).toContain('chromium');
    await prepare('fast', { env: { CHROMIUM: '/opt/browser' } });
    program('google-chrome', 'exit 0');
    await prepare('fast');
    expect(called()).toEqual([]);
  });
});

describe('a machine that lacks programs', () => {
  it('fetches the lists where there are none, installs what is missing, and says each in one line', async () => {
    without('curl', 'zsh', 'ip', 'ss');
    aptBrings('curl', 'zsh', 'ip', 'ss');
    await prepare('test');
    expect(called()).toEqual(['update -qq', 'install -y -qq --no-install-recommends curl iproute2 zsh']);
    expect(said).toEqual([
      'npm test needs what is not on this machine: curl iproute2 zsh',
      expect.stringMatching(/^fetched the package lists, \d+ s$/),
      expect.stringMatching(/^installed curl iproute2 zsh, \d+ s; no service was started$/),
    ]);
  });

  it('installs from the lists that are there', async () => {
    without('curl');
    aptBrings('curl');
    withLists();
    await prepare('demo');
    expect(called()).toEqual(['install -y -qq --no-install-recommends curl']);
  });

  it('fetches the lists once more when a package cannot be had by those that are there', async () => {
    without('curl');
    withLists();
    program('apt-get', `${noted}\n[[ $1 == update ]] || { echo "404 Not Found" >&2; exit 100; }`);
    expect(await refusal('demo')).toEqual([
      'UnpreparedError',
      'npm run demo needs what is not on this machine: curl',
      'apt-get failed: 404 Not Found. To try it by hand:',
      expect.stringContaining('apt-get install'),
    ]);
    const [once] = ['install -y -qq --no-install-recommends curl'];
    expect(called()).toEqual([once, 'update -qq', once]);
  });

  it('is told so when the packages did not bring it', async () => {
    without('curl');
    expect((await refusal('demo')).at(-1)).toBe('Installed, but still missing: curl');
  });

  it('gets python3-venv for a python3 that cannot make an environment, once for all that need it', async () => {
    program('python3', 'echo 3.11; exit 1');
    expect((await refusal('test', noInstall))[1]).toBe(
      'npm test needs what is not on this machine: python3-venv',
    );
  });

  it('does not hide systemd from packages that bring no service', async () => {
    mkdirSync(join(folder, 'systemd', 'system'), { recursive: true });
    without('curl');
    expect((await refusal('demo', noInstall)).at(-1)).not.toContain('unshare');
  });

  it('hides systemd from those that do: their scripts would start it', async () => {
    mkdirSync(join(folder, 'systemd', 'system'), { recursive: true });
    without('nginx');
    aptBrings('nginx');
    withLists();
    program('unshare', `echo "unshare $1 $4" >> ${log()}\n[[ $1 == -m ]] && exec "\${@:6}"; exit 0`);
    await prepare('lab');
    expect(called().slice(-2)).toEqual([
      `unshare -m mount -t tmpfs tmpfs ${join(folder, 'systemd')} && exec "$@"`,
      'install -y -qq --no-install-recommends nginx',
    ]);
  });
});

describe('a machine that may not be changed', () => {
  const line = 'apt-get update -qq && env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install';

  it('stops with the line to paste when VIPSHIFT_NO_INSTALL is set', async () => {
    without('curl');
    expect(await refusal('demo', noInstall)).toEqual([
      'UnpreparedError',
      'npm run demo needs what is not on this machine: curl',
      'Nothing was installed: VIPSHIFT_NO_INSTALL is set. To install it:',
      `${line} -y -qq --no-install-recommends curl`,
    ]);
    expect([said, called()]).toEqual([[], []]);
  });

  it.each([
    ['there is no sudo', undefined, 'this is not root, and there is no sudo'],
    ['sudo asks for a password', 'exit 1', 'this is not root, and sudo asks for a password'],
  ])('stops for a user where %s', async (_why, sudo, why) => {
    without('curl');
    if (sudo !== undefined) program('sudo', sudo);
    const [, , reason, paste] = await refusal('demo', { uid: 1000 });
    expect(reason).toBe(`Nothing was installed: ${why}. To install it:`);
    expect(paste).toMatch(/^sudo apt-get update -qq && sudo env .* apt-get install .* curl$/);
    expect(called()).toEqual([]);
  });

  it('installs for a user whom sudo asks for nothing', async () => {
    without('curl');
    aptBrings('curl');
    program('sudo', `shift; [[ $1 == true ]] && exit 0; echo -n "sudo " >> ${log()}; exec "$@"`);
    expect(await prepare('demo', { uid: 1000 })).toEqual({ entry: 'rootless', path: bin });
    expect(called()).toEqual(['sudo update -qq', 'sudo install -y -qq --no-install-recommends curl']);
  });

  it('stops where there is no apt-get', async () => {
    without('curl', 'apt-get');
    expect((await refusal('demo'))[2]).toMatch(/^Nothing was installed: there is no apt-get here/);
  });
});

describe('a machine that may not make namespaces', () => {
  beforeEach(() => {
    without('curl');
    program('unshare', 'echo "unshare failed: Operation not permitted" >&2; exit 1');
  });

  it('stops before anything is installed, with a line that runs the command elsewhere', async () => {
    expect(await refusal('test')).toEqual([
      'UnpreparedError',
      'npm test needs namespaces: root may not make namespaces here (unshare failed: Operation not permitted), as in a container without CAP_SYS_ADMIN',
      expect.stringMatching(/^docker run .*--privileged .*'npm ci && npm test'$/),
    ]);
    expect(called()).toEqual([]);
  });

  it('stops a user with what allows it, or with the same line', async () => {
    expect((await refusal('lab', { uid: 1000 })).at(-1)).toMatch(
      /^sudo sysctl -w \S+=\d+$|^docker run .*'npm ci && npm run lab'$/,
    );
  });

  it('asks no one for namespaces who does without', async () => {
    aptBrings('curl');
    await prepare('demo');
    expect(called()).toContain('update -qq');
  });
});

describe('npm run machine', () => {
  const main = join(root, 'lab', 'machine', 'main.ts');
  const run = (purpose: string) =>
    spawnSync(process.execPath, [main, purpose], {
      env: { PATH: bin, VIPSHIFT_NO_INSTALL: '1' },
      encoding: 'utf8',
    });

  it('ends with 3 and the line to paste', () => {
    without('curl');
    const { status, stdout, stderr } = run('demo');
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/apt-get install .* curl/);
  });

  it('ends with 0 where nothing is missing', () => {
    expect(run('demo')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  it('ends with 2 for a command that it does not know', () => {
    expect(run('tests')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('usage: npm run machine -- demo|lab|'),
    });
  });
});

it('comes before every command of npm that runs tests', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const running = Object.keys(scripts).filter((name) => scripts[name]!.startsWith('vitest run'));
  const before = (name: string) => {
    const needsAll = !['test:fast', 'coverage'].includes(name);
    return `node lab/machine/main.ts ${needsAll ? 'test' : 'fast'}`;
  };
  expect(running.map((name) => scripts[`pre${name}`])).toEqual(running.map(before));
  expect(running).toContain('test');
});

// Of Debian's smallest system, of Node, or made by the test itself.
const everywhere = new Set([
  'bash',
  'sh',
  'cat',
  'ls',
  'mv',
  'tee',
  'tar',
  'mkfifo',
  'npm',
  'npx',
  'python3',
  'true',
  'sudo',
  // Of bsdutils, which is essential.
  'script',
]);

it('knows every program that a lab, a measurement or a test starts by its name', () => {
  const files = globSync('{lab,live,bench,test}/**/*.ts', { cwd: root });
  const started = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    const calls = text.matchAll(
      /\b(?:spawn|spawnSync|execFile|execFileSync|promisify\(execFile\))\(\s*'([\w-]+)'/g,
    );
    return [...calls].map(([, name]) => name!);
  });
  const known = new Set(needs.flatMap(({ programs }) => programs));
  expect(started, 'the pattern finds them').toEqual(
    expect.arrayContaining(['ip', 'openssl', 'unshare', 'zsh']),
  );
  expect(started.filter((name) => !known.has(name) && !everywhere.has(name))).toEqual([]);
});
