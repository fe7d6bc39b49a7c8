// A stand-in for keepalived's process: it is called `keepalived`, has a pid file, knows the number of its JSON signal, and
// writes what a test told it to say when that signal comes. The lab meets the real one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Keepalived {
  /** Settings for the shim. */
  readonly config: Record<string, string>;
  /** A PATH on which `keepalived --signum=JSON` is answered. */
  readonly path: string;
  /** What the next answers say: state numbers as in keepalived (1 BACKUP, 2 MASTER, 3 FAULT). */
  say(states: Record<string, { state: number; priority: number; changedAtMs: number }>): void;
  /** It is there, and does nothing any more. */
  pause(): void;
  kill(): Promise<void>;
  remove(): void;
}

const program = `#!/bin/bash
if [[ \${1-} == --signum=JSON ]]; then echo 10; exit; fi
if [[ \${1-} == --version ]]; then echo "Keepalived v2.2.7 (01/16,2022)"; exit; fi
trap 'cat "$1/says" >"$1/keepalived.json"' USR1
echo $$ >"$1/keepalived.pid"
echo ready
while :; do sleep 60 & wait $!; done
`;

export async function startKeepalived(): Promise<Keepalived> {
  const home = mkdtempSync(join(tmpdir(), 'vipshift-keepalived-'));
  const file = join(home, 'keepalived');
  writeFileSync(file, program);
  chmodSync(file, 0o755);
  writeFileSync(join(home, 'says'), '[]');
  // A group of its own, so that its `sleep` goes with it.
  const child = spawn(file, [home], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  await once(child.stdout, 'data');
  return {
    config: { keepalived_pid: `${home}/keepalived.pid`, keepalived_json: `${home}/keepalived.json` },
    path: `${home}:${process.env.PATH}`,
    say: (states) =>
      writeFileSync(
        join(home, 'says'),
        JSON.stringify(
          Object.entries(states).map(([iname, { state, priority, changedAtMs }]) => ({
            data: {
              iname,
              // Always six digits, as keepalived prints it.
              last_transition: changedAtMs / 1000 + 1e-6,
              effective_priority: priority,
              state,
              vips: ['192.0.2.51 dev lo scope global set'],
            },
            stats: { advert_rcvd: 0 },
          })),
        ),
      ),
    pause: () => process.kill(-child.pid!, 'SIGSTOP'),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      process.kill(-child.pid!, 'SIGKILL');
      await ended;
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
