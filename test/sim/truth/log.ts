// What happened to EC2, to the items and to the timeline in one history: all that checkers may look at. Nothing here
// was said by the code under test.
import type { MemoryTimeline } from '../../../shared/memory/timeline.ts';
import type { MemoryVips } from '../../../shared/memory/vip-store.ts';
import type { Step } from '../../../shared/network/step.ts';
import type { Entry } from '../../../shared/timeline/timeline.ts';
import type { Lease } from '../../../shared/vip/lease.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import type { Invocation } from '../functions/invocation.ts';
import type { Word } from '../node/machine.ts';
import type { Scheduler } from '../world/scheduler.ts';

/** One attempt of a mutation, at the moment when its request went out. */
export interface Sent {
  readonly id: number;
  readonly atMs: number;
  readonly by: Invocation;
  readonly vip: string;
  readonly step: Step;
  /** The item at that moment. */
  readonly item: Vip | undefined;
  /** What the sender knew of EC2 was true then, or later. */
  readonly knewAtMs: number;
  landed: 'not yet' | 'done' | 'refused';
  landedAtMs: number;
}

export interface Written {
  readonly atMs: number;
  readonly by: Invocation | undefined;
  readonly before: Vip | undefined;
  readonly after: Vip;
  /** Timeline entries that stood in the record by then. */
  readonly entries: number;
}

/** A claim that an invocation has answered for good. */
export interface Answered {
  readonly atMs: number;
  readonly word: Word;
  readonly stampMs: number;
  readonly deliveredAtMs: number;
  readonly answer: string;
  readonly item: Vip | undefined;
}

/** An invocation that began with a claim. */
export interface Carried {
  readonly atMs: number;
  readonly by: Invocation;
  readonly word: Word;
  /** By the function URL; absent: by the bus. */
  readonly way: 'direct' | undefined;
}

/** A mistake in our own code, thrown in the middle of one call. */
export interface Broke {
  readonly atMs: number;
  readonly by: Invocation;
  readonly vip: string;
  readonly cell: string;
  /** The lease under which it was made; undefined when another had it by then. */
  readonly lease: Lease | undefined;
}

/** What one reconcile of all VIPs reported of one of them. */
export interface Swept {
  readonly beganAtMs: number;
  readonly atMs: number;
  readonly vip: string;
  readonly unheard: boolean;
}

export interface Log {
  readonly bugs: Broke[];
  readonly swept: Swept[];
  readonly sends: Sent[];
  readonly writes: Written[];
  readonly answers: Answered[];
  readonly carried: Carried[];
  /** When each entry of the timeline was put, in their order. */
  readonly filedAtMs: number[];
  /** Entries that the store itself refuses, however often they are put. */
  readonly unfiled: { readonly atMs: number; readonly entry: Entry; readonly why: string }[];
  looked(by: Invocation, vip: string, trueAtMs: number): void;
  sent(by: Invocation, vip: string, step: Step): number;
  broke(by: Invocation, vip: string, step: Step): void;
  landed(id: number, done: boolean): void;
  wrote<T>(
    by: Invocation | undefined,
    name: string,
    items: MemoryVips['items'],
    effect: () => Promise<T>,
  ): Promise<T>;
  filed(timeline: MemoryTimeline, entry: Entry): Promise<Entry>;
}

export function emptyLog(
  sched: Scheduler,
  items: () => MemoryVips['items'],
  onChange: () => void,
  onWrite: (written: Written) => void,
): Log {
  const knew = new Map<Invocation, Map<string, number>>();
  const log: Log = {
    bugs: [],
    sends: [],
    writes: [],
    answers: [],
    carried: [],
    swept: [],
    filedAtMs: [],
    unfiled: [],
    looked(by, vip, trueAtMs) {
      const of = knew.get(by) ?? new Map<string, number>();
      of.set(vip, Math.min(of.get(vip) ?? trueAtMs, trueAtMs));
      knew.set(by, of);
    },
    sent(by, vip, step) {
      const id = log.sends.length;
      const knewAtMs = knew.get(by)?.get(vip) ?? 0;
      const item = items().get(vip);
      log.sends.push({
        id,
        atMs: sched.now(),
        by,
        vip,
        step,
        item,
        knewAtMs,
        landed: 'not yet',
        landedAtMs: 0,
      });
      return id;
    },
    broke(by, vip, { cell }) {
      const lease = items().get(vip)?.lease;
      const own = lease !== undefined && by.nonces.has(lease.holder) ? lease : undefined;
      log.bugs.push({ atMs: sched.now(), by, vip, cell, lease: own });
    },
    landed(id, done) {
      const sent = log.sends[id]!;
      sent.landed = done ? 'done' : 'refused';
      sent.landedAtMs = sched.now();
      onChange();
    },
    wrote(by, name, all, effect) {
      const before = all.get(name);
      const answer = effect();
      const after = all.get(name);
      if (after !== undefined && after !== before) {
        const written = { atMs: sched.now(), by, before, after, entries: log.filedAtMs.length };
        log.writes.push(written);
        onWrite(written);
      }
      return answer;
    },
    filed(timeline, entry) {
      const before = timeline.entries.length;
      const answer = timeline.put(entry);
      if (timeline.entries.length > before) log.filedAtMs.push(sched.now());
      const atMs = sched.now();
      answer.catch((error: Error) => log.unfiled.push({ atMs, entry, why: error.message }));
      return answer;
    },
  };
  return log;
}
