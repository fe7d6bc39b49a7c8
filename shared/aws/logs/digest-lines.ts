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
import type { LogLine } from '../../timeline/verify.ts';
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
    lines: lines.flat(),
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

async function linesOfGroup(logs: Logs, group: string, window: Window): Promise<readonly LogLine[]> {
  const pages = paginateFilterLogEvents(
    { client: logs.client },
    {
      logGroupName: group,
      startTime: window.sinceMs,
      endTime: window.untilMs,
      filterPattern: '{ $.digest = * }',
    },
    { abortSignal: logs.signal },
  );
  const linesFrom = ({ events = [] }: FilterLogEventsCommandOutput) =>
    events.flatMap(({ message = '', timestamp = 0 }) => lineFrom(message, epochMs(timestamp)) ?? []);
  try {
    return await collect(pages, linesFrom, PAGES_MAX);
  } catch (error) {
    throw faultFromSdkError(error, `reading the log group ${group}`);
  }
}

/** Undefined for lines without a record. What precedes the JSON is the log's own. */
export function lineFrom(text: string, atMs: EpochMs): LogLine | undefined {
  const start = text.indexOf('{');
  if (start === -1) return undefined;
  try {
    const line = JSON.parse(text.slice(start)) as Partial<Record<keyof LogLine, unknown>>;
    const { vip, epoch, digest, atMs: own } = line;
    if (typeof vip !== 'string' || typeof epoch !== 'number' || typeof digest !== 'string') return undefined;
    return { vip, epoch, digest, atMs: typeof own === 'number' ? epochMs(own) : atMs };
  } catch {
    return undefined;
  }
}
