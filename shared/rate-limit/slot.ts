// A slot is the instant from which the shared bucket has a token for one call. Calls that go first push the others back,
// so the callers behind them poll by how much.
import type { Step } from '../network/step.ts';
import {
  type Clock,
  type DurationMs,
  durationMs,
  type EpochMs,
  epochMs,
  seconds,
  withTimeout,
} from '../time.ts';
import type { LocalBucket } from './local-bucket.ts';
import type { SharedBucket } from './shared-bucket.ts';

export interface BucketPorts {
  readonly clock: Clock;
  readonly localBucket: LocalBucket;
  readonly sharedBucket: SharedBucket;
}

export interface Slot {
  readonly atMs: EpochMs;
  /** The bucket's pushback when the slot was reserved. Undefined: this slot cannot be pushed back. */
  readonly pushbackMs?: number;
}

/** Waiting calls ask this often whether they were pushed back. */
const POLL_EVERY: DurationMs = durationMs(500);

/** The bucket's pushback as it is now; `known` where the bucket does not answer. */
export type PushbackPoll = (known: number) => Promise<number>;

/** One request serves all calls that wait for slots of this action. */
export function pushbackPoll({ clock, sharedBucket }: BucketPorts, call: Step['call']): PushbackPoll {
  let last: { readonly askedAtMs: EpochMs; readonly answer: Promise<number> } | undefined;
  return (known) => {
    const now = clock.now();
    if (last === undefined || now - last.askedAtMs >= POLL_EVERY / 2) {
      last = { askedAtMs: now, answer: sharedBucket.pushback(call).catch(() => known) };
    }
    return last.answer;
  };
}

/** Resolves at the slot's instant, later if it is pushed back meanwhile. */
export async function reachSlot(clock: Clock, slot: Slot, poll: PushbackPoll): Promise<void> {
  let atMs = slot.atMs;
  for (let left = atMs - clock.now(); left > 0; left = atMs - clock.now()) {
    if (slot.pushbackMs === undefined || left <= POLL_EVERY) {
      await clock.wait(durationMs(left));
      return;
    }
    await clock.wait(POLL_EVERY);
    const pushbackMs = await poll(slot.pushbackMs);
    atMs = epochMs(slot.atMs + Math.max(0, pushbackMs - slot.pushbackMs));
  }
}

/** A call that EC2 has refused gains nothing by going without a slot: EC2 would refuse it again. */
const RETRY_RESERVE_TIMEOUT: DurationMs = seconds(5);

/** For a call that EC2 refused although it had its slot; undefined when the shared bucket does not answer. */
export async function reserveRetrySlot(ports: BucketPorts, call: Step['call']): Promise<Slot | undefined> {
  const { clock, localBucket, sharedBucket } = ports;
  try {
    const reserving = sharedBucket.reserve(call, 1, 'front', clock.now());
    const slots = await withTimeout(clock, reserving, RETRY_RESERVE_TIMEOUT);
    localBucket.reserve(call, clock.now());
    return { atMs: slots.firstAtMs };
  } catch {
    return undefined;
  }
}
