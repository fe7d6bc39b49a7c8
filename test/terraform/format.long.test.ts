// The Terraform files are formatted as `terraform fmt` and `tofu fmt` would leave them.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { goProgram } from '../../build/release/go-program.ts';

const root = join(import.meta.dirname, '..', '..');
const files = globSync('terraform/**/*.tf', { cwd: root });

let program: string;
beforeAll(() => {
  // On a machine without it Go builds it first.
  program = goProgram('hclfmt');
}, 1_200_000);

const formatted = (text: string): string => spawnSync(program, { input: text, encoding: 'utf8' }).stdout;

it.each(files)('%s', (file) => {
  const text = readFileSync(join(root, file), 'utf8');
  expect(formatted(text)).toBe(text);
});

it('a file that is not is seen', () => {
  expect(formatted('a   = 1\nbbb = 2\n')).toBe('a   = 1\nbbb = 2\n');
  expect(formatted('a = 1\nbbb = 2\n')).toBe('a   = 1\nbbb = 2\n');
});
