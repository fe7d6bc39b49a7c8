// Epochs that a holder began and did not close: the next holder closes them in the record as `abandoned`, with what EC2
// shows now (guarantee 6). Put if absent, so that a holder that was only slow keeps its own outcome.

import { readable, SENTENCE_MAX } from '../bounded.ts';
import { type Observation, tablesOf } from '../network/observation.ts';
import { nothing, routeCell } from '../network/step.ts';
import { defined } from '../optional.ts';
import type { Clock } from '../time.ts';
import { decided } from '../timeline/decision.ts';
import { fitted } from '../timeline/fit.ts';
import type { Failover, Timeline } from '../timeline/timeline.ts';
import type { Vip } from '../vip/vip.ts';

/** Closes the epochs that other holders left open, with what is found now. Returns the holders that are closed. */
export async function closeAbandonedEpochs(
  { timeline, clock }: { readonly timeline: Timeline; readonly clock: Clock },
  vip: Vip,
  holders: readonly string[],
  seen: Observation | Error,
): Promise<readonly string[]> {
  const found =
    seen instanceof Error ? [readable(`describe failed: ${seen.message}`, SENTENCE_MAX)] : cellsOf(vip, seen);
  const closing = holders.map(async (holder): Promise<string[]> => {
    const open = vip.open[holder]!;
    const entry: Failover = {
      entry: 'outcome',
      vip: vip.name,
      epoch: open.epoch,
      holder,
      cause: open.cause,
      outcome: 'abandoned',
      ...defined({ from: vip.owner }),
      ...decided({ key: 'holder-gone' }),
      steps: [],
      conflicts: [],
      stages: [],
      verified: false,
      notes: found,
      claims: vip.claims,
      splitBrain: [],
      atMs: clock.now(),
    };
    try {
      await timeline.put(fitted(entry));
      return [holder];
    } catch {
      // Stays open; the next holder, or the next reconcile, closes it.
      return [];
    }
  });
  return (await Promise.all(closing)).flat();
}

const cellsOf = (vip: Vip, seen: Observation): readonly string[] => [
  ...tablesOf(vip, seen).flatMap((t) =>
    vip.addresses.map((a) => `found ${routeCell(t.table, a)} → ${t.routes[a]?.target ?? nothing}`),
  ),
  ...vip.eips.map((eip) => `found ${eip} → ${seen.eips.find((e) => e.eip === eip)?.eni ?? nothing}`),
];
