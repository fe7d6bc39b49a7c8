/**
 * Sandbox: the throwaway pid, mount and network namespaces that the whole lab lives in.
 *
 * Invariant: nothing outlives the caller. The lab is the first process of its own pid namespace, so its end, however
 * it comes, is the kernel's end of every process in it; its network and its mounts are private and go with it. Each link
 * of the chain caller → unshare → lab dies with the one before (parent-death signals), also on SIGKILL of the caller.
 * Honest limit: the caller's own parent (npm, a shell) killed by SIGKILL leaves the caller running to its bounded end.
 */
import { spawn } from 'node:child_process';
import { type Entry, unshareFlags } from '../../machine/namespaces.ts';

/** Set inside; its absence means that the program still has to enter. */
const INSIDE = 'VIPSHIFT_LAB_INSIDE';

export interface SandboxRun {
  readonly entry: Entry;
  readonly path: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export function isInside(): boolean {
  return process.env[INSIDE] === '1' && process.pid === 1;
}

// A tmpfs over /run gives `ip netns` a place of its own, where no one else's names are seen or touched.
const PREPARE = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up && exec "$@"';

/** Runs the program inside and resolves with its exit status once all of it is gone. */
export function runInSandbox(run: SandboxRun): Promise<number> {
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'unshare', ...unshareFlags(run.entry), '--mount-proc', '--kill-child'],
      ...['bash', '-c', PREPARE, 'sandbox', run.program, ...run.args],
    ],
    { stdio: 'inherit', env: { ...process.env, ...run.env, PATH: run.path, [INSIDE]: '1' } },
  );
  // SIGINT reaches the inside by itself (same terminal), but the first process of a pid namespace ignores what it does
  // not handle, and unshare holds signals back while it waits: so every end is made the kernel's.
  const end = () => child.kill('SIGKILL');
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, end);
  process.on('exit', end);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      for (const name of signals) process.off(name, end);
      process.off('exit', end);
      resolve(code ?? (signal === 'SIGKILL' ? 137 : 1));
    });
  });
}
