// The bus: whole-second stamps, at least once, in any order, up to a day late. The rule's own maximum event age is ignored
// on purpose.
import type { Functions } from '../functions/lambda.ts';
import { ROLE } from '../functions/lambda.ts';
import type { FaultName, History } from '../history/history.ts';
import { type Chance, chance } from '../history/random.ts';
import type { Word } from '../node/machine.ts';
import type { Scheduler } from './scheduler.ts';

export interface Bus {
  /** Accepts a word and delivers it as it likes. */
  accept(word: Word, source?: string, aheadMs?: number): void;
  /** Deliveries that come after the times have become quiet. */
  readonly late: { readonly atMs: number; readonly deliver: () => void }[];
  /** Words accepted so far; for the medians. */
  claims: number;
}

export interface BusGiven {
  readonly seed: number;
  readonly sched: Scheduler;
  readonly epochAt: number;
  readonly quietAtMs: number;
  readonly frontEnds?: History['frontEnds'];
  odds(name: FaultName, luck: Chance): boolean;
  struck(name: FaultName, untilMs: number): void;
  readonly deliver: Functions['claimed'];
}

const DAY_MS = 86_400_000;

export function bus(given: BusGiven): Bus {
  const { sched, epochAt } = given;
  const self: Bus = {
    late: [],
    claims: 0,
    accept(word, source = `vipshift.notify/${ROLE}:${word.node}`, aheadMs = 0) {
      self.claims += 1;
      const eventId = `event-${self.claims}`;
      const luck = chance(given.seed, `${word.node} ${word.bootId} ${word.vip} ${word.seq} ${word.ageMs}`);
      // EventBridge's stamp is in whole seconds of its own clock.
      const nowMs = epochAt + sched.now() + (given.frontEnds?.busMs ?? 0);
      const stampMs = Math.floor(nowMs / 1000) * 1000 - epochAt + aheadMs;
      if (given.odds('event lost', luck)) return given.struck('event lost', sched.now());
      const copies = given.odds('event doubled', luck) ? luck.int(2, 3) : 1;
      if (copies > 1) given.struck('event doubled', sched.now());
      for (let copy = 0; copy < copies; copy++) {
        const { delayMs, late } = delayOf(given, luck);
        const deliver = () =>
          given.deliver({ name: `claim ${eventId} ${copy}`, word, stampMs, eventId, source });
        if (late && sched.now() + delayMs > given.quietAtMs)
          self.late.push({ atMs: sched.now() + delayMs, deliver });
        else sched.after(delayMs, deliver);
      }
    },
  };
  return self;
}

/** Median 150 ms, 99th percentile about 390 ms (measured by others, 2023). */
function delayOf(given: BusGiven, luck: Chance): { delayMs: number; late: boolean } {
  const plain = luck.log(90, 390);
  if (given.odds('event late', luck)) {
    const delayMs = luck.log(61_000, DAY_MS);
    given.struck('event late', 0);
    return { delayMs, late: true };
  }
  if (given.odds('event delayed', luck)) {
    const delayMs = luck.log(500, 60_000);
    given.struck('event delayed', given.sched.now() + delayMs);
    return { delayMs, late: false };
  }
  const start = given.odds('slow start', luck) ? luck.log(100, 3000) : 0;
  if (start > 0) given.struck('slow start', 0);
  return { delayMs: plain + start, late: false };
}
