/**
 * Cgroup: the control group that a booted machine's processes are in. It is the one thing of a machine that no namespace takes along, so a
 * guard outlives this process and removes it.
 *
 * Invariant: however this process ends, also by SIGKILL, the group and its processes are gone soon after.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where the host has version 2 of the control groups: alone, or beside version 1. */
const mounts = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];

/** Reads until the owner has ended or lets go: then the kernel closes the pipe. Deepest folders first, as only empty ones can be removed. */
const guard = `
trap '' INT TERM HUP
cat >/dev/null
tries=0
while [ -d "$1" ] && [ $((tries += 1)) -le 200 ]; do
  echo 1 >"$1/cgroup.kill"
  find "$1" -depth -type d -exec rmdir {} +
  sleep 0.05
done 2>/dev/null
`;

export interface Cgroup {
  /** Its path from the root of the hierarchy. */
  readonly path: string;
  /** Resolves when it is gone. */
  remove(): Promise<void>;
}

/** With groups of these names below it. */
export function makeCgroup(name: string, below: readonly string[] = []): Cgroup {
  const mount = mounts.find((one) => isVersion2(one));
  if (mount === undefined) throw new Error('this machine has no control groups of version 2');
  const folder = join(mount, name);
  for (const part of ['', ...below]) mkdirSync(join(folder, part));
  const child = spawn('sh', ['-c', guard, 'guard', folder], {
    // Not in the group that Ctrl-C ends, and without what would name the run's folder.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env.PATH },
  });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    path: name,
    async remove() {
      child.ref();
      child.stdin.end();
      await gone;
    },
  };
}

function isVersion2(mount: string): boolean {
  try {
    return readdirSync(mount).includes('cgroup.procs') && readdirSync(mount).includes('cgroup.controllers');
  } catch {
    return false;
  }
}
