// What a TLS connection that is there already saves a failover: the deployed handler over TLS, with every connection open from the run before;
// with every one cut; and cut, and then one assertion, which is what reaches a sandbox every few seconds between failovers.
//
// Limits: loopback has no way to travel: a new connection costs two round trips more of your network (about 1 ms in a Region). Cut connections
// resume their TLS session, as those of a sandbox that was idle; the very first ones of a sandbox are in the rows `cold`.
import { setTimeout as delay } from 'node:timers/promises';
import { claimEvent } from '../claim.ts';
import { trustedCertificate } from '../fake/certificate.ts';
import {
  type FakeRegion,
  type Latency,
  nodesOf,
  nowMs,
  startFakeRegion,
  toLastAccepted,
  vipWith,
} from '../fake/region.ts';
import { median, type Row, rowOf } from '../figures.ts';
import { context, type Handler, loadHandler } from './handler.ts';

const VIP = 'tls';
const WARM_UP = 3;
/** For the client to hear that its connections are closed. */
const HEARD_MS = 20;

const states = ['open', 'cut', 'cut, then one assertion'] as const;
type State = (typeof states)[number];

export const connectionsName = (state: State): string => `vipshift over TLS, connections ${state}`;

export async function connectionRows(
  latency: Latency,
  sizes: readonly number[],
  runs: number,
): Promise<readonly Row[]> {
  await using region = await startFakeRegion(trustedCertificate());
  const setting: Setting = { region, handler: await loadHandler(region.endpoint, 'tls'), latency };
  const rows: Row[] = [];
  for (const tables of sizes) {
    const samples: Record<State, number[]> = { open: [], cut: [], 'cut, then one assertion': [] };
    // By turns, so that whatever else the machine does hits them alike.
    for (let run = -WARM_UP; run < runs; run++)
      for (const state of states) {
        const tookMs = await failover(setting, tables, state);
        if (run >= 0) samples[state].push(tookMs);
      }
    for (const state of states)
      rows.push(
        rowOf(connectionsName(state), tables, samples[state], {
          floorMs: median(samples.open),
          note: note(state),
        }),
      );
  }
  return rows;
}

const note = (state: State): string => (state === 'open' ? '× is against this row' : '');

interface Setting {
  readonly region: FakeRegion;
  readonly handler: Handler;
  readonly latency: Latency;
}

async function failover(
  { region, handler, latency }: Setting,
  tables: number,
  state: State,
): Promise<number> {
  const { vip, item } = vipWith(VIP, tables);
  await region.build({ latency, buckets: false, vips: [vip], items: [item] });
  if (state !== 'open') {
    await region.cut();
    await delay(HEARD_MS);
  }
  const [owner, other] = nodesOf(VIP);
  if (state === 'cut, then one assertion')
    await answers(handler, asserted(claimEvent(VIP, owner!)), 'recorded');
  const startMs = nowMs();
  await answers(handler, claimEvent(VIP, other!), 'switched');
  return toLastAccepted(await region.take(), startMs, tables);
}

async function answers(handler: Handler, event: object, wanted: string): Promise<void> {
  const { answer } = await handler(event, context());
  if (answer !== wanted) throw new Error(`the handler answered ${answer}, expected ${wanted}`);
}

/** The same words, said of a transition a moment ago. */
function asserted(event: object): object {
  const { detail } = event as { detail: { seq: number } };
  return { ...event, detail: { ...detail, kind: 'assertion', since: detail.seq - 500_000 } };
}
