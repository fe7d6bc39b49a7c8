// Writes package.json's version into the sources that cannot read it: `npm version` runs this before it commits.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const places: readonly (readonly [string, RegExp])[] = [
  ['shared/version.ts', /(?<=^export const VERSION = ').*(?=';$)/m],
  ['terraform/main.tf', /(?<=^ {2}version = ").*(?="$)/m],
  ['notify/vipshift-notify', /(?<=^readonly SHIM_VERSION=).*$/m],
];

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
for (const [path, place] of places) {
  const text = readFileSync(join(root, path), 'utf8');
  if (!place.test(text)) throw new Error(`${path} has no version, expected ${place}`);
  writeFileSync(join(root, path), text.replace(place, version));
}
execFileSync('git', ['add', ...places.map(([path]) => path)], { cwd: root });
