// The CDK example: `cdk synth` of it, on the template and the zips of a release.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeStack } from '../../build/release/release.ts';
import { VERSION } from '../../shared/version.ts';
import { cfnLint } from '../deploy/support/cfn-lint.ts';
import { settled } from '../deploy/support/settled.ts';
import type { Template as DeployTemplate } from '../deploy/support/template.ts';

const root = join(import.meta.dirname, '..', '..');
const example = join(root, 'docs', 'reference', 'cdk');
/** CDK is a package of its own, which the first run installs here. */
const place = join(root, '.lab', 'cdk');
const settings = {
  stage: 'prod',
  nodeRoleId: 'AROAEXAMPLE000000001',
  nodeRoleArn: 'arn:aws:iam::111122223333:role/vipshift-node',
};

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}
interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, unknown>>;
  readonly Parameters: Readonly<Record<string, unknown>>;
  readonly Rules: Readonly<Record<string, unknown>>;
}

/** Once for each version of the lock file. */
function installCdk(): void {
  mkdirSync(place, { recursive: true });
  const [lock, installed] = [join(example, 'package-lock.json'), join(place, 'installed.json')];
  for (const name of ['app.js', 'cdk.json', 'package.json', 'package-lock.json'])
    copyFileSync(join(example, name), join(place, name));
  if (existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(lock, 'utf8')) return;
  const options = ['--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', ['ci', ...options], { cwd: place, stdio: 'ignore' });
  copyFileSync(lock, installed);
}

let folder: string;
let released: Template;
beforeAll(async () => {
  installCdk();
  folder = mkdtempSync(join(tmpdir(), 'vipshift-cdk-'));
  await makeStack(folder);
  released = JSON.parse(readFileSync(join(folder, `vipshift-${VERSION}.template.json`), 'utf8')) as Template;
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function synth(given: Readonly<Record<string, string>>) {
  const context = Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const out = join(folder, 'cdk.out');
  const args = ['synth', '--quiet', '--no-notices', '--no-version-reporting', '--output', out, ...context];
  const { status, stdout, stderr } = spawnSync(join(place, 'node_modules', '.bin', 'cdk'), args, {
    cwd: place,
    encoding: 'utf8',
    env: { ...process.env, CI: '1', CDK_DISABLE_CLI_TELEMETRY: 'true', HOME: folder },
  });
  return { status, said: stdout + stderr, file: join(out, 'vipshift-prod.template.json') };
}

describe('cdk synth of the example', () => {
  let text: string;
  let synthesized: Template;
  beforeAll(() => {
    const { status, said, file } = synth({ ...settings, release: folder });
    expect({ status, said }).toMatchObject({ status: 0 });
    text = readFileSync(file, 'utf8');
    synthesized = JSON.parse(text) as Template;
  }, 300_000);

  it('has the template’s logical ids, parameters, rules and outputs, and of CDK’s own only the version of its bucket', () => {
    const keys = (part: keyof Template, of: Template) => Object.keys(of[part]).toSorted();
    expect(keys('Resources', synthesized)).toEqual(keys('Resources', released));
    expect(keys('Outputs', synthesized)).toEqual(keys('Outputs', released));
    const own = (part: keyof Template) => keys(part, synthesized).filter((name) => !(name in released[part]));
    expect([own('Parameters'), own('Rules')]).toEqual([['BootstrapVersion'], ['CheckBootstrapVersion']]);
  });

  it('changes nothing of a resource but where the code is, and whom the policy is attached to', () => {
    // CDK puts the values in where the parameters were.
    const values = { ...settings, noticesMail: '' };
    const text = Object.entries(values).reduce(
      (t, [name, value]) =>
        t.replaceAll(`{"Ref":"${name[0]!.toUpperCase()}${name.slice(1)}"}`, JSON.stringify(value)),
      JSON.stringify({
        ...released,
        Parameters: { ...released.Parameters, Stage: { Default: settings.stage } },
      }),
    );
    const expected = resolved(JSON.parse(text) as Template);
    const found = resolved(synthesized);
    const changed = Object.entries(expected).flatMap(([id, { Properties: before = {} }]) => {
      const after = found[id]!.Properties ?? {};
      return [...new Set([...Object.keys(before), ...Object.keys(after)])]
        .filter((name) => JSON.stringify(sorted(before[name])) !== JSON.stringify(sorted(after[name])))
        .map((name) => `${id}.${name}`);
    });
    expect(changed.toSorted()).toEqual([
      'FailoverLambdaFunction.Code',
      'NodePolicy.Roles',
      'ReconcileLambdaFunction.Code',
      'RunbookLambdaFunction.Code',
    ]);
    expect(synthesized.Resources.NodePolicy!.Properties!.Roles).toEqual(['vipshift-node']);
  });

  it('has no error before cfn-lint', async () => {
    const errors = (await cfnLint(text)).filter(({ id }) => id.startsWith('E'));
    // The states language gives Succeed an OutputPath; the schema of the rule leaves it out.
    expect(errors.filter(({ id }) => !/^E3601 .*\/OutputPath$/.test(id))).toEqual([]);
  }, 120_000);
});

it.each([
  ['a setting that is missing', { stage: 'prod' }, 'is missing: -c'],
  ['a folder without a release', { ...settings, release: example }, 'it must hold the files of a release'],
])(
  '%s is named',
  (_what, given, said) => {
    const ended = synth({ release: folder, ...given });
    expect(ended.status).not.toBe(0);
    expect(ended.said).toContain(said);
  },
  120_000,
);

/** The resources, with the parameters' defaults in the place of references and conditions. */
const resolved = (template: Template): Template['Resources'] =>
  settled(template as unknown as DeployTemplate).Resources as unknown as Template['Resources'];

/** CDK writes keys in an order of its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
