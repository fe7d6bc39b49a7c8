/**
 * Rights: what the network lab needs of the machine it runs on, and how it may enter its namespaces there.
 *
 * Everything is asked before anything is built, and everything that is missing is named at once with what to do
 * about it: a lab that cannot run fails and never skips.
 * Honest limit: a kernel without address translation is found out only when the router is built.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** `root`: the caller is root. `rootless`: the caller becomes root of a user namespace of its own. */
export type Entry = 'root' | 'rootless';

export interface Rights {
  readonly entry: Entry;
  /** One sentence each: what was wanted, what was found, what to do. Empty when the lab can run. */
  readonly missing: readonly string[];
}

interface Need {
  readonly program: string;
  readonly debian: string;
}

/** In the order a reader would install them; the names of Debian's and Ubuntu's packages. */
export const NEEDS: readonly Need[] = [
  { program: 'keepalived', debian: 'keepalived' },
  { program: 'nginx', debian: 'nginx-light' },
  { program: 'ip', debian: 'iproute2' },
  { program: 'ss', debian: 'iproute2' },
  { program: 'iptables', debian: 'iptables' },
  { program: 'curl', debian: 'curl' },
  { program: 'python3', debian: 'python3 python3-venv' },
  { program: 'bash', debian: 'bash' },
  { program: 'unshare', debian: 'util-linux' },
  { program: 'setpriv', debian: 'util-linux' },
];

/** keepalived, ip and nginx live in sbin, which an ordinary user's PATH often lacks. */
export function searchPath(path = ''): string {
  const sbin = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
  return [...new Set([...path.split(delimiter).filter((part) => part !== ''), ...sbin])].join(delimiter);
}

function isOnPath(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** `want` forces an entry; without it root is used as root and everybody else goes rootless. */
export function rights(path: string, want?: Entry): Rights {
  const entry = want ?? (process.getuid?.() === 0 ? 'root' : 'rootless');
  const missing = NEEDS.filter((need) => !isOnPath(need.program, path));
  const absent = missing.map(
    (need) => `the program ${need.program} is not on this machine: apt-get install ${need.debian}`,
  );
  if (process.platform !== 'linux') {
    absent.push(`this is ${process.platform}, expected linux: network namespaces exist nowhere else`);
  } else if (!missing.some((need) => need.program === 'unshare')) {
    absent.push(...namespaceTrouble(entry, path));
  }
  return { entry, missing: absent };
}

export function unshareFlags(entry: Entry): string[] {
  return entry === 'root' ? ['-nmpf'] : ['-Urnmpf'];
}

function namespaceTrouble(entry: Entry, path: string): string[] {
  const probe = spawnSync('unshare', [...unshareFlags(entry), '--mount-proc', 'true'], {
    env: { ...process.env, PATH: path },
    encoding: 'utf8',
    timeout: 10_000,
  });
  if (probe.status === 0) return [];
  const found = (probe.stderr ?? '').trim() || `status ${probe.status ?? probe.signal}`;
  return entry === 'root'
    ? [
        `root may not make namespaces here (${found}): run it where CAP_SYS_ADMIN is given, e.g. not in a plain container`,
      ]
    : [
        `this user may not make namespaces (${found}): run it as root, or allow it with ` +
          'sysctl kernel.unprivileged_userns_clone=1 (Debian) or kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)',
      ];
}
