// The constants of the protocol and the edges of its rules, to the millisecond: what histories meet too seldom to hold.
import { describe, expect, test } from 'vitest';
import * as claim from '../../shared/claim.ts';
import * as election from '../../shared/election.ts';
import * as lease from '../../shared/lease.ts';
import * as silent from '../../shared/silent.ts';
import * as switching from '../../shared/switch.ts';

describe('the constants are those of PROTOCOL', () => {
  test('of claims and silence', () => {
    expect([claim.SLOT, claim.SILENT_AFTER_SLOTS, claim.LATE_AFTER, claim.YOUNG, claim.STAMP_MS]).toEqual([
      25_000, 5, 60_000, 15_000, 999,
    ]);
    expect([silent.HEARD_KEPT, silent.HEARD_PRUNE_ABOVE, silent.SILENCE_MAX]).toEqual([12, 40, 135_000]);
  });
  test('of the election', () => {
    expect([election.ADVERT_DOUBT_MS, election.OUTLIVES_MS, election.SPLIT_AFTER_MS]).toEqual([
      3000, 90_000, 2000,
    ]);
  });
  test('of the lease', () => {
    expect([lease.LEASE_TTL, lease.ATTEMPT_MAX, lease.SKEW, lease.STALE_READ]).toEqual([
      10_000, 2000, 200, 4000,
    ]);
    expect([lease.UNKNOWN_LANDS_WITHIN, lease.LOOK_AGAIN, lease.RENEW_BELOW]).toEqual([20_000, 200, 6000]);
    expect([lease.OBSERVE_PATIENCE, lease.FUNCTION_TIMEOUT_MIN]).toEqual([1000, 30_000]);
  });
  test('of the switch', () => {
    expect(switching.EPOCHS_MAX).toBe(8);
  });
});
