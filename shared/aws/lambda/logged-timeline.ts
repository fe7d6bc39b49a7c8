// The timeline of a function: each outcome that is put has its line in the log, written by whoever put it, at once, so
// that record and log can be held against each other (vipshift audit verify). Whoever records, whatever for: a claim, a
// reconcile, an order, an epoch that somebody else left open.
//
// Limit: an invocation that dies between the two leaves a record without a line.
import type { Entry, Timeline } from '../../timeline/timeline.ts';
import { logFailover, logRecord, logUnrecorded, type Telemetry } from './telemetry.ts';

export const withLog = (timeline: Timeline, telemetry: Telemetry): Timeline => ({
  ...timeline,
  put: async (entry) => {
    if (entry.entry === 'intent') return timeline.put(entry);
    try {
      const stored = await timeline.put(entry);
      logStored(telemetry, stored, stored.holder === entry.holder && stored.atMs === entry.atMs);
      return stored;
    } catch (error) {
      logUnrecorded(telemetry, entry, error);
      throw error;
    }
  },
});

/** What was there before may be without a line: who put it may have died. It is counted by whoever put it, only. */
function logStored(telemetry: Telemetry, stored: Entry, ours: boolean): void {
  if (stored.entry === 'intent') return;
  if (ours) logFailover(telemetry, stored);
  else logRecord(telemetry, stored);
}
