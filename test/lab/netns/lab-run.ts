/**
 * Runs `lab/main.ts` as a user does, in a process of its own, and finds what it left behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const lab = join(import.meta.dirname, '..', '..', '..', 'lab', 'main.ts');
// Kept after the run, for reading; a folder per test process, as several labs may run at once.
const logs = join(import.meta.dirname, '..', '..', '..', '.lab', 'netns-test', String(process.pid));
const MARK = 'VIPSHIFT_TEST_MARK';

export interface LabRun {
  readonly child: ChildProcess;
  /** In the environment of every process of this run. */
  readonly mark: string;
  /** Everything that it has printed so far. */
  said(): { readonly out: string; readonly err: string };
  ended(): Promise<number | null>;
}

export function runLab(args: readonly string[], env: NodeJS.ProcessEnv = {}): LabRun {
  const mark = randomUUID();
  // Dies with this process, however that ends: the lab's own sandbox then goes with it.
  const command = ['--pdeathsig', 'KILL', process.execPath, lab, ...args, '--logs', logs];
  const child = spawn('setpriv', command, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, [MARK]: mark },
  });
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const end = once(child, 'close') as Promise<[number | null]>;
  return { child, mark, said: () => ({ out, err }), ended: async () => (await end)[0] };
}

/** Resolves when the run has printed the text; rejects with all that it printed when it ends before. */
export function hasSaid(run: LabRun, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (run.said().err.includes(text)) resolve();
    };
    run.child.stderr?.on('data', look);
    run.child.once('close', () => reject(new Error(`the lab ended without "${text}": ${run.said().err}`)));
    look();
  });
}

/** The processes of this machine that belong to a run, by its mark. */
export function processesOf(mark: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(`/proc/${pid}/environ`).includes(`${MARK}=${mark}`))
    .map((pid) => `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
