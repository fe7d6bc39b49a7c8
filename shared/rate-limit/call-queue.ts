// The turns of one failover: its calls in the order in which they are asked for, each at the place booked for it.
//
// What will be needed is booked while the describes are under way, so that booking lies beside them and not before the
// mutations. A long plan books a slice at a time: a VIP with many tables must not book out a minute before one with few.
// Invariant: a budget that does not answer in time delays nobody (guarantee 8): then this sandbox's own pace serves.
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
import type { Vip } from '../vip/vip.ts';
import type { LocalBucket } from './local-bucket.ts';
import type { Booking, Priority, SharedBucket } from './shared-bucket.ts';

/** The lease needs the same DynamoDB; with a booking slower than this something has just gone wrong with it. */
const PATIENCE: DurationMs = seconds(1);
/** A call that EC2 refused has nothing to gain from going without a place: it would be refused again. */
const AGAIN_PATIENCE: DurationMs = seconds(5);
/**
 * The first mutations wait for their booking no longer than this: it went out beside the describes, and traffic must not
 * move a whole round trip later because DynamoDB is slow. What the burst allows then goes at our own pace.
 */
const FIRST_PATIENCE: DurationMs = durationMs(300);
/** The first booking may be a whole burst, so that one that fits is not cut up. */
const FIRST = 49;
/** Two seconds of refill: what others wait for at most because of one booking in a queue. */
export const SLICE = 10;
/** The next slice is booked this long before the last place of the one before. */
const AHEAD: DurationMs = seconds(1);
/** Who waits in the back lane looks this often whether it was pushed back. */
const LOOK_FOR_SHIFT: DurationMs = durationMs(500);
/** A storm of refusals says the same thing many times. */
const EMPTY_EVERY: DurationMs = seconds(1);

export interface CallQueue {
  /** Begins to book for that many calls, which will most likely be asked for. */
  expect(call: Step['call'], count: number): void;
  /**
   * Resolves when this call's turn has come; undefined when it has. Rejects with a Fault `deadline` when that is after
   * the invocation.
   */
  turn(call: Step['call'], again: boolean): Promise<void> | undefined;
  /** EC2 refused a call for its rate. */
  refused(call: Step['call']): void;
  /** When `count` more calls will have had their turn, as far as is known now; undefined when they can go at once. */
  dueAtMs(call: Step['call'], count: number): EpochMs | undefined;
  /** Gives back what was expected and not asked for; who still asks gets no turn any more. */
  end(): Promise<void>;
}

export interface CallQueuePorts {
  readonly clock: Clock;
  readonly pace: LocalBucket;
  readonly budget?: SharedBucket;
}

/** The turns of one failover of this VIP: books what moving it took the last time that somebody looked. */
export function callQueueFor(tools: CallQueuePorts, vip: Vip): CallQueue {
  const turns = turnsOf(tools, vip.priority === 'first' ? 'front' : 'back');
  turns.expect('ReplaceRoute', (vip.tablesSeen ?? 0) * vip.addresses.length);
  turns.expect('AssociateAddress', vip.eips.length);
  return turns;
}

/** When the last of these steps will be sent, as far as is known now; undefined when all can go at once. */
export function lastTurnAtMs(turns: CallQueue | undefined, steps: readonly Step[]): EpochMs | undefined {
  const calls = [...new Set(steps.map((step) => step.call))];
  const count = (call: Step['call']) => steps.filter((step) => step.call === call).length;
  const dues = calls.flatMap((call) => turns?.dueAtMs(call, count(call)) ?? []);
  return dues.length === 0 ? undefined : epochMs(Math.max(...dues));
}

interface Slot {
  readonly atMs: EpochMs;
  /** Undefined: not to be pushed back. */
  readonly shiftMs?: number;
}

interface Waiter {
  /** Undefined: the budget did not answer in time, or not at all. */
  give(place: Slot | undefined): void;
  refuse(error: unknown): void;
}

/** The calls of one action. */
interface ActionQueue {
  readonly free: Slot[];
  readonly asking: Waiter[];
  expected: number;
  booking: boolean;
  lastAtMs: EpochMs;
  everyMs: number;
  shift?: { readonly lookedAtMs: EpochMs; readonly is: Promise<number> };
  emptied?: { readonly atMs: EpochMs; readonly told: Promise<void> };
  /** There is no budget: our own pace serves. */
  readonly alone: boolean;
}

export function turnsOf(tools: CallQueuePorts, lane: Priority): CallQueue {
  const { clock, pace, budget } = tools;
  const lines = new Map<Step['call'], ActionQueue>();
  const line = (call: Step['call']): ActionQueue => {
    const known = lines.get(call) ?? newLine(budget === undefined);
    lines.set(call, known);
    return known;
  };
  return {
    expect(call, count) {
      const own = line(call);
      if (count <= 0 || own.alone) return;
      own.expected += count;
      book(tools, call, own, lane);
    },
    turn(call, again) {
      const own = line(call);
      if (own.alone) return ownPace(tools, call);
      const place = again ? undefined : own.free.shift();
      if (place !== undefined) return reach(tools, call, own, place);
      const placing = again ? placeInFront(tools, call) : asked(tools, call, own, lane);
      return placing.then((got) => (got === undefined ? ownPace(tools, call) : reach(tools, call, own, got)));
    },
    refused(call) {
      const [own, now] = [line(call), clock.now()];
      pace.refused(call, now);
      if (budget === undefined || (own.emptied !== undefined && now - own.emptied.atMs < EMPTY_EVERY)) return;
      own.emptied = { atMs: now, told: budget.drain(call, now).catch(() => undefined) };
    },
    dueAtMs(call, count) {
      const [own, now] = [line(call), clock.now()];
      const inLine = own.free[count - 1]?.atMs ?? own.lastAtMs + (count - own.free.length) * own.everyMs;
      const known = !own.alone && own.everyMs > 0;
      const dueAtMs = epochMs(known ? inLine : now + pace.ahead(call, count, now));
      return dueAtMs > now ? dueAtMs : undefined;
    },
    async end() {
      await Promise.all(
        [...lines].map(async ([call, own]) => {
          own.expected = 0;
          for (const one of own.asking.splice(0)) one.refuse(ended());
          const left = own.free.splice(0);
          for (const _ of left) pace.giveBack(call);
          if (left.length > 0) await budget?.refund(call, left.length).catch(() => undefined);
          await own.emptied?.told;
        }),
      );
    },
  };
}

const ended = () => new Fault('deadline', 'TurnsEnded', 'the failover that asked for a turn is over');

const newLine = (alone: boolean): ActionQueue => ({
  free: [],
  asking: [],
  expected: 0,
  booking: false,
  lastAtMs: epochMs(0),
  everyMs: 0,
  alone,
});

function ownPace({ pace, clock }: CallQueuePorts, call: Step['call']): Promise<void> | undefined {
  const wait = pace.place(call, clock.now());
  return wait > 0 ? clock.wait(wait) : undefined;
}

function asked(
  tools: CallQueuePorts,
  call: Step['call'],
  own: ActionQueue,
  lane: Priority,
): Promise<Slot | undefined> {
  let one: Waiter | undefined;
  const answer = new Promise<Slot | undefined>((give, refuse) => {
    one = { give, refuse };
    own.asking.push(one);
  });
  const first = own.everyMs === 0;
  book(tools, call, own, lane);
  return first ? Promise.race([answer, tired(tools, call, own, one!, answer)]) : answer;
}

/** Without a place in FIRST_PATIENCE a call goes at our own pace if that lets it go at once. */
async function tired(
  { clock, pace }: CallQueuePorts,
  call: Step['call'],
  own: ActionQueue,
  one: Waiter,
  answer: Promise<Slot | undefined>,
): Promise<Slot | undefined> {
  try {
    await timeoutAfter(clock, FIRST_PATIENCE);
  } catch {
    return answer;
  }
  const place = own.asking.indexOf(one);
  // A budget that has answered is believed: then there is a queue, and this call stands in it.
  if (place === -1 || own.everyMs > 0 || pace.ahead(call, 1, clock.now()) > 0) return answer;
  own.asking.splice(place, 1);
  return undefined;
}

/** One booking at a time; more as long as somebody asks. */
function book(tools: CallQueuePorts, call: Step['call'], own: ActionQueue, lane: Priority): void {
  if (own.booking || own.alone) return;
  own.booking = true;
  bookAll(tools, call, own, lane).then(
    () => {
      own.booking = false;
    },
    (error: unknown) => {
      own.booking = false;
      const late = toFault(error).kind === 'deadline';
      for (const one of own.asking.splice(0)) {
        if (late) one.refuse(error);
        else one.give(undefined);
      }
    },
  );
}

async function bookAll(
  tools: CallQueuePorts,
  call: Step['call'],
  own: ActionQueue,
  lane: Priority,
): Promise<void> {
  // All steps of a plan ask in the same turn: one booking for all of them.
  await Promise.resolve();
  while (own.asking.length > 0 || own.expected > 0) {
    const untilLast = own.lastAtMs - tools.clock.now();
    if (untilLast > AHEAD) await tools.clock.wait(durationMs(untilLast - AHEAD));
    const wanted = Math.max(own.asking.length, own.expected);
    own.expected = 0;
    const count = Math.min(wanted, own.everyMs === 0 ? FIRST : SLICE);
    const booking = await withTimeout(
      tools.clock,
      tools.budget!.reserve(call, count, lane, tools.clock.now()),
      PATIENCE,
    );
    admit(tools, call, own, booking, lane);
  }
}

function admit(
  { pace, clock }: CallQueuePorts,
  call: Step['call'],
  own: ActionQueue,
  booking: Booking,
  lane: Priority,
): void {
  own.everyMs = booking.everyMs;
  for (let n = 0; n < booking.count; n++) {
    const atMs = epochMs(booking.firstAtMs + n * booking.everyMs);
    own.lastAtMs = atMs;
    // Counted on our own side too, so that it is right when it has to serve alone.
    pace.place(call, clock.now());
    const place: Slot = lane === 'front' ? { atMs } : { atMs, shiftMs: booking.shiftMs };
    const one = own.asking.shift();
    if (one === undefined) own.free.push(place);
    else one.give(place);
  }
}

/** For a call that was refused although it had its place. */
async function placeInFront(tools: CallQueuePorts, call: Step['call']): Promise<Slot | undefined> {
  try {
    const asked = tools.budget!.reserve(call, 1, 'front', tools.clock.now());
    const booking = await withTimeout(tools.clock, asked, AGAIN_PATIENCE);
    tools.pace.place(call, tools.clock.now());
    return { atMs: booking.firstAtMs };
  } catch {
    return undefined;
  }
}

/** Waits for the place, and longer when the front lane has pushed it back meanwhile. */
function reach(
  tools: CallQueuePorts,
  call: Step['call'],
  own: ActionQueue,
  place: Slot,
): Promise<void> | undefined {
  return place.atMs <= tools.clock.now() ? undefined : waitFor(tools, call, own, place);
}

async function waitFor(
  tools: CallQueuePorts,
  call: Step['call'],
  own: ActionQueue,
  place: Slot,
): Promise<void> {
  let atMs = place.atMs;
  for (let left = atMs - tools.clock.now(); left > 0; left = atMs - tools.clock.now()) {
    if (place.shiftMs === undefined || left <= LOOK_FOR_SHIFT) {
      await tools.clock.wait(durationMs(left));
      return;
    }
    await tools.clock.wait(LOOK_FOR_SHIFT);
    const shift = await shiftOf(tools, call, own, place.shiftMs);
    atMs = epochMs(place.atMs + Math.max(0, shift - place.shiftMs));
  }
}

/** One look for all that wait. */
function shiftOf(
  tools: CallQueuePorts,
  call: Step['call'],
  own: ActionQueue,
  known: number,
): Promise<number> {
  const now = tools.clock.now();
  if (own.shift === undefined || now - own.shift.lookedAtMs >= LOOK_FOR_SHIFT / 2) {
    own.shift = { lookedAtMs: now, is: tools.budget!.pushback(call).catch(() => known) };
  }
  return own.shift.is;
}
