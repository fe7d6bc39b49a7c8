// The timeline of a function: each outcome that is put has its line in the log, written by whoever put it, at once, so
// that record and log can be held against each other (vipshift audit verify). Whoever records, whatever for: a claim, a
// reconcile, an order, an epoch that somebody else left open.
//
// Limit: an invocation that dies between the two leaves a record without a line.
import type { Entry, Timeline } from '../../timeline/timeline.ts';
import { logFailover, logRecord, logUnrecorded, type Telemetry } from './telemetry.ts';

export const recorded = (timeline: Timeline, journal: Telemetry): Timeline => ({
  ...timeline,
  put: async (entry) => {
    if (entry.entry === 'intent') return timeline.put(entry);
    try {
      const stands = await timeline.put(entry);
      tell(journal, stands, stands.holder === entry.holder && stands.atMs === entry.atMs);
      return stands;
    } catch (error) {
      logUnrecorded(journal, entry, error);
      throw error;
    }
  },
});

/** What was there before may be without a line: who put it may have died. It is counted by whoever put it, only. */
function tell(journal: Telemetry, stands: Entry, ours: boolean): void {
  if (stands.entry === 'intent') return;
  if (ours) logFailover(journal, stands);
  else logRecord(journal, stands);
}
