/**
 * The process of an emulator as its starter holds it: a line to it, on which it says its port, and whose end is its end.
 *
 * Started by itself (emulator.py) it takes about two seconds of computing to load its code; forked by a fork server
 * (lab/aws/fork-servers.ts) it takes some hundredths of one. Both are the same from here on.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface EmulatorSpec {
  readonly service: 'ministack' | 'moto';
  readonly python: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** Its own temporary folder (TMPDIR and HOME), removed with it. */
  readonly scratch: string;
  /** What answers 200 once it serves; chosen so that the first call of a test does not pay for loading. */
  readonly ready: { readonly path: string; readonly headers?: Readonly<Record<string, string>> };
}

export interface EmulatorProcess {
  /** Lines of JSON: the first is its port and pid. */
  readonly output: Readable;
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
  /** It ends when it sees that. */
  hangUp(): void;
  /** Whether its being there keeps this process from ending; it does at first. */
  keepStarter(keep: boolean): void;
}

export function spawnEmulator(spec: EmulatorSpec, env: NodeJS.ProcessEnv): EmulatorProcess {
  const log = openSync(spec.logFile, 'a');
  const script = join(import.meta.dirname, 'emulator', 'emulator.py');
  const child = spawn(spec.python, [script, spec.service, spec.scratch], {
    detached: true,
    env,
    cwd: spec.scratch,
    stdio: ['pipe', 'pipe', log],
  });
  closeSync(log);
  const { stdin, stdout } = child;
  stdin!.on('error', () => {});
  return {
    output: stdout!,
    ended: once(child, 'exit').then(
      ([status, signal]) => `it ended with status ${status ?? signal}`,
      (error: unknown) => String(error),
    ),
    hangUp: () => void stdin!.end(),
    keepStarter(keep) {
      for (const handle of [child, stdin, stdout] as unknown as readonly { ref(): void; unref(): void }[])
        handle[keep ? 'ref' : 'unref']();
    },
  };
}

/** `socket` is a fork server's. */
export function forkEmulator(spec: EmulatorSpec, env: NodeJS.ProcessEnv, socket: string): EmulatorProcess {
  const line = connect(socket);
  let failure = 'it ended';
  line.on('error', (error) => {
    failure = String(error);
  });
  line.write(`${JSON.stringify({ scratch: spec.scratch, log: spec.logFile, env })}\n`);
  return {
    output: line,
    ended: new Promise((resolve) => line.once('close', () => resolve(failure))),
    hangUp: () => void line.end(),
    keepStarter: (keep) => void line[keep ? 'ref' : 'unref'](),
  };
}
