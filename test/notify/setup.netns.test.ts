// A node's side in two halves: files, by `install` or a package, and what differs from node to node, by `setup`.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shimPath } from '../../lab/shim/node.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vipshift-root-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const assets = join(dirname(shimPath), 'lib', 'assets');
const program = () => join(root, 'usr/bin/vipshift-notify');
function run(shim: string, command: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(shim, [command, '--root', root, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
const list = (): readonly string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();

/** The files of the package, as build/release/node-packages.ts lays them out. */
function unpack(): void {
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  mkdirSync(join(root, 'usr/lib/systemd/system'), { recursive: true });
  cpSync(shimPath, program());
  cpSync(join(dirname(shimPath), 'lib'), join(root, 'usr/lib/vipshift'), { recursive: true });
  writeFileSync(join(root, 'usr/lib/vipshift/packaged'), 'apt-get remove vipshift-notify\n');
  for (const unit of ['vipshift-notify.service', 'vipshift-notify.socket', 'vipshift-eip-route@.service'])
    cpSync(join(assets, unit), join(root, 'usr/lib/systemd/system', unit));
}

describe('install', () => {
  test('puts everything below /usr/local and /etc, and the units call it there', () => {
    expect(run(shimPath, 'install', '--eip-interface', 'ens6').status).toBe(0);
    expect(list().filter((path) => !/^(?:etc|usr\/local)\//.test(path))).toEqual([]);
    const units = list().filter(
      (path) => /^etc\/systemd\/.*\.(?:service|conf)$/.test(path) && !path.includes('.wants/'),
    );
    const callers = units.filter((path) =>
      readFileSync(join(root, path), 'utf8').includes('vipshift-notify '),
    );
    expect(callers.length).toBeGreaterThan(2);
    for (const path of callers)
      expect(readFileSync(join(root, path), 'utf8'), path).not.toContain('/usr/bin/vipshift-notify');
  });

  test('takes the program of an earlier install away, which was below /usr', () => {
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    mkdirSync(join(root, 'usr/lib/vipshift'), { recursive: true });
    writeFileSync(program(), 'the old one\n');
    writeFileSync(join(root, 'usr/lib/vipshift/fifo.bash'), 'exit 1\n');
    expect(run(shimPath, 'install').stdout).toContain('removed    /usr/bin/vipshift-notify\n');
    expect(list().filter((path) => /^usr\/(?:bin|lib)\//.test(path))).toEqual([]);
  });

  test.each(['the checkout', 'the package'])(
    'by %s refuses a node that has the package: it would hide it for ever',
    (whose) => {
      unpack();
      const before = list();
      const ended = run(whose === 'the package' ? program() : shimPath, 'install', '--bus', 'prod');
      expect(ended).toMatchObject({ status: 1, stdout: '' });
      expect(ended.stderr).toContain(
        'vipshift-notify setup does the rest (apt-get remove vipshift-notify takes it off)',
      );
      expect(list()).toEqual(before);
    },
  );
});

describe('setup', () => {
  test('of a node that has the package writes what is the node’s, and neither program nor units', () => {
    unpack();
    const before = new Set(list());
    const ended = run(
      program(),
      'setup',
      '--bus',
      'prod',
      '--instance',
      'VI_WEB=web',
      '--service',
      'nginx',
      '--eip-interface',
      'ens6',
    );
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(list().filter((path) => !before.has(path))).toEqual([
      'etc/sysctl.d/60-vipshift-ens6.conf',
      'etc/systemd/system/multi-user.target.wants/vipshift-eip-route@ens6.service',
      'etc/systemd/system/multi-user.target.wants/vipshift-notify.service',
      'etc/systemd/system/nginx.service.d/vipshift.conf',
      'etc/systemd/system/sockets.target.wants/vipshift-notify.socket',
      'etc/vipshift/keepalived-snippet.conf',
      'etc/vipshift/notify.conf',
    ]);
    expect(
      readlinkSync(join(root, 'etc/systemd/system/multi-user.target.wants/vipshift-notify.service')),
    ).toBe('/usr/lib/systemd/system/vipshift-notify.service');
  });

  test('without program and units says who puts them down', () => {
    const ended = run(shimPath, 'setup', '--bus', 'prod');
    expect(ended).toMatchObject({ status: 1, stdout: '' });
    expect(ended.stderr).toContain('vipshift-notify install puts them down, or the package does');
    expect(list()).toEqual([]);
  });

  test('with --direct writes the function URL, and refuses one that is none before it writes anything', () => {
    const url = 'https://abc.lambda-url.eu-west-1.on.aws/';
    run(shimPath, 'install', '--bus', 'prod', '--direct', url, '--instance', 'VI_WEB=web');
    expect(readFileSync(join(root, 'etc/vipshift/notify.conf'), 'utf8')).toMatch(
      /^direct = https:\/\/abc\.lambda-url\.eu-west-1\.on\.aws\/$/m,
    );
    rmSync(join(root, 'etc'), { recursive: true });
    rmSync(join(root, 'usr'), { recursive: true });
    const ended = run(shimPath, 'install', '--bus', 'prod', '--direct', 'https://example.com/');
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain("expected the stack's output DirectUrl");
    expect(list()).toEqual([]);
  });

  test('again, after install, changes what it is asked for and nothing else', () => {
    run(shimPath, 'install', '--bus', 'prod', '--instance', 'VI_WEB=web');
    const before = new Set(list());
    const ended = run(join(root, 'usr/local/bin/vipshift-notify'), 'setup', '--linger', '5');
    expect(ended.status).toBe(0);
    expect(list().filter((path) => !before.has(path))).toEqual([
      'etc/systemd/system/vipshift-linger.service.d/vipshift.conf',
    ]);
  });
});

describe('uninstall', () => {
  test('of a node that has the package takes what setup put down, and names the command for the rest', () => {
    unpack();
    const before = list();
    run(
      program(),
      'setup',
      '--bus',
      'prod',
      '--instance',
      'VI_WEB=web',
      '--service',
      'nginx',
      '--eip-interface',
      'ens6',
    );
    const ended = run(program(), 'uninstall');
    expect(ended.stdout).toContain('the package’s: apt-get remove vipshift-notify');
    expect(list().filter((path) => !before.includes(path))).toEqual(['etc/vipshift/notify.conf']);
    expect(existsSync(program())).toBe(true);
  });
});
