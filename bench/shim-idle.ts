// What a shim costs a node on which nothing happens: with the poll of AWS's notices, and without, at the same time.
//
// Limit: a busy machine shows in neither, since only CPU time is counted; the metadata service is on loopback.
import { setTimeout as sleep } from 'node:timers/promises';
import { startNode } from '../lab/shim/node.ts';
import { cpuOf } from './shim-storm.ts';

/** Of the default (notify.conf: `leaving_poll`), and off. In seconds. */
const POLLS = [5, 0] as const;
/** The assertions after the start come sooner than later ones: at 1, 3 and 10 s. */
const SETTLED_MS = 15_000;

export interface IdleFigures {
  readonly pollS: number;
  readonly overS: number;
  /** Of the daemon and of the programs that it ran. */
  readonly cpuMs: number;
  /** To the metadata service. */
  readonly requests: number;
}

export const measureIdle = (overS: number): Promise<readonly IdleFigures[]> =>
  Promise.all(POLLS.map((pollS) => measureOne(pollS, overS)));

async function measureOne(pollS: number, overS: number): Promise<IdleFigures> {
  const node = await startNode({ leaving_poll: pollS });
  try {
    const { pid } = await node.start();
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await sleep(SETTLED_MS);
    const [before, asked] = [cpuOf(pid!), node.imds.requests.length];
    await sleep(overS * 1000);
    const after = cpuOf(pid!);
    const cpuMs = after.ownMs + after.childrenMs - before.ownMs - before.childrenMs;
    return { pollS, overS, cpuMs, requests: node.imds.requests.length - asked };
  } finally {
    await node.stop();
  }
}

export function printIdle(figures: readonly IdleFigures[]): void {
  for (const { pollS, overS, cpuMs, requests } of figures)
    console.log(
      `leaving_poll ${pollS}: ${cpuMs} ms of CPU in ${overS} s (${(cpuMs / overS / 10).toFixed(2)} % of one core), ${requests} requests to IMDS`,
    );
}
