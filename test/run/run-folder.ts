// The temporary folder of one run of the tests, and a guard that outlives the run and takes away what is left of it.
//
// Invariant: however the run ends, also by SIGKILL of all of it, some seconds later there is no process of it and no temporary folder. Namespaces,
// links and mounts go with the processes.
// Limit: a process is known by its environment or arguments, which name the folder; only Linux shows them (/proc). What lies under .lab/ is kept.
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Reads until the run has ended: then the kernel closes the pipe. What dies may still make files for a moment, so it looks again. */
const guard = `
trap '' INT TERM HUP
cat >/dev/null
rounds=0
while [ $((rounds += 1)) -le 100 ]; do
  found=
  for process in /proc/[0-9]*; do
    if [ "$process" != "/proc/$$" ] && grep -qsF "$1" "$process/environ" "$process/cmdline"; then
      kill -KILL "\${process#/proc/}"
      found=1
    fi
  done
  rm -rf "$1"
  if [ -z "$found" ] && ! [ -e "$1" ]; then break; fi
  sleep 0.1
done
`;

/** Makes the folder, and starts its guard. */
export function makeRunFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vipshift-run-'));
  // Like the system's own: some tests run programs as another user.
  chmodSync(folder, 0o1777);
  const child = spawn('sh', ['-c', guard, 'guard', folder], {
    // Not in the group that Ctrl-C ends.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    // Without the folder's name.
    env: { PATH: process.env.PATH },
  });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return folder;
}
