// A storm in the notify FIFO: many lines of several VIPs at a steady rate. When was the newest state of each VIP on the bus, counted
// from the last line, and what did it cost the node?
//
// Limit: the writer is on the same machine, and where the shim is slower than it the FIFO (64 KiB) holds the writer up; then the
// storm takes longer than asked for, which is printed.
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Node, residentBytes, startNode } from '../lab/shim/node.ts';

export interface Storm {
  readonly lines: number;
  readonly vips: number;
  readonly overMs: number;
}

export interface StormFigures extends Storm {
  /** How long the writing took. */
  readonly tookMs: number;
  /** From the last line to the arrival of the newest transition of the last of the VIPs. */
  readonly newestAfterMs: number;
  readonly accepted: number;
  /** Of the daemon itself and of the programs that it ran, from the first line to the newest states on the bus. */
  readonly cpuMs: number;
  readonly childrenCpuMs: number;
  readonly residentPeakBytes: number;
}

const TICK_MS = 10;
/** Of /proc: CLK_TCK is 100 on every Linux of the last twenty years. */
const CLOCK_TICK_MS = 10;
const NEWEST = 255;
const states = ['MASTER', 'BACKUP', 'FAULT'] as const;

/** Of a process, and of its children that have ended. */
export function cpuOf(pid: number): { readonly ownMs: number; readonly childrenMs: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').map(Number);
  const [user, system, childUser, childSystem] = fields.slice(11, 15) as [number, number, number, number];
  return { ownMs: (user + system) * CLOCK_TICK_MS, childrenMs: (childUser + childSystem) * CLOCK_TICK_MS };
}

function peakBytes(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return kib === undefined ? residentBytes(pid) : Number(kib) * 1024;
}

/** Writes the lines at a steady rate; those of the last round have a priority of their own. */
async function writeStorm(node: Node, { lines, vips, overMs }: Storm): Promise<void> {
  const fifo = await open(`${node.folder}/notify.fifo`, 'r+');
  const startedAtMs = performance.now();
  try {
    for (let written = 0; written < lines; ) {
      const due = Math.min(lines, Math.ceil(((performance.now() - startedAtMs + TICK_MS) / overMs) * lines));
      let text = '';
      for (; written < due; written++) {
        const priority = written >= lines - vips ? NEWEST : written % 200;
        text += `INSTANCE "VI_${written % vips}" ${states[written % states.length]} ${priority}\n`;
      }
      if (text) await fifo.write(text);
      await sleep(TICK_MS);
    }
  } finally {
    await fifo.close();
  }
}

export async function measureStorm(storm: Storm): Promise<StormFigures> {
  const names = Array.from({ length: storm.vips }, (_, index) => index);
  const node = await startNode(
    Object.fromEntries(names.map((index) => [`instance VI_${index}`, `vip${index}`])),
  );
  try {
    const { pid } = await node.start();
    await node.write('INSTANCE "VI_0" BACKUP 1');
    await node.bus.until(() => node.bus.accepted.length > 0);
    const before = cpuOf(pid!);
    const startedAtMs = performance.now();
    await writeStorm(node, storm);
    const endedAtMs = performance.now();
    const endedAt = performance.timeOrigin + endedAtMs;
    const newest = () =>
      new Map(
        node.bus.accepted
          .filter(({ detail }) => detail.priority === NEWEST && detail.kind === 'transition')
          .map((event) => [event.detail.vip, event.arrivedAtMs]),
      );
    await node.bus.until(() => newest().size === storm.vips, 600_000);
    const after = cpuOf(pid!);
    return {
      ...storm,
      tookMs: Math.round(endedAtMs - startedAtMs),
      newestAfterMs: Math.round(Math.max(...newest().values()) - endedAt),
      accepted: node.bus.accepted.length,
      cpuMs: after.ownMs - before.ownMs,
      childrenCpuMs: after.childrenMs - before.childrenMs,
      residentPeakBytes: peakBytes(pid!),
    };
  } finally {
    await node.stop();
  }
}

export function printStorm(figures: StormFigures): void {
  console.log(
    `${figures.lines} lines of ${figures.vips} VIPs into the FIFO in ${(figures.tookMs / 1000).toFixed(1)} s`,
  );
  console.log(`newest state of every VIP on the bus: ${figures.newestAfterMs} ms after the last line`);
  console.log(
    `CPU of the daemon ${(figures.cpuMs / 1000).toFixed(2)} s, of curl ${(figures.childrenCpuMs / 1000).toFixed(2)} s; ${figures.accepted} claims accepted meanwhile`,
  );
  console.log(`resident memory of the daemon at most: ${(figures.residentPeakBytes / 1e6).toFixed(1)} MB`);
}
