// Writes package.json's version into the sources that cannot read it, and into the pages that name a release's files: `npm version` runs this
// before it commits.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const places: readonly (readonly [string, RegExp])[] = [
  ['shared/version.ts', /(?<=^export const VERSION = ').*(?=';$)/m],
  ['terraform/main.tf', /(?<=^ {2}version = ").*(?="$)/m],
  ['notify/vipshift-notify', /(?<=^readonly SHIM_VERSION=).*$/m],
  // Of each of these all that is called vipshift, and its variable, tag and folder.
  ...['README.md', 'README.zh-CN.md', 'docs/reference/ways-to-install.md'].map(
    (page) => [page, /(?<=vipshift(?:-notify)?[-_/]|\bV=|\?ref=v)\d+\.\d+\.\d+/g] as const,
  ),
  ...['docs/install.md', 'docs/zh-CN/install.md'].map(
    (page) => [page, /(?<=^releases: .*(?:stack|vipshift|shims) )\d+\.\d+\.\d+/gm] as const,
  ),
];

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
for (const [path, place] of places) {
  const text = readFileSync(join(root, path), 'utf8');
  if (text.search(place) < 0) throw new Error(`${path} has no version, expected ${place}`);
  writeFileSync(join(root, path), text.replace(place, version));
}
execFileSync('git', ['add', ...places.map(([path]) => path)], { cwd: root });
