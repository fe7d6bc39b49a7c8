// The one owner of time and of every interleaving. Nothing happens but what was put here, in the order of its instant,
// then of its putting; between two happenings all promises that can go on do so.
//
// Limit: code that waits for anything but the ports given to it (a real timer, a file) would escape the scheduler.

export interface Scheduler {
  /** Milliseconds since the history began. */
  now(): number;
  at(atMs: number, happen: () => void): void;
  after(delayMs: number, happen: () => void): void;
  /** To be called by whatever lets a promise go on: the next happening waits until that has gone as far as it can. */
  stir(): void;
  /** Lets everything happen up to this instant. */
  run(untilMs: number): Promise<void>;
}

interface Happening {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
}

const sooner = (a: Happening, b: Happening): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** A binary heap. */
function put(heap: Happening[], one: Happening): void {
  let at = heap.length;
  heap.push(one);
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (!sooner(one, heap[above]!)) break;
    heap[at] = heap[above]!;
    at = above;
  }
  heap[at] = one;
}

function take(heap: Happening[]): Happening {
  const top = heap[0]!;
  const last = heap.pop()!;
  const size = heap.length;
  if (size === 0) return top;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= size) break;
    if (below + 1 < size && sooner(heap[below + 1]!, heap[below]!)) below += 1;
    if (!sooner(heap[below]!, last)) break;
    heap[at] = heap[below]!;
    at = below;
  }
  heap[at] = last;
  return top;
}

/** Cheaper than `queueMicrotask`, which makes a resource for each call. */
const settled = Promise.resolve();

export function scheduler(): Scheduler {
  const heap: Happening[] = [];
  let now = 0;
  let order = 0;
  let stirred = false;
  const at = (atMs: number, happen: () => void): void =>
    put(heap, { atMs: atMs > now ? atMs : now, order: order++, happen });
  return {
    now: () => now,
    at,
    after: (delayMs, happen) => at(now + delayMs, happen),
    stir() {
      stirred = true;
    },
    run(untilMs) {
      return new Promise((resolve, reject) => {
        // A tick asked for by a microtask runs after the last microtask: cheaper than a turn of the event loop.
        const rest = (): void => process.nextTick(step);
        const step = () => {
          try {
            while (heap.length > 0 && heap[0]!.atMs <= untilMs) {
              const one = take(heap);
              now = one.atMs;
              stirred = false;
              one.happen();
              if (stirred) return void settled.then(rest);
            }
            now = Math.max(now, untilMs);
            resolve();
          } catch (error) {
            reject(error);
          }
        };
        step();
      });
    },
  };
}
