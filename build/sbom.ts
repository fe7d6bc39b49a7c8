/**
 * `npm run sbom`: the bill of materials (CycloneDX, on stdout) of what the command line and the functions ship.
 *
 * npm makes it, of all packages. What it would leave out by --omit=dev is too much: also a package that is shipped, as soon as a tool needs
 * it, too. So the tools are taken out here, by the mark that package-lock.json has for them.
 * Invariant: the same bytes for the same lock. npm's own serial number and time are new each time; here the one comes of the content, and
 * the other is left out.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
}
interface Bill {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string; readonly component: { readonly 'bom-ref': string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}
interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly dev?: boolean; readonly devOptional?: boolean }>
  >;
}

const root = join(import.meta.dirname, '..');
const BILL_MAX = 1 << 26;

/** The text of the bill, with its last line's end. */
export function billOfMaterials(): string {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const args = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx'];
  const whole = execFileSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: BILL_MAX });
  return `${JSON.stringify(dated(billOfShipped(JSON.parse(whole) as Bill, lock)), null, 2)}\n`;
}

function billOfShipped(whole: Bill, { packages }: Lock): Bill {
  const shipped = new Set(
    Object.entries(packages)
      .filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true)
      .map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`),
  );
  const components = whole.components.filter(({ name, version }) => shipped.has(`${name}@${version}`));
  const known = new Set(components.map((component) => component['bom-ref']));
  const dependencies = whole.dependencies
    .filter(({ ref }) => known.has(ref) || ref === whole.metadata.component['bom-ref'])
    .map((one) => ({ ...one, dependsOn: (one.dependsOn ?? []).filter((ref) => known.has(ref)) }));
  return { ...whole, components, dependencies };
}

function dated(bill: Bill): object {
  const { timestamp: _now, ...metadata } = bill.metadata;
  const { serialNumber: _chance, ...others } = { ...bill, metadata };
  const hash = createHash('sha256').update(JSON.stringify(others)).digest('hex');
  // A UUID of version 8: what it is made of is the maker's to say (RFC 9562 §5.8).
  const [, a, b, c, d, e] = /^(.{8})(.{4})(.{3})(.{3})(.{12})/.exec(hash)!;
  return { ...others, serialNumber: `urn:uuid:${a}-${b}-8${c}-8${d}-${e}`, metadata };
}

if (import.meta.main) process.stdout.write(billOfMaterials());
