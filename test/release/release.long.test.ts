// What `npm run release` makes, as those find it who have nothing else.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Artefact, makeRelease, SUMS } from '../../build/release/release.ts';
import { VERSION } from '../../shared/version.ts';

const root = join(import.meta.dirname, '..', '..');
let folder: string;
let first: readonly Artefact[];
let home: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-release-'));
  home = join(folder, 'first');
  first = await makeRelease(home);
  // On a machine without nfpm Go builds it first.
}, 1_200_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const artefact = (ending: string) => join(home, first.find(({ name }) => name.endsWith(ending))!.name);
const run = (program: string, ...args: readonly string[]) =>
  execFileSync(program, args, { cwd: home, encoding: 'utf8' });

describe('a release', () => {
  it('is the same bytes when it is made again', async () => {
    expect(await makeRelease(join(folder, 'second'))).toEqual(first);
  });

  it('has checksums that sha256sum takes, of all that is in the folder', () => {
    expect(run('sha256sum', '--check', '--strict', SUMS).trim().split('\n')).toHaveLength(first.length);
    expect(readdirSync(home).toSorted()).toEqual([...first.map(({ name }) => name), SUMS].toSorted());
  });

  it('has template, zips, command line, packages of the node’s side and bill of materials', () => {
    expect(first.map(({ name }) => name.replaceAll(VERSION, 'V'))).toEqual([
      'failover-V.zip',
      'reconcile-V.zip',
      'runbook-V.zip',
      'vipshift-V.cdx.json',
      'vipshift-V.template.json',
      'vipshift-V.tgz',
      'vipshift-notify-V-1.noarch.rpm',
      'vipshift-notify-V.tar.gz',
      'vipshift-notify_V-1_all.deb',
      'vipshift-notify_V-r1_noarch.apk',
    ]);
  });
});

describe('the pages', () => {
  it.each(['README.md', 'README.zh-CN.md', 'docs/reference/ways-to-install.md'])(
    '%s names files that a release has, and the folder that its tarball brings',
    (page) => {
      const text = readFileSync(join(root, page), 'utf8');
      const names = text.match(/\bvipshift[\w.-]*\.(?:json|tgz|deb|rpm|apk|tar\.gz)\b/g)!;
      const known = first.flatMap(({ name }) => [name, name.replaceAll(VERSION, 'V')]);
      expect(names.length).toBeGreaterThan(4);
      expect(names.filter((name) => !known.includes(name))).toEqual([]);
      const [, program] = /sudo (\S+\/vipshift-notify) install/.exec(text)!;
      expect(run('tar', '-tzf', artefact('.tar.gz')).split('\n')).toContain(program);
    },
  );
});

describe('the command line', () => {
  it('is installed from its tarball without a network, and says its version', () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const options = ['--offline', '--no-audit', '--no-fund', '--prefix', empty];
    execFileSync('npm', ['install', ...options, artefact('.tgz')], { cwd: empty, stdio: 'ignore' });
    expect(readdirSync(join(empty, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      'vipshift',
    ]);
    const said = spawnSync(join(empty, 'node_modules', '.bin', 'vipshift'), ['--version'], {
      encoding: 'utf8',
    });
    expect(said.stdout).toBe(`${VERSION}\n`);
  });

  it('has nothing that publint finds wrong', () => {
    const program = join(root, 'node_modules', 'publint', 'src', 'cli.js');
    const { status, stdout } = spawnSync(process.execPath, [program, artefact('.tgz'), '--strict'], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toMatchObject({ status: 0 });
  });

  it('carries the licences of what is in it, and the bill of materials lists all of that', () => {
    const notices = run('tar', '-xzOf', artefact('.tgz'), 'package/THIRD-PARTY-NOTICES.txt');
    const bundled = [...notices.matchAll(/^(@?[\w./-]+) (\d+\.\d+\.\d+\S*) \(.*\)$/gm)].map(
      ([, name, version]) => `${name}@${version}`,
    );
    const { components } = JSON.parse(readFileSync(artefact('.cdx.json'), 'utf8')) as {
      components: readonly { name: string; version: string }[];
    };
    const listed = components.map(({ name, version }) => `${name}@${version}`);
    expect(bundled.length).toBeGreaterThan(20);
    expect(bundled.filter((one) => !listed.includes(one))).toEqual([]);
  });
});

describe('the deb', () => {
  const field = (name: string) => run('dpkg-deb', '--field', artefact('.deb'), name).trim();

  it('needs what the shim needs, and has the version', () => {
    expect(field('Version')).toBe(`${VERSION}-1`);
    expect(field('Architecture')).toBe('all');
    expect(field('Depends')).toMatch(/bash \(>= 4\.4\), curl \(>= 7\.86\)/);
  });

  it('has its units under /usr/lib, no configuration of a node, and files of root alone', () => {
    const lines = run('dpkg-deb', '--contents', artefact('.deb')).trim().split('\n');
    for (const line of lines) expect(line).toMatch(/^[d-]rw[x-]r-[x-]r-[x-] root\/root /);
    const paths = lines.map((line) => line.split(/\s+/)[5]!);
    expect(paths).toContain('./usr/lib/systemd/system/vipshift-notify.service');
    expect(paths.filter((path) => path.startsWith('./etc/') && !path.endsWith('/'))).toEqual([]);
  });
});

describe('the tarball of the node’s side', () => {
  it('runs where it is unpacked', () => {
    const place = join(folder, 'unpacked');
    mkdirSync(place);
    run('tar', '-xzf', artefact('.tar.gz'), '-C', place);
    const program = join(place, `vipshift-notify-${VERSION}`, 'vipshift-notify');
    expect(existsSync(program)).toBe(true);
    expect(execFileSync(program, ['--version'], { encoding: 'utf8' })).toBe(`${VERSION}\n`);
  });
});
