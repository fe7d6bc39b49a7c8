// The bill of materials: what package.json installs without its tools, all of it and nothing else.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

interface Bill {
  readonly bomFormat: string;
  readonly components: readonly {
    readonly 'bom-ref': string;
    readonly name: string;
    readonly version: string;
    readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

describe('npm run sbom', () => {
  const printed = execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8' });
  const bill = JSON.parse(printed) as Bill;
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity?: string; dev?: boolean; devOptional?: boolean }>;
  };

  it('lists every package that is no tool, and no tool: also one that a tool needs as well', () => {
    const shipped = Object.entries(packages)
      .filter(([path, one]) => path !== '' && one.dev !== true && one.devOptional !== true)
      .map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`);
    expect(shipped.length).toBeGreaterThan(30);
    expect(bill.bomFormat).toBe('CycloneDX');
    const listed = bill.components.map(({ name, version }) => `${name}@${version}`);
    expect(listed.sort()).toEqual([...new Set(shipped)].sort());
  });

  it('has the checksum of each, as the lock has it', () => {
    const sums = new Set(Object.values(packages).map(({ integrity }) => integrity));
    for (const { name, hashes } of bill.components)
      expect(
        hashes.some(({ content }) => sums.has(`sha512-${Buffer.from(content, 'hex').toString('base64')}`)),
        name,
      ).toBe(true);
  });

  it('refers to nothing that it leaves out', () => {
    const known = new Set(bill.components.map((component) => component['bom-ref']));
    const refs = bill.dependencies.flatMap(({ dependsOn = [] }) => dependsOn);
    expect(refs.length).toBeGreaterThan(20);
    expect(refs.filter((ref) => !known.has(ref))).toEqual([]);
  });
});
