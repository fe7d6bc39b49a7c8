// `npm run sbom`: the bill of materials (CycloneDX, on stdout) of what the command line and the functions ship.
//
// npm makes it, of all packages. What it would leave out by --omit=dev is too much: also a package that is shipped, as soon as a tool needs
// it, too. So the tools are taken out here, by the mark that package-lock.json has for them.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
}
interface Bill {
  readonly metadata: { readonly component: { readonly 'bom-ref': string } };
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

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
const args = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx'];
const whole = execFileSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: BILL_MAX });
process.stdout.write(`${JSON.stringify(billOfShipped(JSON.parse(whole) as Bill, lock), null, 2)}\n`);
