// The event of a node that became master, as the bus delivers it.
import { DETAIL_TYPE } from '../shared/aws/events/claim-event.ts';

let seq = 8_000_000_000;

/** Booted long ago; each call is a newer transition than the one before. */
export function claimEvent(vip: string, node: string): object {
  seq += 1_000_000;
  const atMs = Date.now();
  return {
    version: '0',
    id: `bench-${seq}`,
    source: `vipshift.notify/AROABENCH:${node}`,
    time: `${new Date(atMs).toISOString().slice(0, 19)}Z`,
    'detail-type': DETAIL_TYPE,
    detail: {
      version: 1,
      vip,
      node,
      state: 'MASTER',
      kind: 'transition',
      instance: 'VI_BENCH',
      priority: 254,
      bootId: '5f2c9d1e-0000-4000-8000-000000000000',
      seq,
      since: seq,
      uptimeMs: seq / 1000 + 5,
      ageMs: 5,
      superseded: false,
      dropped: 0,
      atMs,
      shim: '1.0.0',
    },
  };
}
