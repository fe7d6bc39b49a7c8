/**
 * One emulator process (lab/aws/emulator/emulator.py), from the TypeScript side: started, ready-checked, stopped.
 *
 * Invariant: it ends with this process, whatever ends this process: the emulator lives as long as the pipe to its stdin, which
 * the kernel closes for us, and it takes its whole process group along.
 * Limit: where this process ends without stop(), the emulator's end takes some milliseconds more; nothing waits for it then.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const readyTimeoutMs = 30_000;
const readyPollMs = 20;
const stopTimeoutMs = 5_000;
// A worker that died with the leader and waits to be reaped by init still counts as a member: no reason to wait long.
const groupGoneTimeoutMs = 100;

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

export interface Emulator {
  readonly endpoint: string;
  readonly pid: number;
  readonly logFile: string;
  stop(): Promise<void>;
}

export async function startEmulator(spec: EmulatorSpec): Promise<Emulator> {
  mkdirSync(spec.scratch, { recursive: true });
  // MiniStack's Node worker is a script in CommonJS: a package.json in a folder above must not make a module of it.
  writeFileSync(join(spec.scratch, 'package.json'), '{"type":"commonjs"}\n');
  const log = openSync(spec.logFile, 'a');
  const script = join(import.meta.dirname, 'emulator', 'emulator.py');
  const env = { ...spec.env, TMPDIR: spec.scratch, HOME: spec.scratch };
  const child = spawn(spec.python, [script, spec.service, spec.scratch], {
    detached: true,
    env,
    cwd: spec.scratch,
    stdio: ['pipe', 'pipe', log],
  });
  closeSync(log);
  child.stdin?.on('error', () => {});
  try {
    const endpoint = `http://127.0.0.1:${await portOf(child)}`;
    await ready(child, `${endpoint}${spec.ready.path}`, spec.ready.headers ?? {});
    letParentEnd(child);
    return { endpoint, pid: child.pid!, logFile: spec.logFile, stop: () => stop(child) };
  } catch (cause) {
    const said = await lastWords(spec.logFile);
    await stop(child);
    throw new Error(`${spec.service} did not start: ${said}`, { cause });
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  const lines = createInterface({ input: child.stdout! });
  const failed = Promise.race([
    once(child, 'exit').then(() => 'it ended at once'),
    once(child, 'error').then(([error]) => String(error)),
    delay(readyTimeoutMs, 'it named no port in time', { ref: false }),
  ]);
  const first = await Promise.race([once(lines, 'line'), failed]);
  if (typeof first === 'string') throw new Error(first);
  lines.on('line', (line) => report(child, line));
  return (JSON.parse(String(first[0])) as { port: number }).port;
}

// Nothing that waits for this emulator can succeed any more: it ends, and the next call to it is refused at once.
function report(child: ChildProcess, line: string): void {
  const { failed } = JSON.parse(line) as { failed: string };
  console.error(
    `local AWS: ${failed}\nlocal AWS: the emulator ends here; nothing that waits for it could succeed`,
  );
  kill(child);
}

async function ready(child: ChildProcess, url: string, headers: Record<string, string>): Promise<void> {
  const until = Date.now() + readyTimeoutMs;
  while (Date.now() < until) {
    if (hasEnded(child)) throw new Error(`it ended with status ${child.exitCode ?? child.signalCode}`);
    const signal = AbortSignal.timeout(Math.max(1, until - Date.now()));
    const answer = await fetch(url, { headers, signal }).catch(() => undefined);
    await answer?.arrayBuffer().catch(() => undefined);
    if (answer?.ok) return;
    await delay(readyPollMs);
  }
  throw new Error(`${url} did not answer 200 within ${readyTimeoutMs} ms`);
}

// A local AWS that was not stopped must not keep a finished program from ending; its end is then the emulator's.
function letParentEnd(child: ChildProcess): void {
  child.unref();
  for (const pipe of [child.stdin, child.stdout]) (pipe as unknown as { unref(): void }).unref();
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  const gone = once(child, 'exit');
  child.ref();
  child.stdin!.end();
  const late = await Promise.race([gone, delay(stopTimeoutMs, 'late' as const, { ref: false })]);
  if (late === 'late') {
    kill(child);
    await gone;
  }
  await groupGone(child.pid);
}

// The leader's end is reported a moment before the workers', which were killed with it.
async function groupGone(group: number): Promise<void> {
  const until = Date.now() + groupGoneTimeoutMs;
  while (Date.now() < until && signalGroup(group, 0)) await delay(5);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined || hasEnded(child)) return;
  signalGroup(child.pid, 'SIGKILL');
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
