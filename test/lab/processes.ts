// What the kernel says about processes (Linux, /proc).
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { processes, statOf } from '../../lab/aws/process-group.ts';

/** The addresses on which the process listens for TCP, as /proc has them: hex, `0100007F:1F90`. */
export function listeningAddresses(pid: number): string[] {
  const sockets = new Set(descriptors(pid).map((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1]));
  const listening = '0A';
  return ['tcp', 'tcp6'].flatMap((table) => {
    const rows = readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1);
    const fields = rows.map((row) => row.trim().split(/\s+/));
    return fields.filter((row) => row[3] === listening && sockets.has(row[9])).map((row) => row[1]!);
  });
}

export interface Process {
  readonly pid: number;
  /** In ticks since the machine's boot: with it a number that was given again is told apart. */
  readonly startedAt: number;
  readonly command: string;
}

/** All that a process has started, and what those have. */
export function descendantsOf(pid: number): readonly Process[] {
  const all = processes().flatMap((one) => {
    const stat = statOf(one);
    return stat === undefined ? [] : [{ pid: one, ...stat }];
  });
  const below = (parent: number): readonly Process[] =>
    all
      .filter((one) => one.parent === parent)
      .flatMap(({ pid: child, startedAt }) => [
        { pid: child, startedAt, command: commandOf(child) },
        ...below(child),
      ]);
  return below(pid);
}

export function isLiving({ pid, startedAt }: Process): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.startedAt === startedAt && stat.state !== 'Z';
}

const namespaceKinds = ['net', 'mnt', 'pid', 'time'];

/** As `net:[4026531840]`; of a process that has ended none. */
export const namespacesOf = (pid: number | 'self'): readonly string[] =>
  namespaceKinds.flatMap((kind) => linkAt(`/proc/${pid}/ns/${kind}`) ?? []);

/** Of USER_HZ, the unit of `startedAt`. */
const TICKS_PER_S = 100;

/** In ticks since the machine's boot. */
export const ticksNow = (): number =>
  Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * TICKS_PER_S;

/**
 * The namespaces that some process is in which was there at that time. The kernel gives the number of one that is gone to the next
 * that is made.
 */
export const livingNamespaces = (ticks: number): ReadonlySet<string> =>
  new Set(processes().flatMap((pid) => ((statOf(pid)?.startedAt ?? ticks) < ticks ? namespacesOf(pid) : [])));

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function descriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => linkAt(`/proc/${pid}/fd/${fd}`) ?? []);
}
