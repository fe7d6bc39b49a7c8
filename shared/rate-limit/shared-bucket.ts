// The account's request budget: EC2 counts calls per action, account and Region, so when a zone fails all its VIPs draw
// from one bucket. Places in it are booked: a booking says for each call the instant from which the bucket has a token
// for it. Nobody polls for a token, and whoever books is served in the order of booking.
//
// Invariant: the instants that are booked never ask more of the bucket than it holds (the virtual scheduling form of the
// generic cell rate algorithm, ITU-T I.371). Who books to the front pushes back everybody who still waits, by `shiftMs`.
// Limits: it knows only its own users' calls; a refusal by EC2 is how it learns of others. Clocks of sandboxes differ:
// the sizes in pace.ts stay a little below EC2's. decisions/0020 says what else was weighed.
import type { Step } from '../network/step.ts';
import { type DurationMs, type EpochMs, epochMs, plus, seconds } from '../time.ts';
import type { Rate } from './local-bucket.ts';

/** `front`: before all that wait: a VIP with priority, and a call that EC2 has refused although it had its place. */
export type Priority = 'front' | 'back';

/** The bucket of one action, as its item says. All zero when it was never used. */
export interface BucketState {
  /** When the bucket is full again, if nobody books any more. */
  readonly fullAtMs: EpochMs;
  /** The same for the front lane alone. */
  readonly frontAtMs: EpochMs;
  /** How far the front lane has pushed back the others, in all. */
  readonly shiftMs: number;
  /** When EC2 last said that it is empty. */
  readonly emptiedAtMs: EpochMs;
}

export const untouched: BucketState = {
  fullAtMs: epochMs(0),
  frontAtMs: epochMs(0),
  shiftMs: 0,
  emptiedAtMs: epochMs(0),
};

/** Places next to each other. */
export interface Booking {
  readonly count: number;
  readonly firstAtMs: EpochMs;
  readonly everyMs: number;
  /** The bucket's shift at the booking; what it has grown since is to be waited longer. */
  readonly shiftMs: number;
}

export interface SharedBucket {
  /** Books `count` places. Throws a Fault when it does not answer: then nobody knows of these calls. */
  reserve(call: Step['call'], count: number, lane: Priority, now: EpochMs): Promise<Booking>;
  /** The shift as it is, for those who wait in the back lane. May be a second old. */
  pushback(call: Step['call']): Promise<number>;
  /** Places that were booked and not used. */
  refund(call: Step['call'], count: number): Promise<void>;
  /** EC2 refused a call: the bucket is empty, whatever its item says. */
  drain(call: Step['call'], now: EpochMs): Promise<void>;
}

const interval = (rate: Rate): number => 1000 / rate.perSecond;
/**
 * A full bucket gains nothing: what leaves later than its place, as from a sandbox that has just started, has lost the
 * refill of that time. This many calls of the burst are left for it, more than half a second's worth.
 */
const SPARE = 3;
/** How far ahead of the refill calls may be. */
export const depth = (rate: Rate): number => Math.floor(Math.max(1, rate.burst - SPARE) * interval(rate));
export const timeOf = (rate: Rate, count: number): number => Math.ceil(count * interval(rate));
const later = (a: EpochMs, b: EpochMs): EpochMs => (a > b ? a : b);

/** The bucket after `count` places were booked. */
export function booked(
  rate: Rate,
  was: BucketState,
  count: number,
  lane: Priority,
  now: EpochMs,
): BucketState {
  // Whole milliseconds: stores compare and add these, and must not lose digits.
  const took = timeOf(rate, count);
  const fullAtMs = epochMs(later(was.fullAtMs, now) + took);
  if (lane === 'back') return { ...was, fullAtMs };
  // The front lane waits for tokens that are gone, and not for those that others have only booked.
  const gone = Math.min(was.fullAtMs, now + depth(rate));
  const frontAtMs = epochMs(Math.max(was.frontAtMs, gone, now) + took);
  const waiting = was.fullAtMs >= now + depth(rate);
  return { ...was, fullAtMs, frontAtMs, shiftMs: was.shiftMs + (waiting ? took : 0) };
}

/** A refusal says that the bucket is behind its item, by how much nobody knows: all that wait, wait this much longer. */
export const PAUSE: DurationMs = seconds(1);

/** The bucket after EC2 has said that it is empty. Many say so at once: it counts once in each pause. */
export function emptied(rate: Rate, was: BucketState, now: EpochMs): BucketState {
  if (was.emptiedAtMs > now - PAUSE) return was;
  const goneMs = epochMs(now + depth(rate));
  if (was.fullAtMs < goneMs) return { ...was, fullAtMs: goneMs, emptiedAtMs: now };
  const [fullAtMs, shiftMs] = [plus(was.fullAtMs, PAUSE), was.shiftMs + PAUSE];
  return { ...was, fullAtMs, shiftMs, emptiedAtMs: now };
}

/** The places of the booking that led to `is`. */
export function bookingOf(rate: Rate, is: BucketState, count: number, lane: Priority): Booking {
  const end = lane === 'front' ? is.frontAtMs : is.fullAtMs;
  const firstAtMs = epochMs(end - (count - 1) * interval(rate) - depth(rate));
  return { count, firstAtMs, everyMs: interval(rate), shiftMs: is.shiftMs };
}
