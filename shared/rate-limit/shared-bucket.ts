// The account's request budget. EC2 counts calls per action, account and Region, so when a zone fails all its VIPs draw
// from one bucket. Callers reserve slots in it: a slot says from which instant the bucket has a token for the call.
// Reservations are served in their order. Only a VIP whose node flaps has none: it polls for tokens that are to spare, so that
// nothing of it ever stands before anyone else (docs/decisions/0035).
//
// Invariant: the reserved slots never ask more of the bucket than it holds (the virtual scheduling form of the generic
// cell rate algorithm, ITU-T I.371). A reservation with priority `front` pushes back all that still wait, by `shiftMs`.
// Limits: it knows only calls of vipshift; a refusal by EC2 is how it learns of others. Clocks of execution environments
// differ: the sizes in local-bucket.ts are a little below EC2's. decisions/0020 lists the alternatives.
import type { Step } from '../network/step.ts';
import { type DurationMs, type EpochMs, epochMs, plus, seconds } from '../time.ts';
import type { Rate } from './local-bucket.ts';

/** `front`: before all that wait, for VIPs with priority and for calls that EC2 refused although they had their slot. */
export type Priority = 'front' | 'back';

/** `last`: reserves nothing, and takes what the others leave. For moves of VIPs whose node flaps. */
export type Place = Priority | 'last';

/** The bucket of one action, in the words of its stored item. All zero when it was never used. */
export interface BucketState {
  /** When the bucket is full again if no caller reserves any more. */
  readonly fullAtMs: EpochMs;
  /** The same for reservations with priority `front` alone. */
  readonly frontAtMs: EpochMs;
  /** How far those have pushed back the others, in all. */
  readonly shiftMs: number;
  /** When EC2 last said that the bucket is empty. */
  readonly emptiedAtMs: EpochMs;
}

export const untouched: BucketState = {
  fullAtMs: epochMs(0),
  frontAtMs: epochMs(0),
  shiftMs: 0,
  emptiedAtMs: epochMs(0),
};

/** Consecutive slots. */
export interface Slots {
  readonly count: number;
  readonly firstAtMs: EpochMs;
  readonly intervalMs: number;
  /** The bucket's pushback at the reservation; by what it has grown since, each slot is later. */
  readonly pushbackMs: number;
}

export interface SharedBucket {
  /** Reserves `count` slots. Throws a Fault when the bucket does not answer; then it does not count these calls. */
  reserve(call: Step['call'], count: number, priority: Priority, now: EpochMs): Promise<Slots>;
  /**
   * Takes `count` tokens that are there now, if half of the burst is left for others after it; undefined when not. Throws as
   * `reserve` does.
   */
  takeSpare(call: Step['call'], count: number, now: EpochMs): Promise<Slots | undefined>;
  /** The pushback as it is now, for those who wait with priority `back`. May be a second old. */
  pushback(call: Step['call']): Promise<number>;
  /** Returns slots that were reserved and not used. */
  refund(call: Step['call'], count: number): Promise<void>;
  /** EC2 refused a call: the bucket is empty, whatever its item says. */
  drain(call: Step['call'], now: EpochMs): Promise<void>;
}

const interval = (rate: Rate): number => 1000 / rate.perSecond;
/**
 * A full bucket gains no tokens. A call that leaves later than its slot, as from an environment that has just started,
 * has lost the refill of that time. This many calls of the burst are left for it: more than half a second's worth.
 */
const SPARE = 3;
/** How far calls may be ahead of the refill, in milliseconds. */
export const tolerance = (rate: Rate): number => Math.floor(Math.max(1, rate.burst - SPARE) * interval(rate));
/** How long the bucket refills for `count` calls. Whole milliseconds: stores add and compare these exactly. */
export const increment = (rate: Rate, count: number): number => Math.ceil(count * interval(rate));
const later = (a: EpochMs, b: EpochMs): EpochMs => (a > b ? a : b);

export interface SlotRequest {
  readonly count: number;
  readonly priority: Priority;
  readonly now: EpochMs;
}

export function afterReserve(rate: Rate, was: BucketState, request: SlotRequest): BucketState {
  const { count, priority, now } = request;
  const took = increment(rate, count);
  const fullAtMs = epochMs(later(was.fullAtMs, now) + took);
  if (priority === 'back') return { ...was, fullAtMs };
  // The front waits for tokens that are gone, not for those that others have only reserved.
  const gone = Math.min(was.fullAtMs, now + tolerance(rate));
  const frontAtMs = epochMs(Math.max(was.frontAtMs, gone, now) + took);
  const isQueue = was.fullAtMs >= now + tolerance(rate);
  return { ...was, fullAtMs, frontAtMs, shiftMs: was.shiftMs + (isQueue ? took : 0) };
}

/** Up to here a bucket may be reserved when a token is to spare: half of the burst is left. */
export const spareUntil = (rate: Rate, now: EpochMs): EpochMs =>
  epochMs(now + tolerance(rate) - increment(rate, Math.floor(rate.burst / 2)));

/** Undefined when the bucket has no tokens to spare. A full one has, however small it is. */
export function afterTakeSpare(
  rate: Rate,
  was: BucketState,
  { count, now }: Omit<SlotRequest, 'priority'>,
): BucketState | undefined {
  const took = increment(rate, count);
  if (was.fullAtMs > now && was.fullAtMs + took > spareUntil(rate, now)) return undefined;
  return { ...was, fullAtMs: epochMs(later(was.fullAtMs, now) + took) };
}

/** After a refusal the bucket is behind its item, by an unknown amount: all that wait, wait this much longer. */
export const DRAIN_PAUSE: DurationMs = seconds(1);

/** The bucket after EC2 said that it is empty. Many calls report it at once; it counts once in each pause. */
export function afterDrain(rate: Rate, was: BucketState, now: EpochMs): BucketState {
  if (was.emptiedAtMs > now - DRAIN_PAUSE) return was;
  const goneMs = epochMs(now + tolerance(rate));
  if (was.fullAtMs < goneMs) return { ...was, fullAtMs: goneMs, emptiedAtMs: now };
  const [fullAtMs, shiftMs] = [plus(was.fullAtMs, DRAIN_PAUSE), was.shiftMs + DRAIN_PAUSE];
  return { ...was, fullAtMs, shiftMs, emptiedAtMs: now };
}

/** The slots of the reservation that led to `is`. */
export function slotsOf(rate: Rate, is: BucketState, count: number, priority: Priority): Slots {
  const end = priority === 'front' ? is.frontAtMs : is.fullAtMs;
  const firstAtMs = epochMs(end - (count - 1) * interval(rate) - tolerance(rate));
  return { count, firstAtMs, intervalMs: interval(rate), pushbackMs: is.shiftMs };
}
