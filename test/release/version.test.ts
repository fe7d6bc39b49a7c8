// One number: package.json's.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { VERSION } from '../../shared/version.ts';

const root = join(import.meta.dirname, '..', '..');
const json = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8')) as { version: string };

test('command line, functions, shim and lock have the version of package.json', () => {
  const { version } = json('package.json');
  const shim = execFileSync(join(root, 'notify', 'vipshift-notify'), ['--version'], { encoding: 'utf8' });
  const module = /^ {2}version = "(.*)"$/m.exec(
    readFileSync(join(root, 'terraform', 'main.tf'), 'utf8'),
  )?.[1];
  expect({ module, shared: VERSION, shim: shim.trim(), lock: json('package-lock.json').version }).toEqual({
    module: version,
    shared: version,
    shim: version,
    lock: version,
  });
});

test('the changelog begins with it', () => {
  const heading = /^## (.*)$/m.exec(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'))?.[1];
  expect(heading?.split(',')[0]).toBe(VERSION);
});

test('`npm version` writes it into every source and page that has it', () => {
  const pages = ['README.md', 'README.zh-CN.md', 'docs/reference/ways-to-install.md'];
  const others = ['docs/install.md', 'docs/zh-CN/install.md'];
  const sources = ['shared/version.ts', 'terraform/main.tf', 'notify/vipshift-notify'];
  const folder = mkdtempSync(join(tmpdir(), 'vipshift-version-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const path of [...pages, ...others, ...sources, 'build/release/stamp.ts'])
    cpSync(join(root, path), join(folder, path));
  writeFileSync(join(folder, 'package.json'), '{"version":"23.45.67","type":"module"}');
  execFileSync('git', ['init', '--quiet'], { cwd: folder });
  execFileSync(process.execPath, ['build/release/stamp.ts'], { cwd: folder });
  const read = (path: string) => readFileSync(join(folder, path), 'utf8');
  for (const path of [...sources, ...pages, ...others]) expect(read(path), path).toContain('23.45.67');
  // These say it of files, of nothing else.
  for (const path of [...pages, ...others]) expect(read(path), path).not.toContain(VERSION);
  const added = execFileSync('git', ['diff', '--cached', '--name-only'], { cwd: folder, encoding: 'utf8' });
  expect(added.trim().split('\n')).toHaveLength(sources.length + pages.length + others.length);
});
