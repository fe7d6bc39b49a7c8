/**
 * One emulator process (lab/aws/emulator/emulator.py), from the TypeScript side: started, ready-checked, stopped.
 *
 * Invariant: it ends with this process, whatever ends this process: the emulator lives as long as the line to it, which the
 * kernel closes for us, and it takes its whole process group along.
 * Limit: where this process ends without stop(), the emulator's end takes some milliseconds more; nothing waits for it then.
 */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { type EmulatorProcess, type EmulatorSpec, forkEmulator, spawnEmulator } from './emulator-process.ts';
import { forkServerOf } from './fork-servers.ts';
import { livingMembers } from './process-group.ts';

const readyTimeoutMs = 30_000;
const readyPollMs = 20;
const stopTimeoutMs = 5_000;
const groupGonePollMs = 5;

export interface Emulator {
  readonly endpoint: string;
  readonly pid: number;
  readonly logFile: string;
  stop(): Promise<void>;
}

/** What it says first. */
interface Started {
  readonly port: number;
  readonly pid: number;
}

export async function startEmulator(spec: EmulatorSpec): Promise<Emulator> {
  mkdirSync(spec.scratch, { recursive: true });
  // MiniStack's Node worker is a script in CommonJS: a package.json in a folder above must not make a module of it.
  writeFileSync(join(spec.scratch, 'package.json'), '{"type":"commonjs"}\n');
  const env = { ...spec.env, TMPDIR: spec.scratch, HOME: spec.scratch };
  const forkServer = forkServerOf(spec.service);
  const held = forkServer === undefined ? spawnEmulator(spec, env) : forkEmulator(spec, env, forkServer);
  let ended: string | undefined;
  void held.ended.then((how) => {
    ended = how;
  });
  let pid: number | undefined;
  try {
    const started = await firstLine(held);
    pid = started.pid;
    const endpoint = `http://127.0.0.1:${started.port}`;
    await ready(() => ended, `${endpoint}${spec.ready.path}`, spec.ready.headers ?? {});
    // A local AWS that was not stopped must not keep a finished program from ending; its end is then the emulator's.
    held.keepStarter(false);
    return { endpoint, pid, logFile: spec.logFile, stop: () => stop(held, started.pid) };
  } catch (cause) {
    const said = await lastWords(spec.logFile);
    await stop(held, pid);
    throw new Error(`${spec.service} did not start: ${said}`, { cause });
  }
}

async function firstLine(held: EmulatorProcess): Promise<Started> {
  const lines = createInterface({ input: held.output });
  const late = delay(readyTimeoutMs, 'it named no port in time', { ref: false });
  const first = await Promise.race([once(lines, 'line') as Promise<[string]>, held.ended, late]);
  if (typeof first === 'string') throw new Error(first);
  const started = JSON.parse(first[0]) as Started;
  lines.on('line', (line) => report(line, started.pid));
  return started;
}

// Nothing that waits for this emulator can succeed any more: it ends, and the next call to it is refused at once.
function report(line: string, group: number): void {
  const { failed } = JSON.parse(line) as { failed: string };
  console.error(
    `local AWS: ${failed}\nlocal AWS: the emulator ends here; nothing that waits for it could succeed`,
  );
  signalGroup(group, 'SIGKILL');
}

async function ready(
  ended: () => string | undefined,
  url: string,
  headers: Record<string, string>,
): Promise<void> {
  const until = Date.now() + readyTimeoutMs;
  while (Date.now() < until) {
    const end = ended();
    if (end !== undefined) throw new Error(end);
    const signal = AbortSignal.timeout(Math.max(1, until - Date.now()));
    const answer = await fetch(url, { headers, signal }).catch(() => undefined);
    await answer?.arrayBuffer().catch(() => undefined);
    if (answer?.ok) return;
    await delay(readyPollMs);
  }
  throw new Error(`${url} did not answer 200 within ${readyTimeoutMs} ms`);
}

async function stop(held: EmulatorProcess, pid: number | undefined): Promise<void> {
  held.keepStarter(true);
  held.hangUp();
  const late = delay(stopTimeoutMs, 'late' as const, { ref: false });
  if ((await Promise.race([held.ended, late])) === 'late' && pid !== undefined) {
    signalGroup(pid, 'SIGKILL');
    await held.ended;
  }
  if (pid !== undefined) await groupGone(pid);
}

// The leader's end is seen a moment before the workers', which were killed with it; on a busy machine that may take its time. Who is dead and
// waits for init to reap it counts as gone.
async function groupGone(group: number): Promise<void> {
  const until = Date.now() + stopTimeoutMs;
  while (Date.now() < until && signalGroup(group, 0) && livingMembers(group).length > 0)
    await delay(groupGonePollMs);
}

function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

async function lastWords(logFile: string): Promise<string> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  return log.trim().split('\n').slice(-8).join('\n') || `nothing in ${logFile}`;
}
