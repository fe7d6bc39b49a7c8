// The calls of one action in one failover. Each call gets a slot that was reserved in the account's shared bucket, in
// the order in which the calls ask. EC2 limits each action by itself, so each has a queue of its own.
//
// A long plan reserves a slice at a time: a VIP with many tables must not reserve a whole minute before one with few.
// Invariant: a shared bucket that does not answer in time delays no call (guarantee 8); the local bucket then decides.
import { Fault, toFault } from '../fault.ts';
import type { Step } from '../network/step.ts';
import {
  type Clock,
  type DurationMs,
  durationMs,
  type EpochMs,
  epochMs,
  seconds,
  timeoutAfter,
  withTimeout,
} from '../time.ts';
import { type LocalBucket, waitForToken } from './local-bucket.ts';
import type { Place, Priority, SharedBucket, Slots } from './shared-bucket.ts';
import {
  type BucketPorts,
  type PushbackPoll,
  pushbackPoll,
  reachSlot,
  reserveRetrySlot,
  type Slot,
} from './slot.ts';

/** The lease needs the same DynamoDB table, so a slower answer means that something is wrong with it. */
const RESERVE_TIMEOUT: DurationMs = seconds(1);
/**
 * The first calls wait no longer than this. Their reservation went out in parallel with the describes, and traffic must not move a
 * whole round trip later because DynamoDB is slow.
 */
const FIRST_SLOT_TIMEOUT: DurationMs = durationMs(300);
/** The first reservation may take a whole burst, so that a plan that fits is not cut up; this much where the account has no more. */
const FIRST_SLICE_MIN = 49;
/** How much refill a later one may take: the longest that others wait because of it. */
const SLICE_REFILL: DurationMs = seconds(2);
/** That of an account with EC2's default. */
export const SLICE = 10;
/** The next slice is reserved this long before the last slot of the one before. */
const RESERVE_AHEAD: DurationMs = seconds(1);
/** How often a call that goes last looks for tokens to spare, and for how long before it waits in line like everyone else. */
const SPARE_EVERY: DurationMs = seconds(1);
export const SPARE_WAIT_MAX: DurationMs = seconds(60);
/** In a storm of refusals EC2 says the same thing many times. */
const DRAIN_EVERY: DurationMs = seconds(1);

/** Whether the call would still be sent: one whose failover has given it up needs no slot. */
export type IsWanted = () => boolean;
const always: IsWanted = () => true;

interface Waiter {
  readonly isWanted: IsWanted;
  /** Without a slot the local bucket decides: the shared one did not answer in time, or not at all. */
  give(slot: Slot | undefined): void;
  refuse(error: unknown): void;
}

export class ActionQueue {
  readonly #ports: BucketPorts;
  readonly #clock: Clock;
  readonly #localBucket: LocalBucket;
  readonly #sharedBucket: SharedBucket;
  readonly #call: Step['call'];
  readonly #place: Place;
  readonly #poll: PushbackPoll;
  /** Slots that were reserved before a call asked for them. */
  readonly #free: Slot[] = [];
  readonly #waiters: Waiter[] = [];
  /** Calls that were announced and for which no slot is reserved yet. */
  #expected = 0;
  #isReserving = false;
  #isEnded = false;
  /** Slots of calls that have not been sent. */
  #given = 0;
  /** Those of them whose time has not come. */
  readonly #ahead = new Map<Slot, IsWanted>();
  #lastSlotAtMs = epochMs(0);
  /** Between two slots; 0 until the shared bucket has answered once. */
  #intervalMs = 0;
  #drained: { readonly atMs: EpochMs; readonly written: Promise<void> } | undefined;

  constructor(ports: BucketPorts, call: Step['call'], place: Place) {
    this.#ports = ports;
    this.#clock = ports.clock;
    this.#localBucket = ports.localBucket;
    this.#sharedBucket = ports.sharedBucket;
    this.#call = call;
    this.#place = place;
    this.#poll = pushbackPoll(ports, call);
  }

  reserveAhead(count: number): void {
    this.#expected += count;
    this.#reserve();
  }

  waitForSlot(isWanted: IsWanted = always): Promise<void> | undefined {
    this.#reclaim();
    const slot = this.#free.shift();
    return slot === undefined
      ? this.#waitFor(this.#enqueue(isWanted), isWanted)
      : this.#reach(slot, isWanted);
  }

  waitForRetrySlot(isWanted: IsWanted = always): Promise<void> | undefined {
    if (this.#place === 'last') return this.waitForSlot(isWanted);
    return this.#waitFor(reserveRetrySlot(this.#ports, this.#call), isWanted);
  }

  sent(): void {
    this.#given = Math.max(0, this.#given - 1);
  }

  drain(): void {
    const now = this.#clock.now();
    this.#localBucket.drain(this.#call, now);
    if (this.#drained !== undefined && now - this.#drained.atMs < DRAIN_EVERY) return;
    const written = this.#sharedBucket.drain(this.#call, now).catch(() => undefined);
    this.#drained = { atMs: now, written };
  }

  dueAtMs(count: number): EpochMs {
    const now = this.#clock.now();
    if (this.#intervalMs === 0) return epochMs(now + this.#localBucket.delay(this.#call, count, now));
    const behindLast = (count - this.#free.length) * this.#intervalMs;
    return this.#free[count - 1]?.atMs ?? epochMs(this.#lastSlotAtMs + behindLast);
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    this.#expected = 0;
    for (const waiter of this.#waiters.splice(0)) waiter.refuse(ended());
    const free = this.#free.splice(0);
    for (const _ of free) this.#localBucket.refund(this.#call);
    const unused = free.length + this.#given;
    this.#given = 0;
    if (unused > 0) await this.#sharedBucket.refund(this.#call, unused).catch(() => undefined);
    await this.#drained?.written;
  }

  #waitFor(slot: Promise<Slot | undefined>, isWanted: IsWanted): Promise<void> {
    return slot.then((given) =>
      given === undefined
        ? waitForToken(this.#localBucket, this.#clock, this.#call)
        : this.#reach(given, isWanted),
    );
  }

  #reach(slot: Slot, isWanted: IsWanted): Promise<void> | undefined {
    this.#given += 1;
    if (slot.atMs <= this.#clock.now()) return undefined;
    this.#ahead.set(slot, isWanted);
    return reachSlot(this.#clock, slot, this.#poll).then(() => void this.#ahead.delete(slot));
  }

  /** The slots of calls that were given up; after the end they have been refunded. */
  #reclaim(): void {
    if (this.#isEnded) return;
    for (const [slot, isWanted] of this.#ahead) {
      if (isWanted()) continue;
      this.#ahead.delete(slot);
      this.#given -= 1;
      // Who gave it up has refunded its token, and the next one has taken none.
      this.#localBucket.reserve(this.#call, this.#clock.now());
      this.#free.push(slot);
    }
  }

  /** A failover that plans again would otherwise wait behind its own calls of before, as long as those would have taken. */
  #dismissUnwanted(): void {
    for (const waiter of this.#waiters.filter((one) => !one.isWanted())) {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      // It has refunded a token that it never had.
      this.#localBucket.reserve(this.#call, this.#clock.now());
      waiter.refuse(ended());
    }
  }

  #enqueue(isWanted: IsWanted): Promise<Slot | undefined> {
    const isFirst = this.#intervalMs === 0;
    let waiter: Waiter;
    const slot = new Promise<Slot | undefined>((give, refuse) => {
      waiter = { isWanted, give, refuse };
      this.#waiters.push(waiter);
    });
    this.#reserve();
    return isFirst && this.#place !== 'last' ? Promise.race([slot, this.#giveUp(waiter!, slot)]) : slot;
  }

  /** Without a slot within FIRST_SLOT_TIMEOUT a call goes if the local bucket lets it go at once. */
  async #giveUp(waiter: Waiter, slot: Promise<Slot | undefined>): Promise<Slot | undefined> {
    try {
      await timeoutAfter(this.#clock, FIRST_SLOT_TIMEOUT);
    } catch {
      return slot;
    }
    const place = this.#waiters.indexOf(waiter);
    // A shared bucket that has answered is trusted: others are waiting, too, and this call waits among them.
    const hasAnswered = place === -1 || this.#intervalMs > 0;
    if (hasAnswered || this.#localBucket.delay(this.#call, 1, this.#clock.now()) > 0) return slot;
    this.#waiters.splice(place, 1);
    return undefined;
  }

  /** One reservation at a time; more as long as calls wait. */
  #reserve(): void {
    if (this.#isReserving) return;
    this.#isReserving = true;
    this.#reserveAll().then(
      () => {
        this.#isReserving = false;
      },
      (error: unknown) => {
        this.#isReserving = false;
        const isLate = toFault(error).kind === 'deadline';
        for (const waiter of this.#waiters.splice(0)) {
          if (isLate) waiter.refuse(error);
          else waiter.give(undefined);
        }
      },
    );
  }

  async #reserveAll(): Promise<void> {
    // All steps of a plan ask in the same tick: one reservation for all of them.
    await Promise.resolve();
    while (this.#waiters.length > 0 || this.#expected > 0) {
      const untilLast = this.#lastSlotAtMs - this.#clock.now();
      if (untilLast > RESERVE_AHEAD) await this.#clock.wait(durationMs(untilLast - RESERVE_AHEAD));
      this.#dismissUnwanted();
      const wanted = Math.max(this.#waiters.length, this.#expected);
      // The failover has ended meanwhile.
      if (wanted === 0) return;
      this.#expected = 0;
      const count = Math.min(wanted, this.#sliceMax());
      if (this.#place === 'last') await this.#takeSpare();
      else this.#handOut(await this.#reserveSlots(count, this.#place));
    }
  }

  #sliceMax(): number {
    const { burst, perSecond } = this.#localBucket.rate(this.#call);
    return this.#intervalMs === 0
      ? Math.max(FIRST_SLICE_MIN, burst)
      : Math.max(SLICE, Math.floor((perSecond * SLICE_REFILL) / 1000));
  }

  #reserveSlots(count: number, priority: Priority): Promise<Slots> {
    const reserving = this.#sharedBucket.reserve(this.#call, count, priority, this.#clock.now());
    return withTimeout(this.#clock, reserving, RESERVE_TIMEOUT);
  }

  /** A slice when there is one to spare. Where others leave nothing for a minute, it gets in line behind them. */
  async #takeSpare(): Promise<void> {
    const lineUpAt = this.#clock.now() + SPARE_WAIT_MAX;
    while (!this.#isEnded && this.#waiters.length > 0) {
      const now = this.#clock.now();
      const count = Math.min(this.#waiters.length, SLICE);
      const taking = this.#sharedBucket.takeSpare(this.#call, count, now);
      const slots = await withTimeout(this.#clock, taking, RESERVE_TIMEOUT);
      if (slots !== undefined) return this.#handOut(slots);
      if (now >= lineUpAt) return this.#handOut(await this.#reserveSlots(count, 'back'));
      await this.#clock.wait(SPARE_EVERY);
      this.#dismissUnwanted();
    }
  }

  #handOut(slots: Slots): void {
    this.#intervalMs = slots.intervalMs;
    this.#dismissUnwanted();
    for (let n = 0; n < slots.count; n++) {
      const atMs = epochMs(slots.firstAtMs + n * slots.intervalMs);
      this.#lastSlotAtMs = atMs;
      // The local bucket counts these calls, too, so that it is right when it has to serve alone.
      this.#localBucket.reserve(this.#call, this.#clock.now());
      const slot: Slot = this.#place === 'front' ? { atMs } : { atMs, pushbackMs: slots.pushbackMs };
      const waiter = this.#waiters.shift();
      if (waiter === undefined) this.#free.push(slot);
      else waiter.give(slot);
    }
  }
}

const ended = () => new Fault('deadline', 'TurnsEnded', 'the failover that asked for a turn is over');
