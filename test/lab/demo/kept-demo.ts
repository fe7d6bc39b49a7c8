// The demo with --keep as a process of its own, and another shell in which lines are typed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { descendantsOf, isLiving, type Process } from '../processes.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const LINE_MAX_MS = 120_000;

export interface Typed {
  readonly line: string;
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KeptDemo {
  /** The lines that it says to type, as they are printed; the first one is for the shell itself. */
  readonly lines: readonly string[];
  /** Where everything temporary is. */
  readonly folder: string;
  /** Typed into a bash that has sourced the first line; there is no one to answer questions. */
  type(line: string): Promise<Typed>;
  /** As Ctrl-C does. The exit status, and what of its processes still lives. */
  interrupt(): Promise<{ readonly status: number | null; readonly living: readonly Process[] }>;
}

export async function keepDemo(): Promise<KeptDemo> {
  const child = spawn(process.execPath, [join(root, 'lab', 'demo', 'main.ts'), '--keep'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  const said = await untilKept(child);
  const [, list = ''] = said.split('In another shell:\n');
  const lines = list.split('\n').flatMap((line) => (line.startsWith('  ') ? [line.trim()] : []));
  const [source = ''] = lines;
  return {
    lines,
    folder: source.replace(/^\. /, '').replace(/\/shell$/, ''),
    type: (line) => typed(source, line),
    async interrupt() {
      const before = descendantsOf(child.pid!);
      const exited = once(child, 'exit');
      child.kill('SIGINT');
      const [status] = (await exited) as [number | null];
      return { status, living: before.filter(isLiving) };
    },
  };
}

/** Resolves with what it printed when it stays up; rejects when it ends before. */
async function untilKept(child: ChildProcess): Promise<string> {
  let out = '';
  let err = '';
  return new Promise((resolve, reject) => {
    child.stdout!.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (/^Claims go to the bus .*$/m.test(out)) resolve(out);
    });
    child.stderr!.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.once('exit', (code) => reject(new Error(`the demo ended with ${code}: ${err}`)));
  });
}

async function typed(source: string, line: string): Promise<Typed> {
  const shell = spawn('bash', ['--norc', '-c', `${source}\n${line}\n`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    shell[stream].on('data', (chunk: Buffer) => {
      said[stream] += chunk.toString();
    });
  const killer = setTimeout(() => shell.kill('SIGKILL'), LINE_MAX_MS);
  const [status] = (await once(shell, 'close')) as [number | null];
  clearTimeout(killer);
  return { line, status, ...said };
}
