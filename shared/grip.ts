// A grip is a lease as its holder keeps it: known by epoch and nonce, prolonged while work remains, and asked before
// every attempt of a mutation.
//
// Invariant: `mayStart` is true only while a whole attempt fits into what is surely left of the lease (guarantee 3).
import { LEASE_TTL, type Lease, mayStart, RENEW_BELOW } from './lease.ts';
import { type Clock, type EpochMs, plus } from './time.ts';
import type { VipStore } from './vip.ts';

export interface Grip {
  readonly vip: string;
  readonly lease: Lease;
  /** Whether an attempt may be sent at this very moment. */
  mayStart(): boolean;
  /** Prolongs the lease when little is left. One request at a time; a failed one is tried again on the next call. */
  keep(): Promise<void>;
}

export function grip(vip: string, lease: Lease, vips: VipStore, clock: Clock, deadline: EpochMs): Grip {
  let expiresAtMs = lease.expiresAtMs;
  let lost = false;
  let renewal: Promise<void> | undefined;
  const renew = async (): Promise<void> => {
    const until = plus(clock.now(), LEASE_TTL);
    try {
      if (await vips.renew(vip, { ...lease, expiresAtMs }, until)) expiresAtMs = until;
      else lost = true;
    } catch {
      // The lease simply runs on; whether it was prolonged is unknown, so the earlier end counts.
    } finally {
      renewal = undefined;
    }
  };
  return {
    vip,
    lease,
    mayStart: () => !lost && clock.now() < deadline && mayStart(expiresAtMs, clock.now()),
    async keep() {
      if (lost || expiresAtMs - clock.now() > RENEW_BELOW) return;
      renewal ??= renew();
      await renewal;
    },
  };
}
