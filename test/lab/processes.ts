// What the kernel says about processes (Linux, /proc).
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

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

function descriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}
