// Who of a process group lives, as the kernel tells it (Linux, /proc).
import { readdirSync, readFileSync } from 'node:fs';

/** The living members of a process group; one that is dead and waits to be reaped is not living. */
export function livingMembers(group: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(Number.isInteger)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat !== undefined && stat.group === group && stat.state !== 'Z';
    });
}

function statOf(pid: number): { state: string; group: number } | undefined {
  try {
    // The command's name is in brackets and may hold anything; what follows is plain.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: state!, group: Number(group) };
  } catch {
    return undefined;
  }
}
