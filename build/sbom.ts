/**
 * `npm run sbom`: the bill of materials (CycloneDX 1.5, on stdout) of what the command line and the functions ship.
 *
 * Read from package-lock.json, which has all of it: the version, checksum and licence of each package, and what needs what. Debian
 * 13's npm 9 has no `npm sbom`, and @cyclonedx/cyclonedx-npm 6.0.1 would add 148 packages to the tools. Left out is what only tools need, by
 * the mark that the lock has for them.
 * Invariant: the same bytes for the same lock: the serial number comes of the content, and there is no time in it.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defined, ifDefined } from '../shared/optional.ts';

interface Locked {
  readonly version: string;
  /** SPDX. */
  readonly license?: string;
  /** `sha512-` and base64. */
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}
type Packages = Readonly<Record<string, Locked>>;
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly description: string;
}

const root = join(import.meta.dirname, '..');
const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));

/** The text of the bill, with its last line's end. */
export function billOfMaterials(): string {
  const { packages } = read('package-lock.json') as { readonly packages: Packages };
  const { name, version, license, description } = read('package.json') as Manifest;
  const isShipped = ({ dev, devOptional }: Locked) => dev !== true && devOptional !== true;
  const shipped = Object.entries(packages).filter(([path, one]) => path !== '' && isShipped(one));
  const refOf = (path: string) => (path === '' ? `${name}@${version}` : refAt(path, packages[path]!));
  const needs = (path: string) =>
    neededBy(path, packages)
      .filter((at) => isShipped(packages[at]!))
      .map(refOf);
  const content = {
    ...{
      $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
    },
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'pre-build' }],
      component: { ...componentOf(name, { version, license }), description },
    },
    components: unique(
      shipped.map(([path, one]) => componentOf(nameAt(path), one)),
      (one) => one['bom-ref'],
    ),
    dependencies: unique(
      ['', ...shipped.map(([path]) => path)].map((path) => ({
        ref: refOf(path),
        dependsOn: needs(path).sort(),
      })),
      ({ ref }) => ref,
    ),
  };
  return `${JSON.stringify({ ...content, serialNumber: serialOf(content) }, null, 2)}\n`;
}

const nameAt = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const refAt = (path: string, { version }: Locked): string => `${nameAt(path)}@${version}`;

/** One version may lie in several folders. */
function unique<T>(all: readonly T[], key: (one: T) => string): readonly T[] {
  return [...new Map(all.map((one) => [key(one), one])).values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

const componentOf = (name: string, { version, license, integrity }: Locked) => ({
  ...{ 'bom-ref': `${name}@${version}`, type: 'library', name, version, scope: 'required' },
  purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
  ...defined({
    hashes: ifDefined(integrity, (sum) => [hashOf(sum)]),
    licenses: ifDefined(license, (terms) => [licenseOf(terms)]),
  }),
});

function hashOf(integrity: string): { readonly alg: string; readonly content: string } {
  const [, digits, sum] = /^sha(\d+)-(.+)$/.exec(integrity) ?? [];
  if (digits === undefined || sum === undefined)
    throw new Error(`package-lock.json has the checksum "${integrity}", expected sha512-…`);
  return { alg: `SHA-${digits}`, content: Buffer.from(sum, 'base64').toString('hex') };
}

/** Several together are an expression. */
const licenseOf = (license: string) =>
  /[ (]/.test(license) ? { expression: license } : { license: { id: license } };

/** Where Node finds what a package asks for: in its own folder, or in the next one above that has it. */
function neededBy(path: string, packages: Packages): readonly string[] {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = packages[path]!;
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }).flatMap((name) => {
    for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
      const found = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
      if (packages[found] !== undefined) return [found];
      if (at === '') return [];
    }
  });
}

/** A UUID of version 8: what it is made of is the maker's to say (RFC 9562 §5.8). */
function serialOf(content: object): string {
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  const [, a, b, c, d, e] = /^(.{8})(.{4})(.{3})(.{3})(.{12})/.exec(hash)!;
  return `urn:uuid:${a}-${b}-8${c}-8${d}-${e}`;
}

if (import.meta.main) process.stdout.write(billOfMaterials());
