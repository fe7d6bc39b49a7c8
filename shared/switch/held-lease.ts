// A held lease is a lease as its holder keeps it: known by epoch and nonce, prolonged while work remains, and asked before
// every attempt of a mutation.
//
// Invariant: `mayStart` is true only while a whole attempt fits into what is surely left of the lease (guarantee 3), and
// while the item, as it was last seen under the lease, still wants this work: a plan of many tables takes half a minute,
// and a claim that comes meanwhile must not wait for its end.
import { toFault, toleratedFault } from '../fault.ts';
import { type Clock, type DurationMs, type EpochMs, plus, seconds } from '../time.ts';
import { LEASE_TTL, type Lease, mayStart, RENEW_BELOW } from '../vip/lease.ts';
import type { VipStore } from '../vip/store.ts';
import type { Vip } from '../vip/vip.ts';

/** How soon a holder that waits learns that it need not: a claim that changes the election must not find half a minute reserved. */
export const LOOK_EVERY: DurationMs = seconds(1);

export interface HeldLease {
  readonly vip: string;
  readonly lease: Lease;
  /** Whether an attempt may be sent at this very moment. */
  mayStart(): boolean;
  /** Whether the lease was certainly ours at that instant of our clock: it had not run out, and is not known to be lost. */
  wasOurs(at: EpochMs): boolean;
  /**
   * Prolongs the lease when little is left. One request at a time; a failed one is tried again on the next call, unless a bug
   * ended it.
   */
  renewIfDue(): Promise<void>;
  /** Reads the item, at most once in LOOK_EVERY: for a holder that waits for EC2's budget, and need not if the election has changed. */
  lookIfDue(): Promise<void>;
  /** From now on the work is needed while this is true of the item. */
  watch(wants: (item: Vip) => boolean): void;
  /** The item was seen under this lease: does it still want the work? */
  observe(item: Vip): void;
  /** False when the lease is lost or the work is no longer needed: there is no point in waiting for a slot. */
  isStillNeeded(): boolean;
}

export function heldLease(
  vip: string,
  lease: Lease,
  vips: VipStore,
  { clock, deadline }: { readonly clock: Clock; readonly deadline: EpochMs },
): HeldLease {
  let expiresAtMs = lease.expiresAtMs;
  let lost = false;
  let wants = (_item: Vip): boolean => true;
  let wanted = true;
  let mayRenew = true;
  let renewal: Promise<void> | undefined;
  let lookedAtMs = clock.now();
  const renew = async (): Promise<void> => {
    const until = plus(clock.now(), LEASE_TTL);
    let item: Vip | undefined;
    try {
      item = await vips.renew(vip, { ...lease, expiresAtMs }, until);
    } catch (error) {
      // The lease simply runs on; whether it was prolonged is unknown, so the earlier end counts.
      mayRenew = toFault(error).kind !== 'bug';
      return;
    } finally {
      renewal = undefined;
    }
    if (item === undefined) lost = true;
    else {
      expiresAtMs = until;
      wanted = wants(item);
    }
  };
  const look = async (): Promise<void> => {
    const item = await vips.read(vip).catch((error: unknown) => void toleratedFault(error));
    // What was renewed meanwhile is still ours; what another caller has taken is not.
    if (item !== undefined && item.lease?.epoch === lease.epoch) wanted = wants(item);
    else if (item !== undefined) lost = true;
  };
  return {
    vip,
    lease,
    mayStart: () => !lost && wanted && clock.now() < deadline && mayStart(expiresAtMs, clock.now()),
    wasOurs: (at) => !lost && at < expiresAtMs,
    async renewIfDue() {
      if (lost || !mayRenew || expiresAtMs - clock.now() > RENEW_BELOW) return;
      renewal ??= renew();
      await renewal;
    },
    async lookIfDue() {
      const now = clock.now();
      if (lost || now < plus(lookedAtMs, LOOK_EVERY)) return;
      lookedAtMs = now;
      await look();
    },
    watch(work) {
      wants = work;
    },
    observe(item) {
      wanted = wants(item);
    },
    isStillNeeded: () => !lost && wanted,
  };
}
