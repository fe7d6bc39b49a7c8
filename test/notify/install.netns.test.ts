import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ownNamespaces } from '../../lab/machine/namespaces.ts';
import { shimPath } from '../../lab/shim/node.ts';
import { VERSION } from '../../shared/version.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vipshift-root-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, ...args: string[]): Ended {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 60_000,
    // None of the variables that name authorities.
    env: { PATH: process.env.PATH ?? '' },
  });
  if (error)
    throw new Error(`cannot run ${program}: install it (apt-get install systemd, iproute2, util-linux)`, {
      cause: error,
    });
  return { status, stdout, stderr };
}
const install = (...args: string[]): Ended => run(shimPath, 'install', '--root', root, ...args);
const files = (): string[] =>
  (readdirSync(root, { recursive: true }) as string[])
    .filter((name) => !lstatSync(join(root, name)).isDirectory())
    .sort();
const list = (folder: string): string[] => (readdirSync(folder, { recursive: true }) as string[]).toSorted();
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

describe('install into a folder', () => {
  test('puts down program, units, configuration and snippet, enabled, and says each one', () => {
    const ended = install('--bus', 'prod', '--instance', 'VI_WEB=web', '--group', 'G_DB=db,db2');
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    for (const name of [
      'usr/local/bin/vipshift-notify',
      'etc/systemd/system/vipshift-notify.socket',
      'etc/systemd/system/vipshift-notify.service',
      'etc/systemd/system/keepalived.service.d/vipshift.conf',
      'etc/tmpfiles.d/vipshift-notify.conf',
      'etc/vipshift/notify.conf',
      'etc/vipshift/keepalived-snippet.conf',
    ]) {
      expect(ended.stdout).toContain(`wrote      /${name}`);
      expect(existsSync(join(root, name)), name).toBe(true);
    }
    expect(
      lstatSync(
        join(root, 'etc/systemd/system/sockets.target.wants/vipshift-notify.socket'),
      ).isSymbolicLink(),
    ).toBe(true);
    expect(statSync(join(root, 'usr/local/bin/vipshift-notify')).mode & 0o777).toBe(0o755);
    expect(read('etc/vipshift/notify.conf')).toMatch(
      /^bus = prod$.*^instance VI_WEB = web$\n^group G_DB = db,db2$/ms,
    );
  });

  test('gives a program that runs from there and reads the configuration it wrote', () => {
    install('--bus', 'prod', '--instance', 'VI_WEB=web');
    const program = join(root, 'usr/local/bin/vipshift-notify');
    expect(run(program, '--version').stdout).toBe(`${VERSION}\n`);
    const ended = run(program, 'status', '--config', join(root, 'etc/vipshift/notify.conf'));
    expect(ended).toMatchObject({ status: 4, stderr: '' });
  });

  test('twice changes nothing, and never the configuration', () => {
    install('--instance', 'VI_WEB=web');
    writeFileSync(join(root, 'etc/vipshift/notify.conf'), 'bus = mine\ninstance A = b\n');
    const before = files().map((name) => (lstatSync(join(root, name)).isFile() ? read(name) : ''));
    const again = install('--bus', 'other');
    expect(again.stdout).not.toContain('wrote ');
    expect(again.stdout).toContain('kept       /etc/vipshift/notify.conf');
    expect(again.stderr).toContain('--bus, --direct, --instance and --group change nothing');
    expect(files().map((name) => (lstatSync(join(root, name)).isFile() ? read(name) : ''))).toEqual(before);
  });

  test('repairs a file that was changed, and the output reports it', () => {
    install();
    writeFileSync(join(root, 'etc/systemd/system/vipshift-notify.service'), '[Service]\n');
    const again = install();
    expect(again.stdout).toContain('wrote      /etc/systemd/system/vipshift-notify.service');
    expect(again.stdout.match(/^wrote/gm)).toHaveLength(1);
  });

  test('is undone by uninstall, which keeps the configuration unless --purge is given', () => {
    install('--instance', 'VI_WEB=web', '--eip-interface', 'ens6');
    expect(run(shimPath, 'uninstall', '--root', root).status).toBe(0);
    expect(files()).toEqual(['etc/vipshift/notify.conf']);
    run(shimPath, 'uninstall', '--root', root, '--purge');
    expect(files()).toEqual([]);
  });

  test('over an older version, whose library was one flat folder, leaves none of its files', () => {
    install();
    const fresh = list(root);
    mkdirSync(join(root, 'usr/local/lib/vipshift/old'));
    for (const name of ['fifo.bash', 'status-command.bash', 'old/trust.bash'])
      writeFileSync(join(root, 'usr/local/lib/vipshift', name), 'exit 1\n');
    writeFileSync(join(root, 'usr/local/bin/vipshift-notify'), 'the old one\n');
    const again = install();
    expect(again.stdout).toMatch(
      /wrote {6}\/usr\/local\/bin\/vipshift-notify\nremoved {4}\/usr\/local\/lib\/vipshift\/fifo.bash\n/,
    );
    expect(list(root).filter((name) => name !== 'usr/local/lib/vipshift/old')).toEqual(fresh);
  });

  test('by an installed copy of itself works as well as from the source tree', () => {
    install();
    const other = mkdtempSync(join(tmpdir(), 'vipshift-root-'));
    try {
      expect(run(join(root, 'usr/local/bin/vipshift-notify'), 'install', '--root', other).status).toBe(0);
      expect(list(other)).toEqual(list(root));
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  });

  test.each([
    [['--root', '/nonexistent'], 'is no folder'],
    [['--bus'], '--bus needs a value'],
    [['--instance', 'VI_WEB'], '--instance is "VI_WEB", expected NAME=VIP'],
    [['--eip-interface', 'ens6; rm'], '--eip-interface is "ens6; rm", expected a name such as ens6'],
    [['--rot'], 'install takes no "--rot"'],
  ])('with %j is refused', (args, message) => {
    const ended = run(shimPath, 'install', ...args);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain(message);
    expect(files()).toEqual([]);
  });
});

/** Gives the image a shell, with what that needs to run. */
function bringShell(): void {
  const libraries = [...run('ldd', '/bin/sh').stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]!);
  for (const [from, to] of [...libraries.map((file) => [file, file]), ['/bin/sh', '/usr/bin/sh']]) {
    mkdirSync(join(root, to!, '..'), { recursive: true });
    cpSync(realpathSync(from!), join(root, to!));
  }
}
const program = (name: string, says: string): void =>
  writeFileSync(join(root, 'usr/bin', name), `#!/usr/bin/sh\necho "${says}"\n`, { mode: 0o755 });

test('an image without certificates of authorities is told to get them, and one with them is not', () => {
  expect(install().stdout).toMatch(/not found there: .*ca-certificates\)/);
  mkdirSync(join(root, 'etc/ssl/certs'), { recursive: true });
  writeFileSync(join(root, 'etc/ssl/certs/ca-certificates.crt'), 'x');
  expect(install().stdout).not.toMatch(/not found there: .*ca-certificates/);
});

test.each([
  ['2.3.3', 'json_dump_file /srv/run/keepalived.json'],
  ['2.2.8', '# json_dump_file /run/vipshift/keepalived.json'],
])('keepalived %s in the image has the snippet say "%s"', (version, line) => {
  bringShell();
  program('keepalived', `Keepalived v${version} (01/01,2025)`);
  mkdirSync(join(root, 'etc/vipshift'), { recursive: true });
  writeFileSync(
    join(root, 'etc/vipshift/notify.conf'),
    'bus = b\ninstance VI_WEB = web\nrun_dir = /srv/run\n',
  );
  expect(install()).toMatchObject({ status: 0 });
  const lines = read('etc/vipshift/keepalived-snippet.conf')
    .split('\n')
    .map((one) => one.trim());
  expect(lines).toContain(line);
});

describe('install looks before it writes', () => {
  test.each([
    [['--instance', 'ВИП=web'], 'holds a letter that is not ASCII'],
    [['--instance', 'VI_WEB=-web'], '"-web" is no VIP name'],
    [['--instance', 'VI_WEB=web', '--group', 'G=web'], 'VIP "web" is already spoken for by INSTANCE VI_WEB'],
    [['--bus', 'my bus'], 'bus is "my bus", expected the name or ARN'],
  ])('so %j leaves nothing behind', (args, message) => {
    const ended = install(...args);
    expect(ended).toMatchObject({ status: 2, stdout: '' });
    expect(ended.stderr).toContain(message);
    expect(list(root)).toEqual([]);
  });

  test('and tests the programs of the image, not those of the machine that builds it', () => {
    bringShell();
    program('curl', 'curl 7.74.0 (x86_64-pc-linux-gnu)');
    const ended = install();
    expect(ended).toMatchObject({ status: 3, stdout: '' });
    expect(ended.stderr).toContain('curl is 7.74, expected 7.86 or newer');
    expect(list(root).filter((name) => name.startsWith('etc'))).toEqual([]);
  });
});

test('with umask 077 every folder of the image can be entered, and notify.conf be read', () => {
  const ended = run(
    'bash',
    '-c',
    'umask 077; "$0" install --root "$1" --instance VI_WEB=web',
    shimPath,
    root,
  );
  expect(ended.status).toBe(0);
  for (const name of list(root)) {
    const { mode } = lstatSync(join(root, name));
    if (lstatSync(join(root, name)).isDirectory()) expect(mode & 0o777, name).toBe(0o755);
  }
  expect(statSync(join(root, 'etc/vipshift/notify.conf')).mode & 0o777).toBe(0o644);
});

describe('uninstall', () => {
  /** What a daemon leaves in the folders that the configuration names. */
  const leave = (runDir: string, stateDir: string): void => {
    for (const folder of [runDir, stateDir]) mkdirSync(join(root, folder), { recursive: true });
    for (const name of ['credentials', 'credentials.about', 'status.0', 'imds'])
      writeFileSync(join(root, runDir, name), 'x');
    for (const name of ['spool', 'identity']) writeFileSync(join(root, stateDir, name), 'x');
  };

  test('takes the credentials in any case, and with --purge all that there was, folders included', () => {
    install('--instance', 'VI_WEB=web', '--eip-interface', 'ens6');
    leave('run/vipshift', 'var/lib/vipshift');
    writeFileSync(
      join(root, 'etc/systemd/system/vipshift-vip.service'),
      '[Service]\nExecStart=/usr/sbin/ip address replace 192.168.255.10/32 dev lo\n',
    );
    run(shimPath, 'uninstall', '--root', root);
    expect(files()).toEqual([
      'etc/systemd/system/vipshift-vip.service',
      'etc/vipshift/notify.conf',
      'var/lib/vipshift/identity',
      'var/lib/vipshift/spool',
    ]);
    expect(run(shimPath, 'uninstall', '--root', root, '--purge').status).toBe(0);
    expect(list(root).filter((name) => /vipshift|keepalived|\.d$|wants/.test(name))).toEqual([]);
  });

  test('finds the folders where the configuration has them, and leaves in them what is not its own', () => {
    install('--bus', 'b', '--instance', 'VI_WEB=web');
    const conf = join(root, 'etc/vipshift/notify.conf');
    writeFileSync(conf, `${read('etc/vipshift/notify.conf')}run_dir = /srv/run\nstate_dir = /srv/state\n`);
    leave('srv/run', 'srv/state');
    writeFileSync(join(root, 'srv/state/mine'), '');
    run(shimPath, 'uninstall', '--root', root, '--purge');
    expect(files()).toEqual(['srv/state/mine']);
    expect(existsSync(join(root, 'srv/run'))).toBe(false);
  });

  test('with --root and no folder is refused', () => {
    expect(run(shimPath, 'uninstall', '--root')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--root needs a value'),
    });
  });
});

describe('the units', () => {
  test('are right by systemd-analyze, and the service is hardened', () => {
    install();
    const folder = join(root, 'units');
    mkdirSync(folder);
    cpSync(join(root, 'etc/systemd/system'), folder, {
      recursive: true,
      filter: (from) => !from.includes('.d') && !from.includes('wants'),
    });
    cpSync(
      join(root, 'usr/local/lib/vipshift/assets/vipshift-eip-route@.service'),
      join(folder, 'vipshift-eip-route@.service'),
    );
    for (const name of readdirSync(folder).filter((unit) => unit.endsWith('.service')))
      writeFileSync(
        join(folder, name),
        readFileSync(join(folder, name), 'utf8').replaceAll(
          /\/usr\/(local\/)?bin\/vipshift-notify/g,
          shimPath,
        ),
      );
    const units = ['vipshift-notify.socket', 'vipshift-notify.service', 'vipshift-eip-route@ens6.service'];
    const verified = run('systemd-analyze', 'verify', ...units.map((name) => join(folder, name)));
    expect(verified.stderr).toBe('');
    expect(verified.status).toBe(0);
    const security = run(
      'systemd-analyze',
      'security',
      '--offline=true',
      '--threshold=30',
      join(folder, 'vipshift-notify.service'),
    );
    expect(security.status, security.stdout.split('\n').slice(-3).join('\n')).toBe(0);
  });

  test('agree with each other and with the defaults of the configuration', () => {
    install();
    expect(read('etc/systemd/system/vipshift-notify.socket')).toMatch(
      /^ListenFIFO=\/run\/vipshift\/notify\.fifo$/m,
    );
    expect(read('etc/vipshift/keepalived-snippet.conf')).toMatch(
      /^\s+vrrp_notify_fifo \/run\/vipshift\/notify\.fifo root$/m,
    );
    expect(read('usr/local/lib/vipshift/config.bash')).toContain('[fifo]=/run/vipshift/notify.fifo');
    expect(read('etc/systemd/system/vipshift-notify.service')).toContain('StateDirectory=vipshift\n');
  });
});

describe('source-based routing for the ENI of an Elastic IP', () => {
  test('on Debian and Ubuntu is a unit, a loose filter, and a networkd that leaves foreign rules alone', () => {
    mkdirSync(join(root, 'usr/lib/systemd'), { recursive: true });
    writeFileSync(join(root, 'usr/lib/systemd/systemd-networkd'), '');
    install('--eip-interface', 'ens6');
    expect(read('etc/sysctl.d/60-vipshift-ens6.conf')).toMatch(/^net\.ipv4\.conf\.ens6\.rp_filter = 2$/m);
    expect(read('etc/systemd/networkd.conf.d/vipshift.conf')).toContain('ManageForeignRoutingPolicyRules=no');
    expect(files()).toContain('etc/systemd/system/multi-user.target.wants/vipshift-eip-route@ens6.service');
  });

  test('on Amazon Linux 2023 is left to what is there', () => {
    mkdirSync(join(root, 'usr/lib/systemd/system'), { recursive: true });
    writeFileSync(join(root, 'usr/lib/systemd/system/policy-routes@.service'), '');
    const ended = install('--eip-interface', 'ens6');
    expect(ended.stdout).toContain('not needed policy routing for ens6: amazon-ec2-net-utils does it');
    expect(files().filter((name) => name.includes('eip-route') && !name.includes('assets'))).toEqual([]);
  });

  test('makes every address of the interface leave by it, twice as well as once, and is taken away again', () => {
    const script = `set -e
ip link set lo up
ip link add ens6 type veth peer name far
ip addr add 10.0.1.20/26 dev ens6; ip addr add 10.0.1.40/26 dev ens6
ip link set ens6 up; ip link set far up
"$0" route ens6; "$0" route ens6
ip rule | grep -c 20151
ip route get 198.51.100.7 from 10.0.1.40
"$0" route ens6 --remove
ip rule | grep -c 20151 || true
"$0" route ens7 || echo "status $?"`;
    const ended = run('unshare', ...ownNamespaces(), 'bash', '-c', script, shimPath);
    expect(ended.stderr).toContain('there is no interface ens7');
    const lines = ended.stdout.trim().split('\n');
    expect(lines.slice(0, 2)).toEqual([
      '10.0.1.20 leaves by ens6 to 10.0.1.1',
      '10.0.1.40 leaves by ens6 to 10.0.1.1',
    ]);
    expect(lines[4]).toBe('2');
    expect(lines[5]).toContain('via 10.0.1.1 dev ens6');
    expect(lines.slice(-2)).toEqual(['0', 'status 1']);
  });
});
