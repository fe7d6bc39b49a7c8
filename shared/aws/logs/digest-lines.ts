// The functions' log as the verifier reads it: the lines that carry a record's digest, from CloudWatch Logs or from a
// file that they were exported to.
import {
  type CloudWatchLogsClient,
  type FilterLogEventsCommandOutput,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
} from '@aws-sdk/client-cloudwatch-logs';
import { type EpochMs, epochMs } from '../../time.ts';
import type { Window } from '../../timeline/query.ts';
import type { LogLine, Proof } from '../../timeline/verify.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';

export interface Logs {
  readonly client: CloudWatchLogsClient;
  readonly groups: readonly string[];
  readonly signal: AbortSignal;
}

/** A page is a megabyte at most; a million lines fit. */
const PAGES_MAX = 2000;

export interface Lines {
  readonly lines: readonly LogLine[];
  readonly proofs: readonly Proof[];
  /** The log knows nothing before this. */
  readonly fromMs: EpochMs;
  /** Some groups do not exist. */
  readonly missing: readonly string[];
}

export async function linesOf(logs: Logs, window: Window, now: EpochMs): Promise<Lines> {
  const found = await Promise.all(logs.groups.map((group) => groupFacts(logs, group, now)));
  const there = found.filter((f) => f.fromMs !== undefined);
  const lines = await Promise.all(there.map((f) => linesOfGroup(logs, f.group, window)));
  return {
    lines: lines.flatMap((one) => one.lines),
    proofs: lines.flatMap((one) => one.proofs),
    fromMs: epochMs(Math.max(0, ...there.map((f) => f.fromMs ?? 0))),
    missing: found.filter((f) => f.fromMs === undefined).map((f) => f.group),
  };
}

const DAY_MS = 86_400_000;

/** A group knows what came after its creation and is not older than its retention. */
async function groupFacts(logs: Logs, group: string, now: EpochMs) {
  try {
    const pages = paginateDescribeLogGroups(
      { client: logs.client },
      { logGroupNamePrefix: group },
      { abortSignal: logs.signal },
    );
    const groups = await collect(pages, (page) => page.logGroups);
    const found = groups.find((g) => g.logGroupName === group);
    if (found === undefined) return { group };
    const kept = found.retentionInDays === undefined ? 0 : now - found.retentionInDays * DAY_MS;
    return { group, fromMs: Math.max(found.creationTime ?? 0, kept) };
  } catch (error) {
    throw faultFromSdkError(error, `looking up the log group ${group}`);
  }
}

const digestPages = (logs: Logs, group: string, window: Window) =>
  paginateFilterLogEvents(
    { client: logs.client },
    {
      logGroupName: group,
      startTime: window.sinceMs,
      endTime: window.untilMs,
      filterPattern: '{ $.digest = * }',
    },
    { abortSignal: logs.signal },
  );

const textsOf = ({ events = [] }: FilterLogEventsCommandOutput) =>
  events.map(({ message = '', timestamp = 0 }) => ({ text: message, atMs: epochMs(timestamp) }));

/** When the first proof of a window was logged, in any of the groups; undefined when there is none. */
export async function firstProof(logs: Logs, window: Window): Promise<EpochMs | undefined> {
  const firsts = await Promise.all(logs.groups.map((group) => firstProofOfGroup(logs, group, window)));
  const found = firsts.filter((atMs) => atMs !== undefined);
  return found.length === 0 ? undefined : epochMs(Math.min(...found));
}

/** Events come in the order of their time (API reference of FilterLogEvents), so the reading ends with the first page that has one. */
async function firstProofOfGroup(logs: Logs, group: string, window: Window): Promise<EpochMs | undefined> {
  try {
    let pages = 0;
    for await (const page of digestPages(logs, group, window)) {
      const { proofs } = sorted(textsOf(page));
      if (proofs.length > 0) return epochMs(Math.min(...proofs.map(({ atMs }) => atMs)));
      if (++pages === PAGES_MAX) return undefined;
    }
    return undefined;
  } catch (error) {
    const fault = faultFromSdkError(error, `reading the log group ${group}`);
    if (fault.kind === 'gone') return undefined;
    throw fault;
  }
}

async function linesOfGroup(
  logs: Logs,
  group: string,
  window: Window,
): Promise<Pick<Lines, 'lines' | 'proofs'>> {
  try {
    const texts = await collect(digestPages(logs, group, window), textsOf, PAGES_MAX);
    return sorted(texts);
  } catch (error) {
    throw faultFromSdkError(error, `reading the log group ${group}`);
  }
}

/** Lines by what they are about; others are left out. */
export const sorted = (
  texts: readonly { readonly text: string; readonly atMs: EpochMs }[],
): Pick<Lines, 'lines' | 'proofs'> => ({
  lines: texts.flatMap(({ text, atMs }) => lineFrom(text, atMs) ?? []),
  proofs: texts.flatMap(({ text, atMs }) => proofFrom(text, atMs) ?? []),
});

/** Undefined for lines without a record of a failover. */
export function lineFrom(text: string, atMs: EpochMs): LogLine | undefined {
  const line = digestFrom(text, atMs);
  return typeof line?.epoch === 'number' ? { ...line.base, epoch: line.epoch } : undefined;
}

/** Undefined for lines without an operator action or a request for approval. */
function proofFrom(text: string, atMs: EpochMs): Proof | undefined {
  const line = digestFrom(text, atMs);
  if (line === undefined || typeof line.epoch === 'number' || typeof line.id !== 'string') return undefined;
  return { ...line.base, id: line.id };
}

/** What precedes the JSON is the log's own. */
function digestFrom(text: string, atMs: EpochMs) {
  const start = text.indexOf('{');
  if (start === -1) return undefined;
  try {
    const line = JSON.parse(text.slice(start)) as Partial<Record<keyof LogLine | keyof Proof, unknown>>;
    const { vip, epoch, id, digest, atMs: own } = line;
    if (typeof vip !== 'string' || typeof digest !== 'string') return undefined;
    return { base: { vip, digest, atMs: typeof own === 'number' ? epochMs(own) : atMs }, epoch, id };
  } catch {
    return undefined;
  }
}
