/**
 * Namespaces: how the network lab may enter its own on this machine, and what keeps it from that.
 *
 * Honest limit: a kernel without address translation is found out only when the router is built.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** `root`: the caller is root. `rootless`: the caller becomes root of a user namespace of its own. */
export type Entry = 'root' | 'rootless';

/** How a user enters by default. */
export const entryOf = (uid: number): Entry => (uid === 0 ? 'root' : 'rootless');

export function unshareFlags(entry: Entry): string[] {
  return entry === 'root' ? ['-nmpf'] : ['-Urnmpf'];
}

/** Those of the caller by default. Root needs no user namespace, and in a chroot the kernel gives none. */
export const ownNamespaces = (): string[] => unshareFlags(entryOf(process.getuid?.() ?? -1));

export interface Trouble {
  readonly reason: string;
  /** A command that lifts it, or that runs `command` where it does not exist. */
  readonly remedy: string;
}

const PROBE_MAX_MS = 1_500;

/** Settings of kernels that forbid user namespaces: which value forbids them, and the command that allows them. */
const settings = [
  {
    name: 'kernel/apparmor_restrict_unprivileged_userns',
    forbids: '1',
    allow: 'kernel.apparmor_restrict_unprivileged_userns=0',
  },
  { name: 'kernel/unprivileged_userns_clone', forbids: '0', allow: 'kernel.unprivileged_userns_clone=1' },
  { name: 'user/max_user_namespaces', forbids: '0', allow: 'user.max_user_namespaces=10000' },
];

/** Undefined where `unshare` enters; tried, not guessed. */
export function namespaceTrouble(entry: Entry, env: NodeJS.ProcessEnv, command: string): Trouble | undefined {
  const probe = spawnSync('unshare', [...unshareFlags(entry), '--mount-proc', 'true'], {
    env,
    encoding: 'utf8',
    timeout: PROBE_MAX_MS,
    killSignal: 'SIGKILL',
  });
  if (probe.status === 0) return undefined;
  const found = (probe.stderr ?? '').trim() || `status ${probe.status ?? probe.signal}`;
  const privileged = `docker run --rm -it --privileged -v "$PWD":/vipshift -w /vipshift node:24 sh -c 'npm ci && ${command}'`;
  if (entry === 'root')
    return {
      reason: `root may not make namespaces here (${found}), as in a container without CAP_SYS_ADMIN`,
      remedy: privileged,
    };
  const setting = settings.find(({ name, forbids }) => settingValue(name) === forbids);
  return {
    reason: `this user may not make namespaces here (${found})`,
    remedy: setting === undefined ? privileged : `sudo sysctl -w ${setting.allow}`,
  };
}

function settingValue(setting: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${setting}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}
