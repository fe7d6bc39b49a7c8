// What the controller could know: the words that reached it and were not superseded, with the true time of the transition
// that each speaks of. Checkers measure it against this, never against what it made of them.
import { LATE_AFTER } from '../../../shared/vip/claim.ts';
import { type BootClock, stoodSince, trueAt } from '../node/boot-clock.ts';
import type { Word } from '../node/machine.ts';

export interface KnownClaim {
  readonly word: Word;
  /** When the transition truly happened, in ms since the history began. */
  readonly sinceMs: number;
  /** Whether it came in time, at least once. */
  fresh: boolean;
  /** When a lower-advert of this transition came last. */
  advertMs: number;
}

export interface Known {
  /** By VIP, then node: the newest node state that was delivered. */
  readonly newest: Map<string, Map<string, KnownClaim>>;
  /** The same of what an invocation has answered as accepted: one that was killed may have recorded nothing. */
  readonly accepted: Map<string, Map<string, KnownClaim>>;
  /** By VIP: nodes that said MASTER in time and not superseded, or that an order named. */
  readonly rightful: Map<string, Set<string>>;
  boot(bootId: string, clock: BootClock): void;
  /** When the clock of that boot showed `upMs`. */
  at(bootId: string, upMs: number): number | undefined;
  /** For how long the clock of that boot has stood still since, in ms. */
  stoodSince(bootId: string, atMs: number): number;
  delivered(word: Word, stampMs: number, nowMs: number): void;
  answered(word: Word): void;
  order(vip: string, node: string): void;
}

/** Whether an answer to a claim says that it stands in the item. */
export const isAccepted = (answer: string): boolean => answer === 'recorded' || answer === 'switched';

export function known(vips: readonly string[]): Known {
  const boots = new Map<string, BootClock>();
  const newest = new Map(vips.map((vip) => [vip, new Map<string, KnownClaim>()]));
  const accepted = new Map(vips.map((vip) => [vip, new Map<string, KnownClaim>()]));
  const rightful = new Map(vips.map((vip) => [vip, new Set<string>()]));
  return {
    newest,
    accepted,
    rightful,
    boot: (bootId, clock) => boots.set(bootId, clock),
    at: (bootId, upMs) => (boots.has(bootId) ? trueAt(boots.get(bootId)!, upMs) : undefined),
    stoodSince: (bootId, atMs) => (boots.has(bootId) ? stoodSince(boots.get(bootId)!, atMs) : 0),
    order: (vip, node) => rightful.get(vip)!.add(node),
    answered(word) {
      const told = newest.get(word.vip)!.get(word.node);
      const was = accepted.get(word.vip)!.get(word.node);
      const clock = boots.get(word.bootId);
      if (clock === undefined) return;
      const sinceMs = trueAt(clock, word.since / 1000);
      const same = told?.sinceMs === sinceMs ? told : { word, sinceMs, fresh: true, advertMs: 0 };
      if (was === undefined || was.sinceMs < sinceMs) accepted.get(word.vip)!.set(word.node, same);
    },
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
