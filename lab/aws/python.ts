/**
 * The Python environment that the local AWS runs in: made once per content of lab/aws/requirements.txt, under .lab/venv/<hash>.
 *
 * Invariant: a folder named by its hash is complete. It is built beside that name and renamed onto it, so a killed or a second
 * process never leaves half an environment that looks whole; a lock only saves two processes the same work.
 * Nothing is installed whose hash is not in that file. It is made of requirements.in, by the command that it names.
 * Limit: environments of older requirements are left lying; .lab/ may be deleted at any time.
 */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

const probeTimeoutMs = 15_000;
const installTimeoutMs = 300_000;
const lockPollMs = 100;

const minors = [14, 13, 12, 11, 10];
const names = ['python3', ...minors.map((minor) => `python3.${minor}`)];
const probe = [
  'import sys',
  'print("%d.%d" % sys.version_info[:2])',
  'import venv',
  'import ensurepip',
  'print("ok")',
].join('\n');

export interface PythonOptions {
  /** Where to look for an interpreter; the PATH of this process by default. */
  readonly path?: string;
  /** The folder that the environments are kept in; .lab/venv by default. */
  readonly folder?: string;
  readonly requirements?: string;
}

/** The path of a Python that has everything of lab/aws/requirements.txt. Makes the environment if it is not there yet. */
export async function ensurePython(options: PythonOptions = {}): Promise<string> {
  const { requirements, home } = await placeOf(options);
  const python = join(home, 'bin', 'python');
  if (existsSync(home)) return python;
  const interpreter = await findPython(pathOf(options));
  await mkdir(dirname(home), { recursive: true });
  await withLock(`${home}.lock`, home, () => build(interpreter, requirements, home));
  return python;
}

/** Whether `ensurePython` has nothing left to make. */
export const isPythonMade = async (options: PythonOptions = {}): Promise<boolean> =>
  existsSync((await placeOf(options)).home);

/** Whether `ensurePython` finds the environment, or a Python to make it with. */
export async function canMakePython(options: PythonOptions = {}): Promise<boolean> {
  if (await isPythonMade(options)) return true;
  return findPython(pathOf(options)).then(
    () => true,
    () => false,
  );
}

async function placeOf(
  options: PythonOptions,
): Promise<{ readonly requirements: string; readonly home: string }> {
  const requirements = options.requirements ?? join(root, 'lab', 'aws', 'requirements.txt');
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 16);
  return { requirements, home: join(options.folder ?? join(root, '.lab', 'venv'), hash) };
}

const pathOf = (options: PythonOptions): string => options.path ?? process.env.PATH ?? '';

/** A Python ≥ 3.10 with venv and ensurepip; else an error that says what each one found is missing. */
export async function findPython(path: string): Promise<string> {
  const missing: string[] = [];
  const tried = new Set<string>();
  for (const name of names) {
    for (const folder of path.split(delimiter).filter((part) => part !== '')) {
      const candidate = join(folder, name);
      if (!existsSync(candidate)) continue;
      // python3 is a link to python3.N, and /bin one to /usr/bin: each is asked once.
      const real = realpathSync(candidate);
      if (tried.has(real)) continue;
      tried.add(real);
      const lack = await lackOf(candidate);
      if (lack === undefined) return candidate;
      missing.push(`${candidate}: ${lack}`);
    }
  }
  const found = missing.length === 0 ? 'there is no python3 on the PATH' : missing.join('; ');
  throw new Error(
    `the local AWS needs python3 >= 3.10 with venv and ensurepip, found: ${found}. ` +
      'Install it (Debian, Ubuntu: apt-get install python3 python3-venv) and run this again.',
  );
}

async function lackOf(python: string): Promise<string | undefined> {
  const answer = await run(python, ['-c', probe], { timeout: probeTimeoutMs }).catch(
    (error: unknown) => error,
  );
  const { stdout = '', stderr = '' } = answer as { stdout?: string; stderr?: string };
  const [version, ok] = stdout.trim().split('\n');
  const minor = Number(version?.match(/^3\.(\d+)$/)?.[1] ?? Number.NaN);
  if (Number.isNaN(minor)) return `does not run (${stderr.trim().split('\n').at(-1) ?? 'no output'})`;
  if (minor < 10) return `is ${version}, expected 3.10 or newer`;
  if (ok === 'ok') return undefined;
  const module = /No module named '(\w+)'/.exec(stderr)?.[1] ?? 'venv or ensurepip';
  return `is ${version} but has no module ${module} (Debian, Ubuntu: python3-venv)`;
}

async function build(interpreter: string, requirements: string, home: string): Promise<void> {
  const draft = `${home}.${randomBytes(4).toString('hex')}`;
  try {
    await run(interpreter, ['-m', 'venv', draft], { timeout: installTimeoutMs });
    const install = ['install', '--quiet', '--no-deps', '--prefer-binary', '--no-input'];
    const only = ['--disable-pip-version-check', '--require-hashes', '--requirement', requirements];
    const pip = ['-m', 'pip', ...install, ...only];
    await run(join(draft, 'bin', 'python'), pip, { timeout: installTimeoutMs });
    await rename(draft, home);
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    if (existsSync(home)) return;
    const { stderr = '' } = cause as { stderr?: string };
    const said = stderr.trim().split('\n').slice(-5).join('\n');
    throw new Error(`could not make the Python environment of the local AWS with ${interpreter}: ${said}`, {
      cause,
    });
  }
}

/** Runs `work`, which makes `made`, unless another process holds the lock; then waits for what they make, or for their end. */
export async function withLock(lock: string, made: string, work: () => Promise<void>): Promise<void> {
  const until = Date.now() + installTimeoutMs;
  // On a fresh clone there is none.
  await mkdir(dirname(lock), { recursive: true });
  while (!existsSync(made)) {
    const handle = await open(lock, 'wx').catch(unlessTaken);
    if (handle !== undefined) {
      try {
        await handle.writeFile(String(process.pid));
        if (!existsSync(made)) await work();
      } finally {
        await handle.close();
        await rm(lock, { force: true });
      }
      return;
    }
    const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
    // An empty lock was made this instant; one of a dead process has no owner.
    if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true });
    if (Date.now() > until)
      throw new Error(`waited ${installTimeoutMs} ms for ${lock}; if nothing runs, delete it`);
    await delay(lockPollMs);
  }
}

function unlessTaken(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'EEXIST') throw error;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
