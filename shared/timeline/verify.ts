// Verifying the record against the log. Pure.
//
// What it can say: a record whose digest differs from its log line was edited; a log line without its record shows that
// one was deleted; a record without a line was not written by the functions, or its line is not there yet.
// Limit: who can change the log as well as the table is not found out, nor is anything older than the log's retention.
import type { EpochMs } from '../time.ts';
import type { Failover } from './timeline.ts';

export interface LogLine {
  readonly vip: string;
  readonly epoch: number;
  readonly digest: string;
  readonly atMs: EpochMs;
}

/** A log line about an operator action or a request for approval that a function has put. */
export interface Proof {
  /** The keys of the entry. */
  readonly vip: string;
  readonly id: string;
  readonly digest: string;
  readonly atMs: EpochMs;
}

/** What is wrong with an entry of which the log has a digest; `stored` is that of the entry as it is now. */
export function compareProof(
  { vip, id, digest, atMs }: Proof,
  stored: string | undefined,
): Discrepancy | undefined {
  if (stored === digest) return undefined;
  const base = { id: keyOf({ vip, id }), atMs, bad: true };
  return stored === undefined
    ? { ...base, kind: 'deleted', why: `the log has it (${short(digest)}), the record does not` }
    : { ...base, kind: 'edited', why: `its digest is ${short(stored)}, the log says ${short(digest)}` };
}

/** The keys and the instant of an entry. */
export type EntryKeys = Omit<Proof, 'digest'>;

/**
 * Entries that only the workflow writes and of which the log has no digest, though it has those of others since `sinceMs`: the log's first
 * line of that kind. What is older may be of a version that wrote none.
 */
export function unloggedEntries(
  entries: readonly EntryKeys[],
  {
    proofs,
    sinceMs,
    now,
  }: { readonly proofs: readonly EntryKeys[]; readonly sinceMs: EpochMs; readonly now: EpochMs },
): readonly Discrepancy[] {
  const known = new Set(proofs.map(keyOf));
  return entries
    .filter((entry) => entry.atMs >= sinceMs && !known.has(keyOf(entry)))
    .map((entry) => {
      const base = { kind: 'unlogged' as const, id: keyOf(entry), atMs: entry.atMs };
      return now - entry.atMs < LAG_MS
        ? { ...base, bad: false, why: YOUNG }
        : { ...base, bad: true, why: 'the log has no digest of it: the workflow did not write it' };
    })
    .sort((a, b) => a.atMs - b.atMs);
}

export const keyOf = ({ vip, id }: Pick<Proof, 'vip' | 'id'>): string => `${vip}/${id}`;

const YOUNG = 'so young that its log line may still be on its way';

export interface Recorded {
  readonly failover: Failover;
  readonly digest: string;
}

export interface Discrepancy {
  readonly kind: 'edited' | 'deleted' | 'unlogged';
  readonly id: string;
  readonly atMs: EpochMs;
  readonly why: string;
  /** False where the functions' way of working explains it. */
  readonly bad: boolean;
}

/** CloudWatch shows a line some seconds after it was written; a record this young may still wait for its line. */
const LAG_MS = 120_000;

export function compare(
  records: readonly Recorded[],
  lines: readonly LogLine[],
  now: EpochMs,
): readonly Discrepancy[] {
  const key = (one: { vip: string; epoch: number }) => `${one.vip}/${one.epoch}`;
  const byKey = new Map<string, LogLine[]>();
  for (const line of lines) byKey.set(key(line), [...(byKey.get(key(line)) ?? []), line]);
  const known = new Set(records.map((r) => key(r.failover)));
  const found: Discrepancy[] = [];
  for (const { failover, digest } of records) {
    const said = byKey.get(key(failover)) ?? [];
    const base = { id: key(failover), atMs: failover.atMs };
    if (said.length === 0) found.push(unlogged(failover, now));
    else if (!said.some((line) => line.digest === digest)) {
      const why = `its digest is ${short(digest)}, the log says ${said.map((l) => short(l.digest)).join(' and ')}`;
      found.push({ ...base, kind: 'edited', why, bad: true });
    }
  }
  for (const [id, said] of byKey) {
    if (known.has(id)) continue;
    const [line] = said;
    found.push({
      kind: 'deleted',
      id,
      atMs: line!.atMs,
      why: `the log has it (${short(line!.digest)}), the record does not`,
      bad: true,
    });
  }
  return found.sort((a, b) => a.atMs - b.atMs);
}

const short = (digest: string): string => digest.slice(0, 16);

function unlogged(failover: Failover, now: EpochMs): Discrepancy {
  const base = {
    kind: 'unlogged' as const,
    id: `${failover.vip}/${failover.epoch}`,
    atMs: failover.atMs,
  };
  if (now - failover.atMs < LAG_MS) return { ...base, bad: false, why: YOUNG };
  if (failover.cause.id?.startsWith('order/') === true)
    return {
      ...base,
      bad: false,
      why: 'moved with --break-glass from an operator’s machine, which has no log',
    };
  return { ...base, bad: true, why: 'the log does not have it: it was not written by the functions' };
}
