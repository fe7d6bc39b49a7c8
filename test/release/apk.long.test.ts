// The apk in an empty root, by go-apk, the installer in Go that Chainguard's images are made with.
//
// Limit: Alpine's own apk could not be had here, and go-apk removes nothing; the database that it writes is apk's.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makePackage } from '../../build/release/node-packages.ts';

let folder: string;
let root: string;
let listed: readonly string[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-apk-'));
  root = join(folder, 'root');
  mkdirSync(root);
  const input = { homepage: 'https://example.invalid', date: 1_764_000_000, version: '1.0.1' };
  const apk = join(folder, makePackage(folder, 'apk', input));
  const program = join(folder, 'apk-install');
  // On a machine that has not built it yet it takes half a minute.
  execFileSync('go', ['build', '-trimpath', '-o', program, '.'], {
    cwd: join(import.meta.dirname, 'apk-install'),
  });
  listed = execFileSync(program, [root, apk], { encoding: 'utf8' }).trim().split('\n');
}, 1_200_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('is installed: its control file is one line for each key, and its data has the hash that it says', () => {
  const [first, ...files] = listed;
  expect(first).toBe('vipshift-notify 1.0.1-r1 noarch');
  expect(files.map((line) => line.trim())).toContain('usr/bin/vipshift-notify');
  expect(files.filter((line) => /systemd\/|tmpfiles\.d/.test(line))).toEqual([]);
});

it('has in apk’s database what it depends on, and every file as it lies there', () => {
  const database = readFileSync(join(root, 'lib/apk/db/installed'), 'utf8');
  expect(database).toMatch(/^D:bash>=4\.4 curl>=7\.86 ca-certificates coreutils$/m);
  let place = '';
  let seen = 0;
  for (const line of database.split('\n')) {
    if (line.startsWith('F:')) place = line.slice(2);
    if (line.startsWith('R:')) expect(statSync(join(root, place, line.slice(2))).isFile(), line).toBe(true);
    if (line.startsWith('R:')) seen += 1;
  }
  const program = readFileSync(join(root, 'usr/bin/vipshift-notify'));
  const [, checksum] = /^R:vipshift-notify\n(?:a:.*\n)?Z:Q1(.*)$/m.exec(database)!;
  expect(checksum).toBe(createHash('sha1').update(program).digest('base64'));
  expect(seen).toBeGreaterThan(20);
});

it('runs where bash is', () => {
  const said = execFileSync(join(root, 'usr/bin/vipshift-notify'), ['--version'], { encoding: 'utf8' });
  expect(said).toMatch(/^\d+\.\d+\.\d+\n$/);
});
