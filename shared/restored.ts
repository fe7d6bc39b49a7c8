// A VIP's item restored from a backup: what the operator registered, and nothing that was only true then.
//
// Invariant: the epoch is above every one ever given, so that no late holder's release or record meets a new one's.
// Lease, open epochs, claims and the owner are forgotten: the nodes say within a minute who is master, and until then
// the VIP stays where EC2 has it.
import { isLiveOrder } from './election.ts';
import type { EpochMs } from './time.ts';
import type { Vip } from './vip.ts';

/** Above what the record knows: its last lines may be lost, too. */
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
    // What lies on an ENI that we wrote to, then or since, is ours to take away.
    wrote: [...new Set([...backup.wrote, ...(present?.wrote ?? [])])],
    touchedAtMs: atMs,
  };
}
