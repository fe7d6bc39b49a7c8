// The timeline in memory: put if absent, never updated. It refuses by size as DynamoDB does.
import { Fault } from '../fault.ts';
import { itemBytes, RECORD_MAX } from '../record-size.ts';
import type { Entry, Failover, Intent, Probe, Rejection, Timeline } from '../timeline.ts';

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
      return { ...(intent === undefined ? {} : { intent }), ...(outcome === undefined ? {} : { outcome }) };
    },
    async reject(rejection) {
      const hour = Math.floor(rejection.atMs / HOUR_MS);
      const key = JSON.stringify([rejection.vip, rejection.node, rejection.reason, hour]);
      rejections.set(key, { ...rejection, count: (rejections.get(key)?.count ?? 0) + 1 });
    },
    async probe(probe) {
      if (!probes.some((p) => p.eventId === probe.eventId)) probes.push(probe);
    },
  };
}
