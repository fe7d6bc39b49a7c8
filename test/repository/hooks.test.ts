// The hooks of .githooks, in a repository of their own with commits of their own.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

let folder: string;
/** Where npm is one that notes its arguments and ends as `npm.status` says. */
let bin: string;

const env = () => ({
  PATH: `${bin}:${process.env.PATH}`,
  HOME: folder,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
});
const git = (...args: readonly string[]) => {
  const { status, stderr } = spawnSync('git', args, { cwd: folder, env: env(), encoding: 'utf8' });
  return { status, stderr };
};
const commit = (message: string) => git('commit', '--allow-empty', '--quiet', '--message', message);
const npmCalls = (): string => readFileSync(join(bin, 'calls'), 'utf8');
const npmEndsWith = (status: number) => {
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\necho "$*" >> ${bin}/calls\nexit ${status}\n`);
  chmodSync(join(bin, 'npm'), 0o755);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-hooks-'));
  bin = join(folder, 'bin');
  mkdirSync(bin);
  mkdirSync(join(folder, 'node_modules'));
  writeFileSync(join(bin, 'calls'), '');
  npmEndsWith(0);
  execFileSync('git', ['init', '--quiet', '--initial-branch', 'main'], { cwd: folder, env: env() });
  git('config', 'core.hooksPath', join(root, '.githooks'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a commit', () => {
  test('is checked, and made', () => {
    expect(commit('lease: keep the item on release')).toMatchObject({ status: 0 });
    expect(npmCalls()).toBe('run --silent check\n');
  });

  test('is not made when the check fails', () => {
    npmEndsWith(1);
    expect(commit('lease: keep the item on release').status).not.toBe(0);
    expect(git('log').status).not.toBe(0);
  });

  test('is not made without node_modules: the message says what to run', () => {
    rmSync(join(folder, 'node_modules'), { recursive: true });
    const { status, stderr } = commit('lease: keep the item on release');
    expect(status).not.toBe(0);
    expect(stderr).toContain('run npm ci first');
  });

  const subjects: readonly (readonly [string, string, string | undefined])[] = [
    ['an area and what changed', 'cli, docs: one word for it', undefined],
    ['a merge', 'Merge branch x', undefined],
    ['a body after a blank line', 'lease: keep it\n\nBecause.', undefined],
    ['no area', 'Fix the lease', 'expected "area: what changed"'],
    ['an area and nothing', 'lease: ', 'expected "area: what changed"'],
    ['73 characters', `lease: ${'x'.repeat(66)}`, 'expected at most 72'],
    ['a body without a blank line', 'lease: keep it\nBecause.', 'expected a blank line'],
  ];
  for (const [name, message, complaint] of subjects) {
    test(`with ${name} is ${complaint === undefined ? 'made' : 'refused, with the reason'}`, () => {
      const { status, stderr } = commit(message);
      expect(status === 0).toBe(complaint === undefined);
      expect(stderr).toContain(complaint ?? '');
    });
  }

  test('with exactly 72 characters is made', () => {
    expect(commit(`lease: ${'x'.repeat(65)}`)).toMatchObject({ status: 0 });
  });
});

describe('a push', () => {
  const push = () => git('push', '--quiet', join(folder, 'elsewhere.git'), 'main');

  beforeEach(() => {
    execFileSync('git', ['init', '--quiet', '--bare', join(folder, 'elsewhere.git')], { env: env() });
    commit('lease: keep the item on release');
    writeFileSync(join(bin, 'calls'), '');
  });

  test('runs the fast tests first', () => {
    expect(push()).toMatchObject({ status: 0 });
    expect(npmCalls()).toBe('run --silent test:fast\n');
  });

  test('is not made when they fail', () => {
    npmEndsWith(1);
    expect(push().status).not.toBe(0);
  });
});
