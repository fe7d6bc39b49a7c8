/**
 * Prepares this machine for one command: says in one line what is missing, and installs it where that is allowed. Where
 * it is not, or where the machine may not make namespaces, it stops at once with one line to paste.
 */
import { spawnSync } from 'node:child_process';
import { installLine, installPackages } from './apt.ts';
import { has, type Machine, thisMachine } from './machine.ts';
import { type Entry, entryOf, namespaceTrouble } from './namespaces.ts';
import { commands, missingPackages, needsNamespaces, type Purpose } from './needs.ts';

/** The machine cannot be prepared. The message's last line is the one to paste. */
export class UnpreparedError extends Error {
  override readonly name = 'UnpreparedError';
}

export interface Prepared {
  readonly entry: Entry;
  /** The PATH on which everything was found. */
  readonly path: string;
}

/** The exit status of a command that could not be prepared. */
export const UNPREPARED = 3;
const SUDO_MAX_MS = 1_000;

/** For a command's first step: undefined when the machine could not be prepared, which is then said on stderr. */
export async function prepareOrExplain(purpose: Purpose, want?: Entry): Promise<Prepared | undefined> {
  try {
    return await prepareMachine(purpose, want);
  } catch (error) {
    if (!(error instanceof UnpreparedError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}

export async function prepareMachine(
  purpose: Purpose,
  want?: Entry,
  machine: Machine = thisMachine(),
): Promise<Prepared> {
  const entry = want ?? entryOf(machine.uid);
  if (needsNamespaces(purpose)) requireNamespaces(purpose, entry, machine);
  const missing = await missingPackages(purpose, machine);
  if (missing.length > 0) await install(purpose, missing, machine);
  return { entry, path: machine.env.PATH ?? '' };
}

function requireNamespaces(purpose: Purpose, entry: Entry, machine: Machine): void {
  if (process.platform !== 'linux')
    throw new UnpreparedError(`${commands[purpose]} needs Linux, found ${process.platform}`);
  if (!has(machine, 'unshare')) return;
  const trouble = namespaceTrouble(entry, machine.env, commands[purpose]);
  if (trouble !== undefined)
    throw new UnpreparedError(`${commands[purpose]} needs namespaces: ${trouble.reason}\n${trouble.remedy}`);
}

async function install(purpose: Purpose, missing: readonly string[], machine: Machine): Promise<void> {
  const what = `${commands[purpose]} needs what is not on this machine: ${missing.join(' ')}`;
  const stop = (why: string) => new UnpreparedError(`${what}\n${why}\n${installLine(missing, machine)}`);
  const refusal = refusalOf(machine);
  if (refusal !== undefined) throw stop(`Nothing was installed: ${refusal}. To install it:`);
  machine.say(what);
  try {
    installPackages(missing, machine);
  } catch (error) {
    throw stop(`apt-get failed: ${(error as Error).message}. To try it by hand:`);
  }
  const still = await missingPackages(purpose, machine);
  if (still.length > 0)
    throw new UnpreparedError(`${what}\nInstalled, but still missing: ${still.join(' ')}`);
}

/** Why nothing may be installed here; undefined where it may. */
function refusalOf(machine: Machine): string | undefined {
  const { env, uid } = machine;
  if (env.VIPSHIFT_NO_INSTALL) return 'VIPSHIFT_NO_INSTALL is set';
  if (!has(machine, 'apt-get'))
    return 'there is no apt-get here, and these are the names of Debian’s packages';
  if (uid === 0) return undefined;
  if (!has(machine, 'sudo')) return 'this is not root, and there is no sudo';
  const asked = spawnSync('sudo', ['-n', 'true'], {
    env,
    stdio: 'ignore',
    timeout: SUDO_MAX_MS,
    killSignal: 'SIGKILL',
  });
  return asked.status === 0 ? undefined : 'this is not root, and sudo asks for a password';
}
