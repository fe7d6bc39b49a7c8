// The function URL: stamps in milliseconds of its own clock, one invocation for each call, and an HTTP status for its caller.
import type { FaultName, History } from '../history/history.ts';
import { type Chance, chance } from '../history/random.ts';
import type { DirectRoad } from '../node/direct.ts';
import type { Word } from '../node/machine.ts';
import type { Scheduler } from '../world/scheduler.ts';
import { type Functions, ROLE } from './lambda.ts';

export interface DirectWay extends DirectRoad<Word> {
  /** A call that has reached the front end. */
  accept(word: Word, answered?: (status: number) => void, source?: string): void;
}

export interface DirectGiven {
  readonly seed: number;
  readonly sched: Scheduler;
  readonly frontEnds: History['frontEnds'];
  odds(name: FaultName, luck: Chance): boolean;
  struck(name: FaultName, untilMs: number): void;
  readonly deliver: Functions['called'];
}

/** Slower the shim does not wait. */
const SLOWEST_MS = 1900;
const THROTTLED = 429;
const REFUSED = 403;

export function directWay(given: DirectGiven): DirectWay {
  const { sched } = given;
  const lucks = new Map<string, Chance>();
  let calls = 0;
  const strikes = (name: FaultName, luck: Chance): boolean => {
    if (!given.odds(name, luck)) return false;
    given.struck(name, sched.now());
    return true;
  };
  const way: DirectWay = {
    sched,
    luck(machine) {
      const known = lucks.get(machine.id);
      if (known !== undefined) return known;
      const luck = chance(given.seed, `direct ${machine.id}`);
      lucks.set(machine.id, luck);
      return luck;
    },
    call(machine, word, answered) {
      const luck = way.luck(machine);
      if (strikes('direct failed', luck)) return;
      const answer = (status: number) => sched.after(luck.between(5, 30), () => answered(status));
      const delayMs = strikes('direct delayed', luck) ? luck.log(200, SLOWEST_MS) : luck.between(10, 60);
      sched.after(delayMs, () => {
        if (strikes('direct refused', luck)) return answer(REFUSED);
        if (strikes('direct throttled', luck)) return answer(THROTTLED);
        way.accept(word, strikes('direct reply lost', luck) ? undefined : answer);
      });
    },
    accept(word, answered = () => undefined, source = `vipshift.notify/${ROLE}:${word.node}`) {
      calls += 1;
      const stampMs = Math.floor(sched.now() + (given.frontEnds?.directMs ?? 0));
      const eventId = `call-${calls}`;
      given.deliver({ name: `claim ${eventId}`, word, stampMs, eventId, source, way: 'direct' }, answered);
    },
  };
  return way;
}
