// When each VIP came back into the registry: what its nodes said before is forgotten then, on purpose.
import type { Log } from './log.ts';

export function registrations({
  log,
}: {
  readonly log: Pick<Log, 'writes'>;
}): (vip: string) => readonly number[] {
  const byVip = new Map<string, number[]>();
  for (const { before, after, atMs } of log.writes) {
    if (before?.removedAtMs === undefined || after.removedAtMs !== undefined) continue;
    byVip.set(after.name, [...(byVip.get(after.name) ?? []), atMs]);
  }
  return (vip) => byVip.get(vip) ?? [];
}
