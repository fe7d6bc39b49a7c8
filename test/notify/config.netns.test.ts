import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shimPath } from '../../lab/shim/node.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function shim(args: readonly string[], env: Record<string, string> = {}): Ended {
  const ended = spawnSync(shimPath, args, {
    encoding: 'utf8',
    timeout: 60_000,
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  return { status: ended.status, stdout: ended.stdout, stderr: ended.stderr };
}

/** `status` reads the whole configuration, and nothing else of it happens. */
function withConfig(text: string, env: Record<string, string> = {}): Ended {
  const file = join(folder, 'notify.conf');
  writeFileSync(file, text);
  return shim(['status', '--config', file], env);
}

const good = `bus = b\nrun_dir = /nonexistent/run\nstate_dir = /nonexistent/state\ninstance VI_WEB = web\n`;

describe('the configuration', () => {
  test('with comments, blanks, Windows line ends and no last newline is read', () => {
    const ended = withConfig(
      `# what for\r\n\r\n  bus   =  my-bus  \r\n${good.replace('bus = b\n', '')}group G_1 = db, db2`,
    );
    expect(ended.stderr).toBe('');
    expect(ended.status).toBe(4);
    expect(ended.stdout).toContain('bus my-bus');
  });

  test.each([
    ['bus vipshift', 'line 1: found "bus vipshift", expected "key = value"'],
    ['\nbuss = x', 'line 2: unknown key "buss"'],
    ['bus = a\nbus = b', 'line 2: "bus" is already set on line 1'],
    ['bus = my bus', 'line 1: bus is "my bus", expected the name or ARN'],
    ['bus =', 'line 1: bus is "", expected the name or ARN'],
    ['fifo = notify.fifo', 'line 1: fifo is "notify.fifo", expected an absolute path'],
    ['spool_max = 5', 'line 1: spool_max is "5", expected a number from 20 to 100000'],
    ['spool_max = lots', 'line 1: spool_max is "lots"'],
    ['region = Frankfurt', 'line 1: region is "Frankfurt", expected one such as eu-west-1'],
    ['role_id = arn:aws:iam::1:role/x', 'line 1: role_id is "arn:aws:iam::1:role/x", expected the AROA'],
    ['instance VI_WEB = we b!', 'line 1: "b!" is no VIP name'],
    ['instance VI WEB = web', 'line 1: the name "VI WEB" holds a blank'],
    ['instance ВИП = web', 'holds a letter that is not ASCII: rename the instance'],
    [
      `instance ${'x'.repeat(256)} = web`,
      'line 1: the name of the instance has 256 characters, expected at most 255',
    ],
    ['dual_stack = maybe', 'line 1: dual_stack is "maybe", expected auto, yes or no'],
    ['proxy = proxy.example:3128', 'line 1: proxy is "proxy.example:3128", expected http://HOST:PORT'],
    ['proxy = socks5://p:1', 'line 1: proxy is "socks5://p:1", expected http://HOST:PORT'],
    ['instance VI_WEB = web\ninstance  VI_WEB = db', 'line 2: "instance VI_WEB" is already set on line 1'],
    [
      'proxy = http://p:3128\nendpoint_events = https://127.0.0.1:4566',
      'on this machine, which the proxy cannot reach',
    ],
    [
      'proxy = http://p:3128\nallow_http = yes\nendpoint_sts = http://sts.example',
      'the proxy would read the session token',
    ],
    ['proxy = http://me:secret@p:3128', 'the proxy has a password, and others may read this file: chmod 600'],
    ['instance VI"WEB = web', 'line 1: the name "VI"WEB" holds a blank, quote'],
    ['instance VI_WEB =', 'line 1: instance VI_WEB names no VIP'],
    ['instance A = web\ninstance B = web', 'line 2: VIP "web" is already spoken for by INSTANCE A'],
    [
      'endpoint_events = events.example',
      'line 1: endpoint_events is "events.example", expected https://HOST',
    ],
    [
      'endpoint_events = http://events.example',
      'endpoint_events is "http://events.example", expected https: plain http is only for loopback',
    ],
    ['direct = abc', 'line 1: direct is "abc", expected the stack\'s output DirectUrl'],
    ['direct = http://abc.lambda-url.eu-west-1.on.aws/', "expected the stack's output DirectUrl: https://ID"],
    [
      'direct = https://api.example.com/',
      'direct is "https://api.example.com", expected the stack\'s output DirectUrl',
    ],
    [
      'region = eu-west-1\ndirect = https://abc.lambda-url.eu-central-1.on.aws/',
      'direct is "https://abc.lambda-url.eu-central-1.on.aws", and region is eu-west-1',
    ],
    [
      'proxy = http://p:3128\ndirect = https://127.0.0.1:4566',
      'on this machine, which the proxy cannot reach',
    ],
    ['instance VI_WEB = web', 'names no bus: add a line such as "bus = vipshift-prod"'],
    ['bus = x', 'names no VIP: add a line such as "instance VI_WEB = web"'],
  ])('%j is refused with its line and what was wanted', (text, message) => {
    const named = text.includes('instance') || text === 'bus = x';
    const rest = text.includes('bus') ? good.replace('bus = b\n', '') : good;
    const ended = withConfig(named ? `${text}\n` : `${text}\n${rest}`);
    expect(ended.stderr).toContain(message);
    expect(ended.status).toBe(2);
    expect(ended.stdout).toBe('');
  });

  test.each(['proxy = http://me:pass/word@p:3128', 'proxy http://me:pass/word@p:3128'])(
    '%j is refused without its password, which the journal would keep',
    (text) => {
      const { stderr, status } = withConfig(`${text}\n${good}`);
      expect(status).toBe(2);
      expect(stderr).toMatch(/line 1: (proxy is|found) "(proxy )?http:\/\/\.\.\.@p:3128", expected/);
      expect(stderr).not.toContain('word');
    },
  );

  test.each([
    'instance $(touch PWNED) = web',
    'instance a[$(touch${IFS}PWNED)] = web',
    '$(touch PWNED) = x',
    'x[$(touch${IFS}PWNED)] = x',
    'bus = $(touch PWNED)',
    'spool_max = a[$(touch${IFS}PWNED)]',
    'instance VI_WEB = $(touch${IFS}PWNED)',
    '`touch PWNED` = `touch PWNED`',
  ])('%j is only words: nothing of the file is ever executed', (text) => {
    const file = join(folder, 'PWNED');
    withConfig(`${text.replaceAll('PWNED', file)}\n`);
    withConfig(`${text.replaceAll('PWNED', file)}\n${text.replaceAll('PWNED', file)}\n${good}`);
    expect(existsSync(file)).toBe(false);
  });

  test('that is missing is named, with the command that makes one', () => {
    const ended = shim(['status', '--config', '/nonexistent.conf']);
    expect(ended.stderr).toContain('cannot read /nonexistent.conf: run vipshift-notify install');
    expect(ended.status).toBe(2);
  });

  test('gives way to the environment for endpoints, under the names that AWS gave them', () => {
    const ended = withConfig(good, { AWS_ENDPOINT_URL_EVENTBRIDGE: 'http://10.0.0.1:1' });
    expect(ended.stderr).toContain('endpoint_events is "http://10.0.0.1:1", expected https');
    expect(
      withConfig(`allow_http = yes\n${good}`, { AWS_ENDPOINT_URL_EVENTBRIDGE: 'http://10.0.0.1:1' }).status,
    ).toBe(4);
    expect(withConfig(good, { AWS_ENDPOINT_URL_EVENTBRIDGE: 'http://127.0.0.1:1' }).status).toBe(4);
  });
});

describe('check', () => {
  const check = (text: string, env: Record<string, string> = {}): Ended => {
    const file = join(folder, 'checked.conf');
    writeFileSync(file, text);
    return shim(['check', '--config', file], env);
  };

  test('says of a right configuration what it is for', () => {
    expect(check(`keepalived_pid = none\n${good}`)).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/checked\.conf is right: 1 VIPs \(web\), bus b\n$/),
    });
  });

  test('reads a file with the mark that some editors put first, and any blanks between a kind and its name', () => {
    const text = `${good.replace('instance VI_WEB', '  instance \t VI_WEB')}group\tG_1 = db\nkeepalived_pid = none\n`;
    for (const start of ['\ufeff# what for\n', '\ufeff'])
      expect(check(`${start}${text}`)).toMatchObject({
        status: 0,
        stderr: '',
        stdout: expect.stringContaining('2 VIPs (web db), bus b'),
      });
  });

  test('says everything that is wrong at once, not the first of it', () => {
    const ended = check('buss = x\nspool_max = 3\nca_file = /nowhere.pem\n');
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    for (const text of [
      'unknown key "buss"',
      'spool_max is "3"',
      'names no VIP',
      'names no bus',
      'ca_file is "/nowhere.pem"',
    ])
      expect(ended.stderr).toContain(text);
  });

  test.each([
    ['ca_file = /etc/hostname', 'which has no certificate'],
    ['fifo = /etc/hostname', 'fifo is "/etc/hostname", which is no FIFO'],
    ['run_dir = /etc/hostname', 'run_dir is "/etc/hostname", which is no folder'],
    ['state_dir = /tmp', 'state_dir /tmp has mode 1777, so that others may write it'],
  ])('finds that %s is not what it has to be', (line, message) => {
    const text = `${good.replace(line.startsWith('run_dir') ? /^run_dir.*\n/m : /^state_dir.*\n/m, '')}${line}\n`;
    expect(check(text)).toMatchObject({ status: 2, stderr: expect.stringContaining(message) });
  });

  test('says that a proxy of the environment is not used', () => {
    const ended = check(`keepalived_pid = none\n${good}`, { HTTPS_PROXY: 'http://p:3128' });
    expect(ended).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('say proxy = http://HOST:PORT'),
    });
  });
});

describe('a machine without certificates of authorities', () => {
  /** Wherever a distribution keeps them. */
  const without = (...args: string[]): Ended => {
    const script =
      'for folder in /etc/ssl /etc/pki; do [ ! -d $folder ] || mount -t tmpfs none $folder; done; exec "$@"';
    const namespace = process.getuid?.() === 0 ? ['-m'] : ['-Urm'];
    const ended = spawnSync('unshare', [...namespace, 'sh', '-ec', script, 'in', shimPath, ...args], {
      encoding: 'utf8',
      timeout: 60_000,
      env: { PATH: process.env.PATH ?? '' },
    });
    return { status: ended.status, stdout: ended.stdout, stderr: ended.stderr };
  };
  const file = () => join(folder, 'authorities.conf');
  const refused = {
    status: 3,
    stdout: '',
    stderr: expect.stringContaining(
      'no certificates of authorities, so curl trusts no server: apt-get install ca-certificates',
    ),
  };

  test('is refused by check and by selftest: curl would trust no server', () => {
    writeFileSync(file(), `keepalived_pid = none\n${good}`);
    expect(without('check', '--config', file())).toMatchObject(refused);
    expect(without('selftest', '--config', file())).toMatchObject(refused);
  });

  test.each([
    ['a ca_file', 'ca_file = CERTIFICATE\n'],
    ['endpoints without TLS', 'endpoint_events = http://127.0.0.1:1\nendpoint_sts = http://127.0.0.1:1\n'],
    [
      'one endpoint without TLS, and a role_id instead of the other',
      'endpoint_events = http://127.0.0.1:1\nrole_id = AROACONFIG0000000001\n',
    ],
  ])('is right with %s', (_, text) => {
    const certificate = join(folder, 'cert.pem');
    writeFileSync(certificate, '-----BEGIN CERTIFICATE-----\n');
    writeFileSync(file(), `keepalived_pid = none\n${text.replace('CERTIFICATE', certificate)}${good}`);
    expect(without('check', '--config', file())).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('the command line', () => {
  test('without a command says how it is used, on stderr', () => {
    const ended = shim([]);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain('usage: vipshift-notify COMMAND');
    expect(ended.stdout).toBe('');
  });

  test('--help goes to stdout and names every command and exit status', () => {
    const ended = shim(['--help']);
    expect(ended.status).toBe(0);
    for (const word of ['run', 'status', 'selftest', 'install', 'uninstall', 'Exit status'])
      expect(ended.stdout).toContain(word);
    expect(shim(['--version']).stdout).toBe('1.0.0\n');
  });

  test('with an unknown command or option is refused by its name', () => {
    expect(shim(['rnu'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('unknown command "rnu"'),
    });
    const file = join(folder, 'notify.conf');
    writeFileSync(file, good);
    expect(shim(['status', '--jsno', '--config', file])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('status takes no "--jsno"'),
    });
  });
});

describe('a machine', () => {
  const withCurl = (script: string): Ended => {
    const bin = join(folder, `bin-${Math.abs(script.length)}`);
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'curl'), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
    const file = join(folder, 'notify.conf');
    writeFileSync(file, good.replaceAll('/nonexistent', folder));
    return shim(['run', '--config', file], { PATH: `${bin}:/usr/bin:/bin` });
  };

  test.each([
    ['7.81.0', 'Ubuntu 22.04'],
    ['7.76.1', 'RHEL 9'],
  ])('with curl %s (%s) is refused with what to install: it signs too few headers', (version) => {
    const ended = withCurl(`echo "curl ${version} (x86_64-pc-linux-gnu)"`);
    expect(ended.status).toBe(3);
    expect(ended.stderr).toContain(`curl is ${version.slice(0, 4)}, expected 7.86 or newer`);
    expect(ended.stderr).toContain('Debian 12');
  });

  test.each(['run', 'check'])(
    'with keepalived 2.1 is refused by name by %s: its answers cannot be relied on',
    (command) => {
      const bin = join(folder, 'bin-old');
      mkdirSync(bin, { recursive: true });
      const keepalived = '#!/bin/bash\necho "Keepalived v2.1.5 (07/13,2020)" >&2\n';
      writeFileSync(join(bin, 'keepalived'), keepalived, { mode: 0o755 });
      const file = join(folder, 'notify.conf');
      writeFileSync(file, good.replaceAll('/nonexistent', folder));
      const ended = shim([command, '--config', file], { PATH: `${bin}:/usr/bin:/bin` });
      expect(ended.status).toBe(3);
      expect(ended.stderr).toContain('keepalived is 2.1, expected 2.2 or newer');
    },
  );

  test('whose curl says nothing sensible is refused', () => {
    expect(withCurl('exit 1').status).toBe(3);
  });
});

test('shellcheck has nothing to say', () => {
  const ended = spawnSync('shellcheck', [shimPath], { encoding: 'utf8' });
  if (ended.error)
    throw new Error('shellcheck is missing: apt-get install shellcheck', { cause: ended.error });
  expect(ended.stdout).toBe('');
  expect(ended.status).toBe(0);
});
