// What the artefacts point to is in them: a path in a message, a page, a readme or a unit leads somewhere for those who have nothing else.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packCli, stageCli } from '../../build/release/cli-package.ts';
import { makePackage } from '../../build/release/node-packages.ts';

const root = join(import.meta.dirname, '..', '..');
let folder: string;
let cli: string;
let node: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-pointers-'));
  const staged = join(folder, 'staged');
  await stageCli(staged);
  execFileSync('tar', ['-xzf', join(folder, packCli(staged, folder)), '-C', folder]);
  cli = join(folder, 'package');
  const deb = makePackage(folder, 'deb', { homepage: 'https://example.invalid', date: 1_764_000_000 });
  node = join(folder, 'node');
  mkdirSync(node);
  execFileSync('dpkg-deb', ['--extract', join(folder, deb), node]);
  // On a machine without nfpm Go builds it first.
}, 1_200_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (...path: readonly string[]) => readFileSync(join(...path), 'utf8');
const each = (text: string, pattern: RegExp) => [
  ...new Set([...text.matchAll(pattern)].map(([, one]) => one!)),
];

describe('the command line’s package', () => {
  it('has every file that its messages name: the bundle has no comments, so what is left is text', () => {
    const bundle = globSync('dist/**/*.js', { cwd: cli }).map((path) => read(cli, path));
    const folders =
      'bench|build|docs|events|functions|lab|live|notify|resources|runbook|shared|terraform|test';
    const named = each(
      bundle.join('\n'),
      new RegExp(`(?<![\\w./:@-])((?:${folders})/[\\w./-]*\\w\\.(?:md|json|ts|yml|bash))\\b`, 'g'),
    );
    expect(named).toContain('docs/output.md');
    expect(named.filter((path) => !existsSync(join(cli, path)))).toEqual([]);
  });

  it('says in its help where they are, also in a folder with a blank in its name', () => {
    const place = join(folder, 'a folder');
    cpSync(cli, place, { recursive: true });
    const help = execFileSync(process.execPath, [join(place, 'dist/cli/vipshift.js'), '--help'], {
      encoding: 'utf8',
    });
    expect(help).toContain(`Pages that messages name, such as docs/operations.md, are in:\n  ${place}\n`);
    expect(existsSync(join(place, 'docs/operations.md'))).toBe(true);
  });

  it('has the schema of every document that a command prints, and the policies of those who call it', () => {
    for (const place of ['docs/schemas', 'resources/policies/operators']) {
      const files = globSync('*.json', { cwd: join(root, place) });
      expect(files.length).toBeGreaterThan(3);
      expect(globSync('*.json', { cwd: join(cli, place) }).toSorted()).toEqual(files.toSorted());
    }
  });

  it('has what its pages link to', () => {
    const pages = globSync('**/*.md', { cwd: cli });
    expect(pages).toContain('docs/install.md');
    const dangling = pages.flatMap((page) =>
      each(read(cli, page), /\]\((?!https?:|mailto:|#)([^)#\s]+)/g)
        .filter((target) => !existsSync(join(cli, dirname(page), target)))
        .map((target) => `${page}: ${target}`),
    );
    expect(dangling).toEqual([]);
  });
});

describe('the node’s package', () => {
  const files = () => globSync('**/*', { cwd: node }).map((path) => `/${path}`);

  it('has what its units call and order by path', () => {
    const units = files().filter((path) => /systemd\/.*\.(?:service|socket|conf)$/.test(path));
    expect(units.length).toBeGreaterThan(4);
    for (const unit of units)
      for (const program of each(read(node, unit), /^Exec\w+=[-+!@:]*(\/\S*vipshift\S*)/gm))
        expect(files(), unit).toContain(program);
  });

  it('names no file of a checkout, which no node has', () => {
    const texts = files().filter((path) => /\.(?:md|bash|conf|service|socket)$|bin\/|copyright$/.test(path));
    const named = texts.flatMap((path) => {
      // A comment is for who reads the source.
      const text = read(node, path).replace(/^\s*#.*$/gm, '');
      return each(
        text,
        /(?<![\w/.-])((?:docs|bench|lab|notify|test|resources)\/[\w./-]+|npm run [\w:-]+)/g,
      ).map((one) => `${path}: ${one}`);
    });
    expect(named).toEqual([]);
  });
});
