// The command line from its front door, as a process: arguments in, streams and status out.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { vi } from 'vitest';

// A test runs several processes; with every core taken by other suites each may need some seconds.
vi.setConfig({ testTimeout: 180_000 });

const root = join(import.meta.dirname, '..', '..');
const cli = join(root, 'cli', 'vipshift.ts');
const RUN_MAX_MS = 60_000;

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command; `env` replaces the whole environment. */
export async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = withoutAws(),
  options: { readonly stdin?: string; readonly signalAfter?: (stdout: string) => boolean } = {},
): Promise<Ran> {
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
