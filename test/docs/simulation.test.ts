// How many checkers and controls the pages speak of, against the simulation.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checks } from '../sim/checkers.ts';
import { every } from '../sim/controls/every-control.ts';

const root = join(import.meta.dirname, '..', '..');

test.each([
  ['README.md', (checkers: number, controls: number) => `${checkers} checkers and ${controls} controls`],
  ['README.zh-CN.md', (checkers: number, controls: number) => `${checkers} 个检查器，${controls} 项对照`],
  ['docs/architecture.md', (checkers: number) => `${checkers} checkers look`],
  ['docs/architecture.md', (_: number, controls: number) => `${controls} protections are removed`],
])('%s counts them', (page, text) => {
  expect(readFileSync(join(root, page), 'utf8')).toContain(text(checks.length, every.length));
});
