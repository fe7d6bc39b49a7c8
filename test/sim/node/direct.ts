// The shim's second way: each transition goes to the function URL, whether the bus is busy or not, until the URL has answered or
// something newer was said; an assertion only while the bus fails. A refusal (4xx) is an answer; what was throttled or got no answer is
// said again after a back-off of this way's own. As notify/lib/send/direct.bash does it.
import type { Chance } from '../history/random.ts';
import type { Scheduler } from '../world/scheduler.ts';

/** What became of one call: an HTTP status, or nothing that was heard. */
export type Called = number | 'no answer';

/** As much of a node as matters here. */
export interface Caller<Line extends DirectLine = DirectLine> {
  readonly id: string;
  readonly direct: boolean;
  readonly busFailures: number;
  readonly alive: boolean;
  readonly boot: number;
  readonly starts: number;
  /** Under way. */
  calls: number;
  directBackoffMs: number;
  readonly spool: readonly Line[];
}

export interface DirectLine {
  directly: 'not yet' | 'under way' | 'answered';
  readonly seqUs: number;
  readonly of: { readonly readUs: number };
}

const isSuperseded = ({ of, seqUs }: DirectLine): boolean => seqUs < of.readUs;

export interface DirectRoad<Word> {
  readonly sched: Scheduler;
  luck(machine: Caller): Chance;
  /** `answered` is called once at the most, and not where the caller hears nothing. */
  call(machine: Caller, word: Word, answered: (status: number) => void): void;
}

/** Requests of the bus that failed in a row, from which on assertions go directly, too. */
const BUS_FAILS_FROM = 2;
/** curl gives up. */
const GIVES_UP_MS = 2000;

/** Whether an assertion goes directly: the bus fails, and no transition waits that has not been said this way. */
export const saysDirectly = ({ direct, busFailures, spool }: Caller): boolean =>
  direct &&
  busFailures >= BUS_FAILS_FROM &&
  spool.every((line) => line.directly === 'answered' || isSuperseded(line));

const CALLS_MAX = 4;
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5000;

/** Of a shim that has just started. */
export function forgetCalls(machine: Caller): void {
  machine.calls = 0;
  machine.directBackoffMs = BACKOFF_MIN_MS;
  for (const line of machine.spool) line.directly = 'not yet';
}

/** One call for what is newest of each VIP and has not been said this way. */
export function sayWaiting<Line extends DirectLine, Word>(
  machine: Caller<Line>,
  road: DirectRoad<Word>,
  wordOf: (line: Line) => Word,
): void {
  if (!machine.direct || !machine.alive || machine.calls >= CALLS_MAX) return;
  const lines = machine.spool.filter((line) => line.directly === 'not yet' && !isSuperseded(line));
  if (lines.length === 0) return;
  const { boot, starts } = machine;
  let open = lines.length;
  let failed = false;
  machine.calls += 1;
  for (const line of lines) {
    line.directly = 'under way';
    sayDirectly(machine, road, wordOf(line), (said) => {
      if (machine.boot !== boot || machine.starts !== starts) return;
      line.directly = said ? 'answered' : 'not yet';
      failed ||= !said;
      open -= 1;
      if (open > 0) return;
      machine.calls -= 1;
      const afterMs = failed ? machine.directBackoffMs : 0;
      machine.directBackoffMs = failed ? Math.min(2 * afterMs, BACKOFF_MAX_MS) : BACKOFF_MIN_MS;
      road.sched.after(afterMs, () => sayWaiting(machine, road, wordOf));
    });
  }
}

export function sayDirectly<Word>(
  machine: Caller,
  road: DirectRoad<Word>,
  word: Word,
  done: (said: boolean) => void,
): void {
  let isOver = false;
  const end = (called: Called) => {
    if (isOver) return;
    isOver = true;
    done(called !== 'no answer' && called < 500 && called !== 429);
  };
  road.sched.after(GIVES_UP_MS, () => end('no answer'));
  road.call(machine, word, end);
}
