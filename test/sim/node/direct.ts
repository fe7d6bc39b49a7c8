// The shim's second way: each transition goes to the function URL and to the bus at once, until the URL has answered; an assertion
// only while the bus fails. A refusal (4xx) is an answer, what was throttled or got no answer is said again with the bus's next attempt.
import type { Chance } from '../history/random.ts';
import type { Scheduler } from '../world/scheduler.ts';

/** What became of one call: an HTTP status, or nothing that was heard. */
export type Called = number | 'no answer';

/** As much of a node as matters here. */
export interface Caller {
  readonly id: string;
  readonly direct: boolean;
  readonly busFailures: number;
  readonly spool: readonly {
    readonly directly: boolean;
    readonly seqUs: number;
    readonly of: { readonly sinceUs: number };
  }[];
}

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
  spool.every((line) => line.directly || line.seqUs < line.of.sinceUs);

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
