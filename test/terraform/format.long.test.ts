// The Terraform files are formatted as `tofu fmt` leaves them, by that command itself.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tofuFmt } from './tofu-fmt.ts';

const root = join(import.meta.dirname, '..', '..');

let program: string;
beforeAll(() => {
  // On a machine without it Go builds it first.
  program = tofuFmt();
}, 1_200_000);

const check = (cwd: string) => {
  const options = ['-check', '-recursive', 'terraform'];
  const { status, stdout, stderr } = spawnSync(program, options, { cwd, encoding: 'utf8' });
  return { status, stdout, stderr };
};

it('tofu fmt -check -recursive has nothing to say of terraform/', () => {
  expect(check(root)).toEqual({ status: 0, stdout: '', stderr: '' });
});

describe('of a copy', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vipshift-tofu-'));
    cpSync(join(root, 'terraform'), join(folder, 'terraform'), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function edit(file: string, from: string, to: string): void {
    const path = join(folder, 'terraform', file);
    const text = readFileSync(path, 'utf8');
    expect(text).toContain(from);
    writeFileSync(path, text.replace(from, to));
  }

  it('it names each file that is not aligned, however deep', () => {
    edit('modules/vip/main.tf', '  key         =', '  key =');
    edit('examples/pair/main.tf', 'http_tokens =', 'http_tokens   =');
    expect(check(folder)).toMatchObject({
      status: 3,
      stdout: 'terraform/examples/pair/main.tf\nterraform/modules/vip/main.tf\n',
    });
  });

  it('it knows more than how to align: a value that is one interpolation', () => {
    edit('modules/vip/main.tf', '= var.label\n', '= "${var.label}"\n');
    expect(check(folder)).toMatchObject({ status: 3, stdout: 'terraform/modules/vip/main.tf\n' });
  });

  it('it refuses what is no HCL, with file and line', () => {
    edit('versions.tf', 'terraform {', 'terraform {{');
    const { status, stderr } = check(folder);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^terraform\/versions\.tf:1,/);
  });
});
