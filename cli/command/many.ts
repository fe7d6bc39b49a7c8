// The same work for many things, a few at a time.
import { type Fault, isFault, toFault } from '../../shared/fault.ts';
import { type Clock, type DurationMs, durationMs, seconds } from '../../shared/time.ts';

/** What a command asks AWS for at the same time. */
export const AT_ONCE = 8;

/** Ends with the first one that throws. */
export async function forAll<Thing>(
  things: readonly Thing[],
  work: (thing: Thing) => Promise<void>,
  atOnce: number = AT_ONCE,
): Promise<void> {
  const queue = [...things];
  const worker = async () => {
    for (let thing = queue.shift(); thing !== undefined; thing = queue.shift()) await work(thing);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, things.length) }, worker));
}

export interface Tried<Thing> {
  readonly done: readonly Thing[];
  readonly failed: readonly { readonly thing: Thing; readonly fault: Fault; readonly error: unknown }[];
  /** Not begun: too many before them had failed in a row. */
  readonly left: readonly Thing[];
}

export interface Trying {
  readonly clock: Pick<Clock, 'wait'>;
  readonly atOnce: number;
  /** After each one that is over, well or not. */
  readonly over: () => void;
}

/** Where AWS limits the rate everything waits, twice as long each time, and what it refused is tried again. */
const THROTTLED_WAIT: DurationMs = seconds(1);
const THROTTLED_MAX = 6;
/** So many times in a row AWS refuses or does not answer: then it is not the thing's own fault. */
const FAILED_IN_A_ROW_MAX = 16;

/** One that fails hides no other. A mistake of ours is thrown when the others are over. */
export async function tryAll<Thing>(
  things: readonly Thing[],
  work: (thing: Thing) => Promise<void>,
  { clock, atOnce, over }: Trying,
): Promise<Tried<Thing>> {
  const done: Thing[] = [];
  const failed: Tried<Thing>['failed'][number][] = [];
  const queue = [...things];
  let inARow = 0;
  let pause: Promise<void> | undefined;
  let waits = 0;
  const patient = async (thing: Thing): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      await pause;
      try {
        return await work(thing);
      } catch (error) {
        if (toFault(error).kind !== 'throttled' || attempt === THROTTLED_MAX) throw error;
        // One pause for all that were refused at the same time.
        pause ??= clock.wait(durationMs(THROTTLED_WAIT * 2 ** Math.min(waits++, THROTTLED_MAX))).then(() => {
          pause = undefined;
        });
      }
    }
  };
  const worker = async () => {
    while (inARow < FAILED_IN_A_ROW_MAX) {
      const thing = queue.shift();
      if (thing === undefined) return;
      try {
        await patient(thing);
        done.push(thing);
        inARow = 0;
        waits = 0;
      } catch (error) {
        failed.push({ thing, fault: toFault(error), error });
        if (isFault(error)) inARow += 1;
      }
      over();
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, things.length) }, worker));
  const bug = failed.find(({ fault }) => fault.kind === 'bug');
  if (bug !== undefined) throw bug.error;
  return { done, failed, left: queue };
}
