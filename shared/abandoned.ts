// Epochs that a holder began and did not close: whoever comes next closes them in the record as `abandoned`, with what EC2
// shows now (guarantee 6). Put if absent, so that a holder that was only slow keeps its own word.
import { readable, SENTENCE_MAX } from './bounded.ts';
import type { Tools } from './hold.ts';
import { type Observation, tablesOf } from './observation.ts';
import { nothing } from './plan.ts';
import { fitted } from './record-fit.ts';
import type { Failover } from './timeline.ts';
import type { Vip } from './vip.ts';

/** Closes the epochs that other holders left open, with what is found now. Returns the holders that are closed. */
export async function abandon(
  tools: Tools,
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
      ...(vip.owner === undefined ? {} : { from: vip.owner }),
      why: 'its holder did not come back; closed by the next one with what EC2 shows now',
      steps: [],
      conflicts: [],
      stages: [],
      verified: false,
      notes: found,
      claims: vip.claims,
      splitBrain: [],
      atMs: tools.clock.now(),
    };
    try {
      await tools.timeline.put(fitted(entry));
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
    vip.addresses.map((a) => `found ${t.table} ${a} → ${t.routes[a]?.target ?? nothing}`),
  ),
  ...vip.eips.map((eip) => `found ${eip} → ${seen.eips.find((e) => e.eip === eip)?.eni ?? nothing}`),
];
