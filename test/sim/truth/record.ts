// The record of a history as an operator reads it: the rows of `vipshift timeline`, by the CLI's own code.
import { tableLines } from '../../../cli/command/output.ts';
import { rowOf, timelineHead } from '../../../cli/timeline/rows.ts';
import type { CountedRejection } from '../../../shared/memory/timeline.ts';
import { iso } from '../../../shared/time.ts';
import type { AuditRecord, RejectionCount } from '../../../shared/timeline/query.ts';
import type { Failover } from '../../../shared/timeline/timeline.ts';
import type { World } from '../world/world.ts';

/** Everything that the record holds, oldest first. */
export function recordsOf({ net }: World): readonly AuditRecord[] {
  const failovers = net.timeline.entries.filter((e): e is Failover => e.entry === 'outcome');
  const records: AuditRecord[] = [...failovers, ...net.timeline.rejections.map(countOf), ...net.orders];
  return records.sort((a, b) => a.atMs - b.atMs);
}

const countOf = ({ vip, node, reason, message, example, count, atMs }: CountedRejection): RejectionCount => ({
  entry: 'rejected',
  vip,
  node,
  reason,
  hour: iso(atMs).slice(0, 13),
  count,
  message,
  example,
  atMs,
});

export const timelineText = (world: World): string =>
  tableLines(
    timelineHead,
    recordsOf(world).map((record) => rowOf(record, { zone: 'UTC' })),
  ).join('\n');
