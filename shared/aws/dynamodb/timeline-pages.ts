// Queries on the timeline's table, page by page: every request is counted, every part of a question has a limit on its
// pages, and what comes back is the domain's own record again.
import { type AttributeValue, QueryCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { defined } from '../../optional.ts';
import { durationMs, type EpochMs, epochMs, hours, plus } from '../../time.ts';
import type { OperatorAction } from '../../timeline/operator-action.ts';
import {
  type AuditRecord,
  answers,
  hourOf,
  ORDER_SLACK,
  PAGES_MAX,
  type Question,
  type RejectionCount,
} from '../../timeline/query.ts';
import type { Failover } from '../../timeline/timeline.ts';
import { faultFromSdkError } from '../error-codes.ts';
import type { Item, TimelineTable } from './put-if-absent.ts';
import { bare } from './timeline.ts';
import { value } from './update-expression.ts';

/** What a question has read so far, and where its keys are. */
export interface Reading {
  readonly table: TimelineTable;
  reads: number;
}

/** And the attribute that each has as its partition. */
export type Index = keyof typeof partitions;
const partitions = { byDay: 'day', byNode: 'node', byFrom: 'from' } as const;

export interface Range {
  readonly index?: Index;
  readonly pk: string;
  /** Between these, both included. */
  readonly from: string;
  readonly to: string;
  readonly newestFirst: boolean;
}

const pkName = ({ index }: Range): string => (index === undefined ? 'vip' : partitions[index]);

export interface PageOptions {
  readonly limit?: number | undefined;
  /** The key that the page before ended with. */
  readonly after?: Record<string, AttributeValue> | undefined;
  readonly only?: Only | undefined;
}

export async function page(
  reading: Reading,
  range: Range,
  { limit, after, only }: PageOptions,
): Promise<{ items: readonly Item[]; next?: Record<string, AttributeValue> }> {
  const input: QueryCommandInput = {
    TableName: reading.table.table,
    KeyConditionExpression: '#pk = :pk AND #sk BETWEEN :from AND :to',
    ExpressionAttributeNames: { '#pk': pkName(range), '#sk': range.index === undefined ? 'id' : 'at' },
    ExpressionAttributeValues: {
      ':pk': value(range.pk),
      ':from': value(range.from),
      ':to': value(range.to),
    },
    ScanIndexForward: !range.newestFirst,
    ...defined({ Limit: limit }),
    ...(range.index === undefined ? { ConsistentRead: true } : { IndexName: range.index }),
    ...defined({ ExclusiveStartKey: after }),
  };
  if (only !== undefined) filterBy(input, only);
  reading.reads += 1;
  try {
    const reply = await reading.table.client.send(new QueryCommand(input), {
      abortSignal: reading.table.signal,
    });
    const items = (reply.Items ?? []).map((item) => unmarshall(item));
    return reply.LastEvaluatedKey === undefined ? { items } : { items, next: reply.LastEvaluatedKey };
  } catch (error) {
    throw faultFromSdkError(error, `querying ${reading.table.table}`);
  }
}

/** The first ones of a range, however few of them fill a page: a page is a megabyte, and a record up to 400 KB of it. */
export async function itemsUpTo(reading: Reading, range: Range, limit: number): Promise<readonly Item[]> {
  const items: Item[] = [];
  let after: Record<string, AttributeValue> | undefined;
  for (let pages = 1; pages <= PAGES_MAX; pages++) {
    const got = await page(reading, range, { limit: limit - items.length, after });
    items.push(...got.items);
    after = got.next;
    if (after === undefined || items.length >= limit) break;
  }
  return items;
}

/** What DynamoDB leaves out itself, so that a page is full of what may answer. */
interface Only {
  readonly attribute: 'outcome' | 'entry';
  readonly values: readonly string[];
}

/** Undefined where everything in the range may answer: an index has all kinds, a range of the table one. */
function onlyFor(question: Question, range: Range): Only | undefined {
  const { outcomes, kinds } = question;
  if (outcomes !== undefined) return { attribute: 'outcome', values: outcomes };
  const some = range.index !== undefined && kinds.length < KINDS;
  return some ? { attribute: 'entry', values: kinds } : undefined;
}

/** Of AuditRecord. */
const KINDS = 3;

function filterBy(input: QueryCommandInput, { attribute, values }: Only): void {
  const names = values.map((one, n) => [`:only${n}`, value(one)] as const);
  input.FilterExpression = `#only IN (${names.map(([name]) => name).join(', ')})`;
  input.ExpressionAttributeNames = { ...input.ExpressionAttributeNames, '#only': attribute };
  input.ExpressionAttributeValues = { ...input.ExpressionAttributeValues, ...Object.fromEntries(names) };
}

/**
 * Newest first, until `limit` records answer (of rejections a whole hour's) or the pages run out; then `stoppedAt` says from
 * when on everything was read. The last pages may have been empty: a filter is applied to what a page holds.
 */
export async function collect(
  reading: Reading,
  range: Range,
  question: Question,
  isPast: (item: Item) => boolean,
): Promise<{ records: AuditRecord[]; stoppedAt?: EpochMs }> {
  const records: AuditRecord[] = [];
  const only = onlyFor(question, range);
  let stoppedAt = question.untilMs;
  let next: Record<string, AttributeValue> | undefined;
  for (let pages = 1; pages <= PAGES_MAX; pages++) {
    // A filter leaves few of many: then a page is as long as DynamoDB makes it, a megabyte.
    const limit = only === undefined ? Math.max(2 * question.limit, PAGE_ITEMS_MIN) : undefined;
    const got = await page(reading, range, { limit, after: next, only });
    for (const item of got.items) {
      if (isPast(item) || (records.length >= question.limit && !isOfHourOf(records.at(-1)!, item)))
        return { records };
      const record = recordFrom(item);
      if (record !== undefined && answers(question, record)) records.push(record);
      if (records.length >= question.limit && records.at(-1)!.entry !== 'rejected') return { records };
      stoppedAt = readFrom(range, item, stoppedAt);
    }
    next = got.next;
    if (next === undefined) return { records };
  }
  return { records, stoppedAt };
}

/** Within their hour the counts of rejections are in the order of nodes: a later one may be the newer. */
const isOfHourOf = (last: AuditRecord, item: Item): boolean =>
  last.entry === 'rejected' && item.entry === 'rejected' && item.hour === last.hour;

/** From when on everything is read once the item is: what comes after it in the range may be of the same time, or later. */
function readFrom({ index }: Range, { entry, atMs }: Item, before: EpochMs): EpochMs {
  if (typeof atMs !== 'number') return before;
  const at = epochMs(atMs);
  // By the hour, and within it by node.
  if (entry === 'rejected') return plus(hourOf(at), hours(1));
  return plus(at, entry === 'outcome' && index === undefined ? ORDER_SLACK : durationMs(1));
}

/** Small pages cost round trips. */
const PAGE_ITEMS_MIN = 50;
/** Sorts after every id that begins with the same instant or epoch. */
export const END = '~';

/** The domain's entry without the table's own keys; undefined for entries that answer no question by themselves. */
export function recordFrom(item: Item): AuditRecord | undefined {
  if (item.entry === 'outcome') return bare(item) as unknown as Failover;
  if (item.entry === 'order') {
    const { day: _day, at: _at, expiresAtS: _expires, ...order } = item;
    return order as unknown as OperatorAction;
  }
  if (item.entry === 'rejected') {
    const { ofVip, ...rest }: Item = { ...bare(item), node: item.node };
    return { ...rest, vip: ofVip } as unknown as RejectionCount;
  }
  return undefined;
}
