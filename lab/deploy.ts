/**
 * Deploys serverless.yml, as it is, onto a local AWS with osls.
 *
 * Invariant: the file is the one that goes to an account; what the local AWS needs besides comes from one plugin (serverless-local.cjs), and
 * that refuses every endpoint off loopback. Each deployment runs in a folder of its own, so any number may run at once.
 * Limit: bundles are kept under .lab/build by the hash of their sources; the folders of older sources are left lying.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../build/functions.ts';
import { childEnv, type LocalAws } from './local-aws.ts';

const root = join(import.meta.dirname, '..');
const osls = join(root, 'node_modules', 'serverless', 'bin', 'serverless.js');
const plugin = 'serverless-local.cjs';
const deployTimeoutMs = 90_000;

export interface DeployOptions {
  /** `dev` unless told. */
  readonly stage?: string;
  /** The role that claims must come from; without it the deployment takes any member's word (NodeIdentity none). */
  readonly nodeRoleId?: string;
  readonly nodeRoleArn?: string;
  /** Where the functions find EC2; the local AWS's own unless told. */
  readonly ec2Endpoint?: string;
  /** Where the functions find everything else. */
  readonly endpoint?: string;
  /** Whether reconcile runs by itself every minute; it does unless told. */
  readonly schedule?: boolean;
  readonly extraEnv?: Readonly<Record<string, string>>;
  /** The folder of the functions' sources; functions/ unless told. */
  readonly functionsFolder?: string;
}

export interface Deployment {
  readonly stage: string;
  readonly busName: string;
  readonly busArn: string;
  readonly vipsTable: string;
  readonly timelineTable: string;
  readonly functions: { readonly failover: string; readonly reconcile: string };
}

export async function deployService(aws: LocalAws, options: DeployOptions = {}): Promise<Deployment> {
  const stage = options.stage ?? 'dev';
  const service = await mkdtemp(join(tmpdir(), 'vipshift-deploy-'));
  try {
    await layOut(service, await builtFunctions(options.functionsFolder ?? join(root, 'functions')));
    const outputs = join(service, 'outputs.json');
    await runOsls(['deploy', '--stage', stage, ...params(options)], service, {
      ...childEnv(aws),
      VIPSHIFT_LAB_OUTPUTS: outputs,
      SLS_AWS_MONITORING_FREQUENCY: '20',
      VIPSHIFT_LAB_FUNCTION_ENV: JSON.stringify(functionEnv(aws, options)),
    });
    return deployment(stage, JSON.parse(await readFile(outputs, 'utf8')) as Record<string, string>);
  } finally {
    await rm(service, { recursive: true, force: true });
  }
}

function params(options: DeployOptions): string[] {
  const { nodeRoleId, nodeRoleArn, schedule = true } = options;
  const values = {
    nodeIdentity: nodeRoleId === undefined ? 'none' : 'source',
    ...(nodeRoleId === undefined ? {} : { nodeRoleId }),
    ...(nodeRoleArn === undefined ? {} : { nodeRoleArn }),
    deletionProtection: 'false',
    reconcileSchedule: String(schedule),
  };
  return Object.entries(values).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
}

function functionEnv(aws: LocalAws, options: DeployOptions): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: options.endpoint ?? aws.endpoint,
    AWS_ENDPOINT_URL_EC2: options.ec2Endpoint ?? aws.ec2EndpointForFunctions,
    ...options.extraEnv,
  };
}

/** The folder that holds failover.zip and reconcile.zip of these sources: built once per content. */
async function builtFunctions(functionsFolder: string): Promise<string> {
  const home = join(root, '.lab', 'build', await contentHash(functionsFolder));
  if (existsSync(home)) return home;
  const draft = `${home}.${randomBytes(4).toString('hex')}`;
  try {
    await bundleFunctions(functionsFolder, draft);
    // Somebody else may have been quicker; theirs is the same.
    await rename(draft, home).catch(() => {});
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return home;
}

async function contentHash(functionsFolder: string): Promise<string> {
  const ours = globSync(['shared/**/*.ts', 'events/**/*.json', 'build/*.ts', 'package-lock.json'], {
    cwd: root,
  });
  const theirs = globSync('**/*.ts', { cwd: functionsFolder });
  const paths = [
    ...ours.map((path) => join(root, path)),
    ...theirs.map((path) => join(functionsFolder, path)),
  ];
  const hash = createHash('sha256');
  for (const path of paths.sort())
    hash
      .update(`${path}\0`)
      .update(await readFile(path))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

async function layOut(service: string, functions: string): Promise<void> {
  for (const part of ['serverless.yml', 'resources'])
    await cp(join(root, part), join(service, part), { recursive: true });
  await mkdir(join(service, 'dist'));
  await symlink(functions, join(service, 'dist', 'functions'));
  await cp(join(root, 'lab', plugin), join(service, plugin));
  await appendFile(join(service, 'serverless.yml'), `\nplugins: [./${plugin}]\n`);
}

async function runOsls(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, [osls, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const killer = setTimeout(() => child.kill('SIGKILL'), deployTimeoutMs);
  const said = collect(child);
  try {
    const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (status === 0) return;
    const end = signal === null ? `with status ${status}` : `by ${signal} (limit ${deployTimeoutMs} ms)`;
    throw new Error(`osls ${args[0]} ended ${end}:\n${said().trim()}`);
  } finally {
    clearTimeout(killer);
  }
}

function collect(child: ChildProcess): () => string {
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

function deployment(stage: string, outputs: Record<string, string>): Deployment {
  const output = (name: string): string => {
    const value = outputs[name];
    if (value === undefined)
      throw new Error(`the stack has no output ${name}, found: ${Object.keys(outputs).join(', ')}`);
    return value;
  };
  return {
    stage,
    busName: output('BusName'),
    busArn: output('BusArn'),
    vipsTable: output('VipsTableName'),
    timelineTable: output('TimelineTableName'),
    functions: { failover: output('FailoverFunctionName'), reconcile: output('ReconcileFunctionName') },
  };
}
