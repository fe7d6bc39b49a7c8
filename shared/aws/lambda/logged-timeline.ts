// The timeline of a function: each outcome that is put gets its line in the log at once, from the function that put it,
// so that record and log can be compared (vipshift audit verify). This holds for a claim, a reconcile, an operator's
// order, and an epoch that another holder left open.
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

/** An entry that was there before may lack a line: its writer may have died. Only the writer counts it. */
function logStored(telemetry: Telemetry, stored: Entry, ours: boolean): void {
  if (stored.entry === 'intent') return;
  if (ours) logFailover(telemetry, stored);
  else logRecord(telemetry, stored);
}
