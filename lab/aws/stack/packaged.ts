/**
 * serverless.yml as osls packages it: made once per content of the functions and the service, under .lab/build, and the same for every stage
 * with the stage and the parameters put in, as osls would have (test/release/template.test.ts).
 *
 * Invariant: a folder named by its hash is complete, as those of the bundles are. It is made without credentials, and with an endpoint where
 * no one listens: a call to AWS would fail the packaging.
 * Limit: packages of older sources are left lying.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, globSync } from 'node:fs';
import { cp, readFile, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { parse } from 'yaml';
import { PACKAGED_STAGE } from '../../../build/release/template.ts';
import { withLock } from '../python.ts';
import { builtFunctions, root, runOsls, type ServiceFolderOptions, withServiceFolder } from './serverless.ts';

export interface PackageOptions extends Pick<ServiceFolderOptions, 'functionsFolder'> {
  readonly stage: string;
  /** `--param`. */
  readonly params: Readonly<Record<string, string>>;
}

export interface Packaged {
  /** The template that a new stack begins with: the bucket that the functions' code is put into. */
  readonly first: string;
  /** The template of all of it. */
  readonly template: string;
  /** Holds NAME.zip of each function. */
  readonly functions: string;
}

/** Throws an Error where the template has no such parameter, or does not allow the value. */
export async function packagedService(options: PackageOptions): Promise<Packaged> {
  const { template, ...others } = await packagedByOsls({ ...options, stage: PACKAGED_STAGE, params: {} });
  return { ...others, template: await putIn(template, options) };
}

/** By a run of osls of its own for each stage and each parameter. */
export async function packagedByOsls(options: PackageOptions): Promise<Packaged> {
  const functions = await builtFunctions(options.functionsFolder);
  const home = `${functions}-${await hashOf(options)}`;
  // Suites that begin at once want the same: one makes it.
  if (!existsSync(home)) await withLock(`${home}.lock`, home, () => make(options, home));
  const template = (name: string) =>
    readFile(join(home, `cloudformation-template-${name}-stack.json`), 'utf8');
  return { first: await template('create'), template: await template('update'), functions };
}

interface Parameter {
  Default: string | number;
  readonly AllowedPattern?: string;
  readonly AllowedValues?: readonly (string | number)[];
}
interface Parametric {
  readonly Parameters: Readonly<Record<string, Parameter>>;
}

async function putIn(text: string, { stage, params }: PackageOptions): Promise<string> {
  const template = JSON.parse(text.replaceAll(PACKAGED_STAGE, stage)) as Parametric;
  // It also has CloudFormation's own tags, which are not read here.
  const yaml = await readFile(join(root, 'resources', 'parameters.yml'), 'utf8');
  const source = parse(yaml, { logLevel: 'error' }) as Parametric;
  const names = new Map(Object.entries(source.Parameters).map(([name, { Default }]) => [Default, name]));
  for (const [param, value] of Object.entries(params)) {
    const name = names.get(`\${param:${param}}`);
    if (name === undefined) throw new Error(`resources/parameters.yml has no parameter for --param ${param}`);
    template.Parameters[name]!.Default = value;
  }
  for (const [name, { Default, AllowedPattern = '', AllowedValues }] of Object.entries(template.Parameters)) {
    const value = String(Default);
    if (
      !new RegExp(AllowedPattern).test(value) ||
      AllowedValues?.some((one) => String(one) === value) === false
    )
      throw new Error(`${name} is "${value}", expected ${AllowedValues?.join(' or ') ?? AllowedPattern}`);
  }
  return JSON.stringify(template);
}

async function make(options: PackageOptions, home: string): Promise<void> {
  const draft = `${home}.${randomBytes(4).toString('hex')}`;
  try {
    await withServiceFolder(options, async (folder) => {
      const params = Object.entries(options.params).flatMap(([name, value]) => [
        '--param',
        `${name}=${value}`,
      ]);
      await runOsls(['package', '--stage', options.stage, ...params], folder, {
        PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
        HOME: folder,
        AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
        HTTPS_PROXY: 'http://127.0.0.1:9',
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      });
      await cp(join(folder, '.serverless'), draft, { recursive: true });
    });
    // The lock only saves work: should another process have been quicker, its result is the same.
    await rename(draft, home).catch(() => {});
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Beside what the bundles depend on, which is in the name of their folder. */
async function hashOf({ stage, params }: PackageOptions): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([stage, params]));
  for (const path of globSync(['serverless.yml', '{resources,runbook}/**/*.*'], { cwd: root }).sort())
    hash.update(`\0${path}\0`).update(await readFile(join(root, path)));
  return hash.digest('hex').slice(0, 16);
}
