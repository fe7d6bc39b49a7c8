// Acting on a VIP under an operator's order: read the item, wait while another caller switches the VIP, decide on what the
// item says, and write. The write that takes the lease is one of them. Everyone who carries out an order comes through here:
// the workflow's steps and break-glass.
//
// Invariant: what is decided is decided on the very item that is then written; where another caller was quicker it is decided
// again. Waiting for a live lease is bounded by the invocation's time and is no lost race.
import { isRegistered } from '../registry/registry.ts';
import type { Clock, EpochMs } from '../time.ts';
import { isLive } from '../vip/lease.ts';
import type { VipStore } from '../vip/store.ts';
import type { Vip } from '../vip/vip.ts';
import { mayWaitOn } from './lease-wait.ts';

/** Writes that another caller was quicker than; each loser has seen another's progress. */
export const RACES_MAX = 200;

export interface Way<End> {
  /** What ends it, also while another caller has the lease: what an operator says is followed at once. */
  stops(vip: Vip, now: EpochMs): End | undefined;
  /** Called before each wait for a lease of another caller. */
  waits(vip: Vip): void;
  /** The item to write, or what ends it. Asked only while the lease is free. */
  decide(vip: Vip, now: EpochMs): { readonly write: Vip } | { readonly end: End };
  /** Writes `after` in place of `before`; undefined when it has to be looked at again. */
  write(before: Vip, after: Vip): Promise<Vip | undefined>;
}

export type WhenFree<End> =
  | { readonly is: 'written'; readonly before: Vip; readonly after: Vip }
  | { readonly is: 'ended'; readonly end: End; readonly vip: Vip }
  | { readonly is: 'unregistered' }
  /** The invocation has no time left to wait for the lease. */
  | { readonly is: 'under-way'; readonly vip: Vip }
  /** RACES_MAX writes were lost. */
  | { readonly is: 'contended' };

interface Waiting {
  readonly vips: VipStore;
  readonly clock: Clock;
  readonly deadline: EpochMs;
}

export async function whenFree<End>(ports: Waiting, name: string, way: Way<End>): Promise<WhenFree<End>> {
  for (let race = 1; race <= RACES_MAX; ) {
    const vip = await ports.vips.read(name);
    if (!isRegistered(vip)) return { is: 'unregistered' };
    const now = ports.clock.now();
    const stopped = way.stops(vip, now);
    if (stopped !== undefined) return { is: 'ended', end: stopped, vip };
    if (isLive(vip.lease, now)) {
      way.waits(vip);
      if (await mayWaitOn(ports)) continue;
      return { is: 'under-way', vip };
    }
    const decision = way.decide(vip, now);
    if ('end' in decision) return { is: 'ended', end: decision.end, vip };
    const after = await way.write(vip, decision.write);
    if (after !== undefined) return { is: 'written', before: vip, after };
    race += 1;
  }
  return { is: 'contended' };
}
