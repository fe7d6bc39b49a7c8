// The timeline in memory: put if absent, never updated. It refuses by size as DynamoDB does.
import { cut, SENTENCE_MAX } from '../bounded.ts';
import { Fault } from '../fault.ts';
import { defined } from '../optional.ts';
import { itemBytes, RECORD_MAX } from '../timeline/size.ts';
import {
  type Entry,
  EXAMPLE_MAX,
  type Failover,
  type Intent,
  type Probe,
  type Rejection,
  type Timeline,
} from '../timeline/timeline.ts';

export interface CountedRejection extends Rejection {
  readonly count: number;
}

export interface MemoryTimeline extends Timeline {
  /** In the order in which they were put. */
  readonly entries: readonly Entry[];
  readonly rejections: readonly CountedRejection[];
  readonly probes: readonly Probe[];
}

const HOUR_MS = 3_600_000;

export function memoryTimeline(): MemoryTimeline {
  const entries: Entry[] = [];
  const byKey = new Map<string, Entry>();
  const rejections = new Map<string, CountedRejection>();
  const probes: Probe[] = [];
  return {
    get entries() {
      return entries;
    },
    get rejections() {
      return [...rejections.values()];
    },
    get probes() {
      return probes;
    },
    async put(entry) {
      const key = `${entry.vip} ${entry.epoch} ${entry.entry}`;
      const there = byKey.get(key);
      const bytes = itemBytes(entry);
      if (bytes > RECORD_MAX)
        throw new Fault('refused', 'ValidationException', `the item has ${bytes} bytes`);
      if (there !== undefined) return there;
      byKey.set(key, entry);
      entries.push(entry);
      return entry;
    },
    async read(vip, epoch) {
      const of = entries.filter((e) => e.vip === vip && e.epoch === epoch);
      const intent = of.find((e): e is Intent => e.entry === 'intent');
      const outcome = of.find((e): e is Failover => e.entry === 'outcome');
      return { ...defined({ intent, outcome }) };
    },
    async reject(rejection) {
      const hour = Math.floor(rejection.atMs / HOUR_MS);
      const key = JSON.stringify([rejection.vip, rejection.node, rejection.reason, hour]);
      const kept = {
        example: cut(rejection.example, EXAMPLE_MAX),
        message: cut(rejection.message, SENTENCE_MAX),
      };
      rejections.set(key, { ...rejection, ...kept, count: (rejections.get(key)?.count ?? 0) + 1 });
    },
    async probe(probe) {
      if (!probes.some((p) => p.eventId === probe.eventId)) probes.push(probe);
    },
  };
}
