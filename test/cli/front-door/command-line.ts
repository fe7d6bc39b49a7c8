// The command line from its front door: arguments in, streams and status out.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { vi } from 'vitest';
import { shapeProblems } from './schemas.ts';

// A test runs several commands; with every core taken by other suites each may need some seconds.
vi.setConfig({ testTimeout: 180_000 });

const root = join(import.meta.dirname, '..', '..', '..');
const cli = join(root, 'cli', 'vipshift.ts');
const RUN_MAX_MS = 60_000;

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One command line for a warm process. */
export interface Request {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export interface RunOptions {
  readonly stdin?: string;
  /** Interrupts the command (SIGINT) as soon as its output up to then fulfils this. */
  readonly signalAfter?: (said: string) => boolean;
}

/** Runs the command; `env` replaces the whole environment. With options, in a process of its own. With --json it throws what its schema is against. */
export async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = withoutAws(),
  options?: RunOptions,
): Promise<Ran> {
  const ran = await (options === undefined ? runWarm({ args, env }) : runCold({ args, env }, options));
  const problems = shapeProblems(args, ran.stdout);
  if (problems.length > 0) throw new Error(`vipshift ${args.join(' ')}:\n${problems.join('\n')}`);
  return ran;
}

// Most of what a process of its own costs is loading the SDK: these have done that already. As many as run at once, for all files of a worker.
const worker = globalThis as { idleCommandLines?: ChildProcess[] };
worker.idleCommandLines ??= [];
const idle = worker.idleCommandLines;

async function runWarm(request: Request): Promise<Ran> {
  const child =
    idle.pop() ??
    fork(join(import.meta.dirname, 'warm-process.ts'), {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  child.ref();
  child.channel?.ref();
  const killer = setTimeout(() => child.kill('SIGKILL'), RUN_MAX_MS);
  const died = new AbortController();
  const end = once(child, 'exit', { signal: died.signal }).then(
    () => undefined,
    () => undefined,
  );
  child.send(request);
  const ran = await Promise.race([once(child, 'message') as Promise<[Ran]>, end]);
  clearTimeout(killer);
  died.abort();
  if (ran === undefined)
    throw new Error(`vipshift ${request.args.join(' ')} ended the process, or lasted ${RUN_MAX_MS} ms`);
  child.unref();
  child.channel?.unref();
  idle.push(child);
  return ran[0];
}

async function runCold({ args, env }: Request, options: RunOptions): Promise<Ran> {
  const cached = { XDG_CACHE_HOME: join(root, '.lab', 'cache'), ...env };
  const child = spawn(process.execPath, [cli, ...args], { env: cached, stdio: ['pipe', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  let interrupted = false;
  const note = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
    said[stream] += chunk.toString('utf8');
    if (!interrupted && options.signalAfter?.(said.stdout + said.stderr) === true) {
      interrupted = true;
      child.kill('SIGINT');
    }
  };
  child.stdout.on('data', note('stdout'));
  child.stderr.on('data', note('stderr'));
  child.stdin.end(options.stdin ?? '');
  const killer = setTimeout(() => child.kill('SIGKILL'), RUN_MAX_MS);
  const [status] = (await once(child, 'close')) as [number | null];
  clearTimeout(killer);
  return { status, ...said };
}

/** An environment in which no AWS is to be found. */
export const withoutAws = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS_|VIPSHIFT_)/.test(name))),
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
});

/** One document per line. */
export const documents = (stdout: string): readonly Record<string, unknown>[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
