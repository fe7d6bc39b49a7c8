/**
 * Runs osls on serverless.yml in a folder of its own: the file, resources/ and runbook/ copied, the bundles linked in.
 *
 * Invariant: nothing is written into the working tree but .lab/build, so any number of runs at once do not meet, and osls ends within its limit.
 * Limit: bundles are kept under .lab/build by the hash of their sources; those of older sources are left lying.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { bundleFunctions } from '../../../build/functions.ts';
import { VERSION } from '../../../shared/version.ts';
import { withLock } from '../python.ts';

export const root = join(import.meta.dirname, '..', '..', '..');
const osls = join(root, 'node_modules', 'serverless', 'bin', 'serverless.js');
const limitMs = 90_000;

/** osls looks for the end of a deployment every 5 s by default; a deployment onto the emulators takes a fraction of one. */
export const quickMonitoring = { SLS_AWS_MONITORING_FREQUENCY: '100' };

export interface ServiceFolderOptions {
  /** The folder of the functions' sources; functions/ by default. */
  readonly functionsFolder?: string;
  /** Where to lay it out; the system's temporary folder by default. */
  readonly parent?: string;
  /** A plugin of ours that this run needs besides, as a path. */
  readonly plugin?: string;
}

/** Lays the service out in a folder of its own, and takes it away after the work. */
export async function withServiceFolder<T>(
  options: ServiceFolderOptions,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const functions = await builtFunctions(options.functionsFolder);
  const folder = await mkdtemp(join(options.parent ?? tmpdir(), 'vipshift-service-'));
  try {
    for (const part of ['serverless.yml', 'resources', 'runbook'])
      await cp(join(root, part), join(folder, part), { recursive: true });
    // Our .ts are modules here as they are at home, whatever package.json a folder above holds; serverless.yml reads the version.
    await writeFile(
      join(folder, 'package.json'),
      `${JSON.stringify({ type: 'module', version: VERSION })}\n`,
    );
    await mkdir(join(folder, 'dist'));
    await symlink(functions, join(folder, 'dist', 'functions'));
    if (options.plugin !== undefined) await addPlugin(folder, options.plugin);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function addPlugin(folder: string, plugin: string): Promise<void> {
  const name = basename(plugin);
  await cp(plugin, join(folder, name));
  await appendFile(join(folder, 'serverless.yml'), `\nplugins: [./${name}]\n`);
}

/** The folder that holds failover.zip and reconcile.zip of these sources: built once per content. */
export async function builtFunctions(functionsFolder = join(root, 'functions')): Promise<string> {
  const home = join(root, '.lab', 'build', await contentHash(functionsFolder));
  // Suites that begin at once want the same: one makes it.
  if (!existsSync(home)) await withLock(`${home}.lock`, home, () => bundle(functionsFolder, home));
  return home;
}

async function bundle(functionsFolder: string, home: string): Promise<void> {
  const draft = `${home}.${randomBytes(4).toString('hex')}`;
  try {
    await bundleFunctions(functionsFolder, draft);
    // The lock only saves work: should another process have been quicker, its result is the same.
    await rename(draft, home).catch(() => {});
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function contentHash(functionsFolder: string): Promise<string> {
  const ours = globSync(['shared/**/*.ts', 'events/**/*.json', 'build/*.ts', 'package-lock.json'], {
    cwd: root,
  });
  // A version given by its folder may bring its own domain code, next to it as ours is.
  const parent = join(functionsFolder, '..');
  const theirs = globSync([`${basename(functionsFolder)}/**/*.ts`, 'shared/**/*.ts'], { cwd: parent });
  const hash = createHash('sha256');
  for (const [folder, paths] of [
    [root, ours],
    [parent, theirs],
  ] as const)
    for (const path of paths.sort())
      hash
        .update(`${path}\0`)
        .update(await readFile(join(folder, path)))
        .update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** Ends without output of its own; what osls said is in the error if it fails. */
export async function runOsls(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, [osls, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const killer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const said = collect(child);
  try {
    const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (status === 0) return;
    const end = signal === null ? `with status ${status}` : `by ${signal} (limit ${limitMs} ms)`;
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
