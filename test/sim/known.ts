// What the controller could know: the words that reached it and were not superseded, with the true time of the transition
// that each speaks of. Checkers measure it against this, never against what it made of them.
import { LATE_AFTER } from '../../shared/claim.ts';
import { type BootClock, trueAt } from './boot-clock.ts';
import type { Word } from './machine.ts';

export interface Told {
  readonly word: Word;
  /** When the transition truly happened, in ms since the history began. */
  readonly sinceMs: number;
  /** Whether it came in time, at least once. */
  fresh: boolean;
  /** When a lower-advert of this stint was heard last. */
  advertMs: number;
}

export interface Known {
  /** By VIP, then node: the newest stint that was delivered. */
  readonly newest: Map<string, Map<string, Told>>;
  /** By VIP: nodes that said MASTER in time and not superseded, or that an order named. */
  readonly rightful: Map<string, Set<string>>;
  boot(bootId: string, clock: BootClock): void;
  /** When the clock of that boot showed `upMs`. */
  at(bootId: string, upMs: number): number | undefined;
  delivered(word: Word, stampMs: number, nowMs: number): void;
  order(vip: string, node: string): void;
}

export function known(vips: readonly string[]): Known {
  const boots = new Map<string, BootClock>();
  const newest = new Map(vips.map((vip) => [vip, new Map<string, Told>()]));
  const rightful = new Map(vips.map((vip) => [vip, new Set<string>()]));
  return {
    newest,
    rightful,
    boot: (bootId, clock) => boots.set(bootId, clock),
    at: (bootId, upMs) => (boots.has(bootId) ? trueAt(boots.get(bootId)!, upMs) : undefined),
    order: (vip, node) => rightful.get(vip)!.add(node),
    delivered(word, stampMs, nowMs) {
      const clock = boots.get(word.bootId);
      if (word.superseded || clock === undefined) return;
      const fresh = nowMs - stampMs <= LATE_AFTER + 200;
      if (fresh && word.state === 'MASTER') rightful.get(word.vip)!.add(word.node);
      const of = newest.get(word.vip)!;
      const sinceMs = trueAt(clock, word.since / 1000);
      const was = of.get(word.node);
      const advertMs = word.kind === 'lower-advert' ? trueAt(clock, word.seq / 1000) : 0;
      if (was === undefined || was.sinceMs < sinceMs) of.set(word.node, { word, sinceMs, fresh, advertMs });
      else if (was.sinceMs === sinceMs) {
        was.fresh ||= fresh;
        was.advertMs = Math.max(was.advertMs, advertMs);
      }
    },
  };
}
