// What `vipshift audit verify` does: holds the record's failovers against the functions' log, and counts what has no digest there.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { storedEntry } from '../../shared/aws/audit-proofs.ts';
import { firstProof, type Lines, linesOf, sorted } from '../../shared/aws/logs/digest-lines.ts';
import { toleratedFault } from '../../shared/fault.ts';
import { momentText } from '../../shared/instants.ts';
import { type EpochMs, epochMs, hours } from '../../shared/time.ts';
import { digest } from '../../shared/timeline/integrity.ts';
import { daysOf, type Window } from '../../shared/timeline/query.ts';
import {
  compare,
  compareProof,
  type Discrepancy,
  type EntryKeys,
  keyOf,
  type Proof,
  type Recorded,
  unloggedEntries,
} from '../../shared/timeline/verify.ts';
import type { CommandContext } from '../command/command.ts';
import { refused, type Status, status, usage } from '../command/exit.ts';
import { forAll } from '../command/many.ts';
import type { Session } from '../command/session.ts';
import { patience, waitingFor } from '../command/waiting.ts';
import { type PeriodOptions, periodFrom } from '../timeline/period.ts';
import { entriesOf, workflowEntries } from './entries.ts';
import { uncovered, uncoveredText } from './uncovered.ts';

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

export async function verify({ options, out, session }: CommandContext<VerifyOptions>): Promise<Status> {
  const now = session.now();
  const asked = periodFrom(options, now, false);
  const log =
    options.logFile === undefined ? await fromCloudWatch(session, asked) : await fromFiles(options.logFile);
  if (log.missing.length > 0) out.note(`no such log group: ${log.missing.join(', ')}`);
  const window = { sinceMs: epochMs(Math.max(asked.sinceMs, log.fromMs)), untilMs: asked.untilMs };
  const { records, fromMs } = await recordsOf(session, window);
  const seen = { sinceMs: fromMs, untilMs: window.untilMs };
  const lines = log.lines.filter((line) => within(line.atMs, seen));
  const proofs = log.proofs.filter((proof) => within(proof.atMs, seen));
  const entries = await entriesOf(session, seen, records).catch(
    (error: unknown) => toleratedFault(error).message,
  );
  const unlogged =
    typeof entries === 'string' ? [] : await unloggedOf(workflowEntries(entries), { proofs, log, now });
  const discrepancies = [
    ...(await explained(session, compare(records, lines, now))),
    ...(await changedOf(session, proofs)),
    ...unlogged,
  ];
  const judged = new Set([...proofs.map(keyOf), ...unlogged.map(({ id }) => id)]);
  const notCovered = typeof entries === 'string' ? entries : uncovered(entries, judged);
  if (out.json) {
    out.documents(discrepancies);
    out.document({
      summary: true,
      verified: records.length,
      lines: lines.length,
      alsoVerified: proofs.length,
      from: momentText(fromMs, options.tz),
      ...(typeof notCovered === 'string' ? { notCounted: notCovered } : { notCovered }),
    });
  } else {
    for (const d of discrepancies)
      out.line(
        `${out.paint(d.bad ? 'bad' : 'dim', d.kind)}  ${d.id}  ${momentText(d.atMs, options.tz)}  ${d.why}`,
      );
    out.line(sentence(records.length, lines.length, discrepancies));
    if (proofs.length > 0)
      out.line(`and ${proofs.length} of the workflow’s operator actions and requests for approval`);
    out.line(`verified back to ${momentText(fromMs, options.tz)}: ${reach(asked, log, fromMs)}`);
    out.line(uncoveredText(notCovered));
  }
  return discrepancies.some((d) => d.bad) ? status.bad : status.ok;
}

const within = (atMs: EpochMs, window: Window): boolean => atMs >= window.sinceMs && atMs < window.untilMs;

const sentence = (records: number, lines: number, found: readonly Discrepancy[]): string => {
  const count = (kind: Discrepancy['kind']) => found.filter((d) => d.kind === kind).length;
  return `${records} records, ${lines} log lines: ${count('edited')} edited, ${count('deleted')} deleted, ${count('unlogged')} without a line`;
};

const reach = (asked: Window, log: Lines, fromMs: EpochMs): string =>
  fromMs === asked.sinceMs
    ? 'all that was asked for'
    : fromMs === log.fromMs
      ? 'the log has nothing older'
      : 'more records than can be read at once; ask day by day';

/** The log's first digest of an entry is looked for only where one is missing. */
async function unloggedOf(
  entries: readonly EntryKeys[],
  { proofs, log, now }: { readonly proofs: readonly Proof[]; readonly log: ReadLog; readonly now: EpochMs },
): Promise<readonly Discrepancy[]> {
  const known = new Set(proofs.map(keyOf));
  if (entries.every((entry) => known.has(keyOf(entry)))) return [];
  const sinceMs = await log.firstProofMs();
  return sinceMs === undefined ? [] : unloggedEntries(entries, { proofs, sinceMs, now });
}

/** Entries that the log has a digest of and that are no longer what they were. */
async function changedOf(session: Session, proofs: readonly Proof[]): Promise<readonly Discrepancy[]> {
  const { settings, environment, signal } = session;
  const { timelineTable: table, retentionDays } = settings;
  const timeline = { client: environment.clients.dynamo, table, signal, retentionDays };
  const discrepancies: Discrepancy[] = [];
  await forAll(proofs, async (proof) => {
    const stored = await storedEntry(timeline, proof, sha256);
    const found = compareProof(proof, stored);
    if (found !== undefined) discrepancies.push(found);
  });
  return discrepancies.sort((a, b) => a.atMs - b.atMs);
}

interface ReadLog extends Lines {
  /** When the first digest of an entry other than an outcome was logged; undefined when none was. */
  firstProofMs(): Promise<EpochMs | undefined>;
}

async function fromCloudWatch(session: Session, window: Window): Promise<ReadLog> {
  const { CloudWatchLogsClient } = await import('@aws-sdk/client-cloudwatch-logs');
  const groups = ['failover', 'reconcile', 'runbook'].map(
    (name) => `/aws/lambda/vipshift-${session.settings.stage}-${name}`,
  );
  const client = new CloudWatchLogsClient({ requestHandler: patience, maxAttempts: 3 });
  client.middlewareStack.add(waitingFor('CloudWatch Logs'), { step: 'initialize' });
  const logs = { client, groups, signal: session.signal };
  // A record's line is written after it; at the end of the window it may stand a little later.
  const wider = { sinceMs: window.sinceMs, untilMs: epochMs(window.untilMs + hours(1)) };
  const found = await linesOf(logs, wider, session.now());
  if (found.missing.length < groups.length)
    return {
      ...found,
      firstProofMs: async () =>
        earliest(found.proofs.map(({ atMs }) => atMs)) ??
        (await firstProof(logs, { sinceMs: found.fromMs, untilMs: wider.sinceMs })),
    };
  throw refused(
    `there are no log groups ${groups.join(' and ')}`,
    'check --stage, or pass exported lines: --log-file',
  );
}

async function fromFiles(files: readonly string[]): Promise<ReadLog> {
  const texts: string[] = [];
  for (const file of files) {
    try {
      texts.push(...(await readFile(file, 'utf8')).split('\n'));
    } catch (error) {
      throw usage((error as Error).message, 'name a file that can be read: --log-file FILE');
    }
  }
  const { lines, proofs } = sorted(texts.map((text) => ({ text, atMs: epochMs(0) })));
  if (lines.length + proofs.length === 0)
    throw usage(
      `${files.join(', ')}: no line of the functions’ log with a digest`,
      'export the log groups of failover, reconcile and runbook, one JSON line per event',
    );
  const firstProofMs = earliest(proofs.map(({ atMs }) => atMs));
  const fromMs = earliest([...lines, ...proofs].map(({ atMs }) => atMs)) ?? epochMs(0);
  return { lines, proofs, fromMs, missing: [], firstProofMs: async () => firstProofMs };
}

const earliest = (instants: readonly EpochMs[]): EpochMs | undefined =>
  instants.length === 0 ? undefined : instants.reduce((least, one) => (one < least ? one : least));

/** Records of one day that are read at once. */
const DAY_MAX = 20_000;

async function recordsOf(
  session: Session,
  window: Window,
): Promise<{ records: readonly Recorded[]; fromMs: EpochMs }> {
  const records: Recorded[] = [];
  for (const day of daysOf(window)) {
    const start = epochMs(Date.parse(`${day}T00:00:00Z`));
    const sinceMs = epochMs(Math.max(start, window.sinceMs));
    const untilMs = epochMs(Math.min(start + hours(24), window.untilMs));
    const answer = await session.log.find({ kinds: ['outcome'], limit: DAY_MAX, sinceMs, untilMs });
    for (const record of answer.records)
      if (record.entry === 'outcome') records.push({ failover: record, digest: digest(record, sha256) });
    if (answer.readBackToMs !== undefined) return since(records, answer.readBackToMs);
    // Others of the oldest one's millisecond may be left.
    if (answer.records.length === DAY_MAX) return since(records, epochMs(answer.records.at(-1)!.atMs + 1));
  }
  return { records, fromMs: window.sinceMs };
}

/** Lines are compared from then on, too. */
const since = (records: readonly Recorded[], fromMs: EpochMs) => ({
  records: records.filter(({ failover }) => failover.atMs >= fromMs),
  fromMs,
});

/** Missing records that are looked up by key: they may only have lost their index key, or their time. */
const LOOKED_UP_MAX = 200;

async function explained(session: Session, found: readonly Discrepancy[]): Promise<readonly Discrepancy[]> {
  let looked = 0;
  const results: Discrepancy[] = [];
  for (const d of found) {
    if (d.kind !== 'deleted' || looked >= LOOKED_UP_MAX) {
      results.push(d);
      continue;
    }
    looked += 1;
    const slash = d.id.lastIndexOf('/');
    const { outcome } = await session.log.epoch(d.id.slice(0, slash), Number(d.id.slice(slash + 1)));
    if (outcome === undefined) results.push(d);
    else
      results.push({
        ...d,
        kind: 'edited',
        why: `it exists, but its time was changed (now ${momentText(outcome.atMs, 'UTC')}) or it is missing from the index by day`,
      });
  }
  return results;
}

export interface VerifyOptions extends PeriodOptions {
  readonly logFile?: readonly string[];
}
