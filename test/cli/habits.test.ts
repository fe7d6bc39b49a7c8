// What every command has in common, from the front door and without any AWS: help, suggestions, statuses, streams,
// colours, completion, and the package as npm would install it.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packCli, stageCli } from '../../build/release/cli-package.ts';
import { everyCommand } from '../../cli/command/command.ts';
import { wordsOf } from '../../cli/failover/progress.ts';
import { program } from '../../cli/program.ts';
import { similar } from '../../shared/suggest.ts';
import { run, withoutAws } from './front-door/command-line.ts';

const root = join(import.meta.dirname, '..', '..');
const paths: string[][] = everyCommand(program())
  .filter((command) => command.commands.length === 0 && command.name() !== 'help')
  .map((command) => {
    const names: string[] = [];
    for (let at: typeof command | null = command; at?.parent != null; at = at.parent)
      names.unshift(at.name());
    return names;
  });

describe('help', () => {
  test('knows every command of the issue', () => {
    expect(paths.map((p) => p.join(' '))).toEqual(
      expect.arrayContaining([
        ...['add', 'list', 'show', 'set', 'remove', 'adopt'].map((name) => `vip ${name}`),
        ...['apply', 'status', 'doctor', 'pin', 'unpin', 'freeze', 'unfreeze', 'drain', 'undrain'],
        ...['failover', 'approve', 'deny'],
        ...['timeline', 'explain', 'owner', 'audit verify', 'keepalived-config', 'completion'],
      ]),
    );
  });

  test('of each command goes to stdout with status 0, and has an example and its options explained', () => {
    for (const command of everyCommand(program()).filter(
      (c) => c.commands.length === 0 && c.name() !== 'help',
    )) {
      let text = '';
      command.configureOutput({ writeOut: (part) => (text += part) });
      command.outputHelp();
      expect(text, command.name()).toMatch(/Examples?:\n {2}\$ vipshift /);
      for (const option of command.options)
        expect(option.description, `${command.name()} ${option.flags}`).not.toBe('');
    }
  });

  test('of the whole lists the exit statuses', async () => {
    const ran = await run(['--help']);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toMatch(/Exit status:\n {2}0 {4}done/);
  });

  test('version is the package’s', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(await run(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n` });
  });
});

describe('a wrong command line', () => {
  test.each([
    [['vpi', 'list'], /unknown command 'vpi'\n\(Did you mean vip\?\)\n {2}next: vipshift --help/],
    [['vip', 'frob'], /unknown command 'frob'\n {2}next: vipshift vip --help/],
    [['vip', 'shwo', 'web'], /Did you mean show\?/],
    [['timeline', '--outcom', 'failed'], /Did you mean --outcome\?/],
    [['vip', 'add'], /missing required argument 'name'\n {2}next: vipshift vip add --help/],
    [['vip', 'list', 'more'], /too many arguments/],
    [['vip', 'add', 'x', '--hold', 'neither'], /Allowed choices are both, master/],
    [['status', '--stage', '../..'], /expected a letter, then letters/],
    [['completion', 'fish'], /Allowed choices are bash, zsh/],
    [['doctor', '--port', '99999'], /expected 443, 443\/tcp or 53\/udp/],
    [['timeline', '--since', 'yesterday'], /--since yesterday: not a time\n {2}next: expected 90s/],
    [
      ['failover', 'web', '--to', 'i-0abc1234def567890'],
      /missing: --reason TEXT\n {2}next: vipshift failover --help/,
    ],
    [['failover'], /missing: the VIP, --to NODE, --reason TEXT/],
    [
      ['failover', 'web', '--to', '  ', '--reason', 'x'],
      /--to <node>.*expected instance id, Name tag, private address/s,
    ],
    [
      ['failover', 'web', '--to', 'i-0abc1234def567890', '--reason', ' '],
      /found only blanks, expected words/,
    ],
    [['freeze', 'web', '--reason', 'x'.repeat(501)], /found 501 characters, expected at most 500/],
    [['vip', 'remove', 'web', '--reason', 'x'.repeat(501)], /found 501 characters, expected at most 500/],
    [['deny', 'web', '--reason', ' '], /found only blanks, expected words/],
    [['failover', 'web', '--mode', 'by-magic'], /Allowed choices are routes-only, via-keepalived/],
    [['failover', 'web', '--release', 'soon'], /Allowed choices are safe, now, by-hand/],
    [['failover', 'web', '--claim-wait', '900'], /expected a whole number from 1 to 240/],
    [['failover', 'web', '--break-glass', '--approval'], /cannot be used with option '--approval'/],
    [['failover', 'web', '--dry-run', '--detach'], /cannot be used with option '--dry-run'/],
    [['failover', 'web', '--follow', 'x'], /--follow cannot be combined with/],
    [
      ['failover', 'web', '--to', 'i-0abc1234def567890', '--reason', 'x', '--name', 'a b'],
      /--name a b: not a name of an execution/,
    ],
    [
      ['failover', 'web', '--to', 'i-0abc1234def567890', '--reason', 'x', '--for', 'ever'],
      /--for ever: not a duration/,
    ],
    [['deny', 'web'], /missing: --reason TEXT/],
    [['apply', '-'], /stdin is the file, so it cannot ask\n {2}next: say --yes or --dry-run/],
    [[], /Usage: vipshift/],
  ])('%j ends with 2, says what is meant, and leaves stdout empty', async (args, says) => {
    const ran = await run(args);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(says);
  });
});

describe('the progress of a failover', () => {
  test('has words for every state of the workflow that does something: a new or renamed one is not passed over', () => {
    const { States } = JSON.parse(readFileSync(join(root, 'runbook', 'failover.asl.json'), 'utf8')) as {
      States: Record<string, { Type: string }>;
    };
    const order = { vip: 'web', to: 'i-0abc1234def567890' };
    const silent = Object.keys(States).filter((state) => wordsOf(state, order) === undefined);
    const tasks = silent.filter((state) => States[state]!.Type === 'Task');
    expect(tasks, 'the report is what notify sends').toEqual(['report']);
    expect(wordsOf('preflight', order)).toBe('checking whether web can move to i-0abc1234def567890');
  });
});

describe('a slip of the finger in a name', () => {
  test.each([
    ['wbe', ['web', 'dns'], ['web']],
    ['we', ['web', 'db'], ['web']],
    ['dsn-1', ['dns-1', 'dns-2'], ['dns-1']],
    ['web-11', ['web-1', 'web-21', 'dns'], ['web-1', 'web-21']],
    ['mail', ['web', 'dns'], []],
    ['x', ['a', 'b'], []],
  ])('%s among %j most likely means %j', (typed, names, meant) => {
    expect(similar(typed, names)).toEqual(meant);
  });
});

describe('streams', () => {
  test('a reader that goes away early is no error', () => {
    const node = process.execPath;
    const script = `"${node}" "${join(root, 'cli', 'vipshift.ts')}" doctor --help | head -1; echo "\${PIPESTATUS[0]}"`;
    const ran = spawnSync('bash', ['-c', script], { env: withoutAws(), encoding: 'utf8' });
    expect(ran.stderr).toBe('');
    expect(ran.stdout).toMatch(/^Usage: vipshift doctor/);
  });

  test('no colour without a terminal, and none with NO_COLOR or --no-color on one', async () => {
    const { output } = await import('../../cli/command/output.ts');
    const was = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY');
    const saved = process.env.NO_COLOR;
    delete process.env.NO_COLOR;
    Object.defineProperty(process.stdout, 'isTTY', { value: true, configurable: true });
    try {
      expect(output({}).paint('bad', 'x')).toBe('\u001b[31mx\u001b[39m');
      expect(output({ color: false }).paint('bad', 'x')).toBe('x');
      process.env.NO_COLOR = '1';
      expect(output({}).paint('bad', 'x')).toBe('x');
      delete process.env.NO_COLOR;
      Object.defineProperty(process.stdout, 'isTTY', { value: false, configurable: true });
      expect(output({}).paint('bad', 'x')).toBe('x');
    } finally {
      if (saved !== undefined) process.env.NO_COLOR = saved;
      if (was === undefined) delete (process.stdout as { isTTY?: boolean }).isTTY;
      else Object.defineProperty(process.stdout, 'isTTY', was);
    }
  });

  test('text of records cannot speak to the terminal', async () => {
    const { plain } = await import('../../cli/command/output.ts');
    expect(plain('a\u001b[2Jb\u202ec\nd')).toBe('a\\u001b[2Jb\\u202ec\\u000ad');
    expect(plain('Überraschung 🎉 日本')).toBe('Überraschung 🎉 日本');
  });
});

describe('the package', () => {
  let folder: string;
  let home: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vipshift-pack-'));
    home = await installed();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** As `npm run release` makes it, laid out in an empty folder: no other package is there. */
  async function installed(): Promise<string> {
    const staged = join(folder, 'staged');
    await stageCli(staged);
    const tarball = join(folder, packCli(staged, folder));
    const place = join(folder, 'empty', 'node_modules', 'vipshift');
    mkdirSync(place, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', place]);
    return place;
  }

  test('runs from an empty folder as JavaScript, and depends on no other package', async () => {
    const { bin, version, ...manifest } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
      bin: { vipshift: string };
      version: string;
    };
    for (const field of ['dependencies', 'devDependencies', 'scripts', 'private'])
      expect(manifest, field).not.toHaveProperty(field);
    const vipshift = (...args: string[]) =>
      spawnSync(process.execPath, [join(home, bin.vipshift), ...args], {
        cwd: join(folder, 'empty'),
        env: withoutAws(),
        encoding: 'utf8',
      });
    const help = vipshift('--help');
    expect(vipshift('--version').stdout).toBe(`${version}\n`);
    expect(help.stderr).toBe('');
    expect(help.status).toBe(0);
    expect(help.stdout).toMatch(/^Usage: vipshift/);
    expect(vipshift('vip', 'list').stderr).toMatch(/next: name the Region/);
    expect(existsSync(join(home, 'notify'))).toBe(true);
    expect(existsSync(join(home, 'shared'))).toBe(false);
  });

  test('says help, completion and what is wrong with a command line without loading the SDK: they run where it is missing', async () => {
    const parts = join(home, 'dist', 'cli', 'parts');
    const sdk = readdirSync(parts).filter((part) =>
      readFileSync(join(parts, part), 'utf8').includes('AWS4-HMAC-SHA256'),
    );
    expect(sdk.length).toBeGreaterThan(0);
    for (const part of sdk) rmSync(join(parts, part));
    const entry = join(home, 'dist', 'cli', 'vipshift.js');
    const vipshift = (...args: string[]) =>
      spawnSync(process.execPath, [entry, ...args], { env: withoutAws(), encoding: 'utf8' });
    // One process asks all of them for help: most of a start is Node's own.
    const script = `
      import { setMaxListeners } from 'node:events';
      setMaxListeners(0, process, process.stdout);
      for (const [n, path] of ${JSON.stringify(paths)}.entries()) {
        process.argv.splice(1, Infinity, 'vipshift', ...path, '--help');
        await import(${JSON.stringify(`file://${entry}?`)} + n);
        if ((process.exitCode ?? 0) !== 0) throw new Error(path.join(' '));
      }`;
    const helped = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      env: withoutAws(),
      encoding: 'utf8',
    });
    expect(helped).toMatchObject({ status: 0, stderr: '' });
    expect(
      [...helped.stdout.matchAll(/^Usage: vipshift ([a-z -]+)/gm)].map(([, path]) => path!.trim()),
    ).toEqual(paths.map((path) => path.join(' ')));
    expect(vipshift('completion', 'bash')).toMatchObject({ status: 0, stderr: '' });
    expect(vipshift('vpi').stderr).toMatch(/Did you mean vip/);
    expect(vipshift('timeline', '--since', 'yesterday').stderr).toMatch(/not a time/);
    expect(vipshift('failover', 'web').stderr).toMatch(/missing: --to NODE/);
    // What does need it fails with Node's own message.
    expect(vipshift('vip', 'list').stderr).toMatch(/Cannot find module .*parts/);
  });
});

describe('a former spelling', () => {
  const config = ['keepalived-config', '--node', 'a=10.0.1.10', '--node', 'b=10.0.2.10', '--only', 'a'];
  test.each(['--demote-file', '--track-file', '--lever'])('%s names the demote file', async (option) => {
    const ran = await run([...config, '--address', '192.168.255.10', option, '/run/other/web']);
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.stdout).toContain('file "/run/other/web"');
  });

  test('thaw ends a freeze: its command line is that of unfreeze', async () => {
    expect(await run(['thaw', 'web', '--all'])).toEqual(await run(['unfreeze', 'web', '--all']));
    expect((await run(['thaw', '--help'])).stdout).toContain('Usage: vipshift unfreeze ');
  });

  test('is shown neither by help nor by completion', async () => {
    const shown = await Promise.all(
      [['--help'], ['unfreeze', '--help'], ['keepalived-config', '--help'], ['completion', 'bash']].map(
        async (words) => (await run(words)).stdout,
      ),
    );
    for (const text of shown) expect(text).not.toMatch(/\bthaw\b|--lever|--track-file/);
    expect(shown[0]).toContain('unfreeze');
    expect(shown[2]).toContain('--demote-file');
  });
});
