// A VIP's item restored from a backup: what the operator registered, and nothing that was only true at the time.
//
// Invariant: the epoch is above every epoch ever used, so that the release or record of a late holder cannot be taken
// for that of a new one. Lease, open epochs, claims and owner are dropped: the nodes report within a minute who is
// master, and until then the VIP stays where EC2 has it.

import type { EpochMs } from '../time.ts';
import { isLiveOrder } from '../vip/election.ts';
import type { Vip } from '../vip/vip.ts';

/** Above the last recorded epoch: the end of the record may be lost, too. */
export const EPOCH_MARGIN = 1000;

export interface Known {
  /** The item as it is now, where there is one. */
  readonly present: Vip | undefined;
  /** The last epoch in the timeline; 0 for none. */
  readonly recorded: number;
  readonly atMs: EpochMs;
}

export function restored(backup: Vip, { present, recorded, atMs }: Known): Vip {
  const {
    lease: _lease,
    owner: _owner,
    awaitedSinceMs: _awaited,
    forced: _forced,
    pin,
    freeze,
    ...kept
  } = backup;
  const live = {
    ...(pin !== undefined && isLiveOrder(pin, atMs) ? { pin } : {}),
    ...(freeze !== undefined && isLiveOrder(freeze, atMs) ? { freeze } : {}),
  };
  return {
    ...kept,
    ...live,
    epoch: Math.max(backup.epoch, present?.epoch ?? 0, recorded) + EPOCH_MARGIN,
    open: {},
    claims: {},
    heard: [],
    // ENIs that we routed to, then or since: routes may be taken from them.
    wrote: [...new Set([...backup.wrote, ...(present?.wrote ?? [])])],
    touchedAtMs: atMs,
  };
}
