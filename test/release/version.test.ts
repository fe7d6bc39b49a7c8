// One number: package.json's.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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
