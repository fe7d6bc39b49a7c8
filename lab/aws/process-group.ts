// Who of a process group lives, as the kernel tells it (Linux, /proc).
import { readdirSync, readFileSync } from 'node:fs';

/** The living members of a process group; one that is dead and waits to be reaped is not living. */
export function livingMembers(group: number): number[] {
  return processes().filter((pid) => {
    const stat = statOf(pid);
    return stat !== undefined && stat.group === group && stat.state !== 'Z';
  });
}

export function processes(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

export interface Stat {
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  /** In ticks since the machine's boot. */
  readonly startedAt: number;
}

/** Undefined for a process that is gone. */
export function statOf(pid: number): Stat | undefined {
  try {
    // The command's name is in brackets and may hold anything; what follows is plain.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = /^.*\) (?<state>\S) (?<parent>\d+) (?<group>\d+)(?: \S+){16} (?<startedAt>\d+) /s.exec(
      stat,
    )?.groups;
    if (fields === undefined) return undefined;
    const { state, parent, group, startedAt } = fields;
    return {
      state: state!,
      parent: Number(parent),
      group: Number(group),
      startedAt: Number(startedAt),
    };
  } catch {
    return undefined;
  }
}
