// The record's reader on DynamoDB. Queries only, never a Scan; every request is counted, and every part of a question
// has a limit on its pages.
//
//   one VIP          the table itself, by epoch; where the window ends in the past its place is found by halving, since
//                    epochs rise with time
//   one node         index byNode
//   all of a period  index byDay, one query for each day, newest day first
import { type AttributeValue, QueryCommand, type QueryCommandInput } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import {
  type Answer,
  type Around,
  type AuditLog,
  type AuditRecord,
  answers,
  hourOf,
  newestFirst,
  ORDER_SLACK,
  PAGES_MAX,
  type ProbeSeen,
  type Question,
  type RejectionCount,
} from '../audit.ts';
import { daysOf } from '../audit-days.ts';
import type { OrderEntry } from '../ledger-order.ts';
import { type EpochMs, epochMs, iso, minus, plus } from '../time.ts';
import type { Failover, Intent } from '../timeline.ts';
import { faultFrom } from './codes.ts';
import { epochKey, type TimelineTable } from './timeline.ts';
import { value } from './vip-item.ts';

export type { AuditLog } from '../audit.ts';

export const awsAuditLog = (table: TimelineTable): AuditLog => ({
  find: (question) => find(table, question),
  epoch: (vip, epoch) => epochOf(table, vip, epoch),
  order: (vip, id) => orderOf(table, vip, id),
  around: (vip, atMs) => around(table, vip, atMs),
  probes: (vip, limit) => probes(table, vip, limit),
});

type Item = Record<string, unknown>;

/** What a question has read so far, and where its keys are. */
interface Reading {
  readonly table: TimelineTable;
  reads: number;
}

interface Range {
  readonly index?: 'byDay' | 'byNode';
  readonly pk: string;
  /** Between these, both included. */
  readonly from: string;
  readonly to: string;
  readonly newestFirst: boolean;
}

const pkName = (range: Range): string =>
  range.index === 'byDay' ? 'day' : range.index === 'byNode' ? 'node' : 'vip';

async function page(
  reading: Reading,
  range: Range,
  limit: number | undefined,
  after?: Record<string, AttributeValue>,
  outcomes?: Question['outcomes'],
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
    ...(limit === undefined ? {} : { Limit: limit }),
    ...(range.index === undefined ? { ConsistentRead: true } : { IndexName: range.index }),
    ...(after === undefined ? {} : { ExclusiveStartKey: after }),
  };
  if (outcomes !== undefined) filterBy(input, outcomes);
  reading.reads += 1;
  try {
    const reply = await reading.table.client.send(new QueryCommand(input), {
      abortSignal: reading.table.signal,
    });
    const items = (reply.Items ?? []).map((item) => unmarshall(item));
    return reply.LastEvaluatedKey === undefined ? { items } : { items, next: reply.LastEvaluatedKey };
  } catch (error) {
    throw faultFrom(error, `querying ${reading.table.table}`);
  }
}

function filterBy(input: QueryCommandInput, outcomes: readonly string[]): void {
  const names = outcomes.map((outcome, n) => [`:outcome${n}`, value(outcome)] as const);
  input.FilterExpression = `#outcome IN (${names.map(([name]) => name).join(', ')})`;
  input.ExpressionAttributeNames = { ...input.ExpressionAttributeNames, '#outcome': 'outcome' };
  input.ExpressionAttributeValues = { ...input.ExpressionAttributeValues, ...Object.fromEntries(names) };
}

/** Newest first, until `limit` records answer or the pages run out. */
async function collect(
  reading: Reading,
  range: Range,
  question: Question,
  isPast: (item: Item) => boolean,
): Promise<{ records: AuditRecord[]; stoppedAt?: EpochMs }> {
  const records: AuditRecord[] = [];
  let next: Record<string, AttributeValue> | undefined;
  for (let pages = 1; pages <= PAGES_MAX; pages++) {
    const { outcomes } = question;
    // A filter leaves few of many: then a page is as long as DynamoDB makes it, a megabyte.
    const limit = outcomes === undefined ? Math.max(2 * question.limit, PAGE_ITEMS_MIN) : undefined;
    const got = await page(reading, range, limit, next, outcomes);
    for (const item of got.items) {
      if (isPast(item)) return { records };
      const record = recordFrom(item);
      if (record !== undefined && answers(question, record)) records.push(record);
      if (records.length === question.limit) return { records };
    }
    next = got.next;
    if (next === undefined) return { records };
    if (pages === PAGES_MAX) {
      const last = got.items.at(-1)?.atMs;
      if (typeof last === 'number') return { records, stoppedAt: epochMs(last) };
    }
  }
  return { records };
}

/** Small pages cost round trips. */
const PAGE_ITEMS_MIN = 50;
/** Sorts after every id that begins with the same instant or epoch. */
const END = '~';

async function find(table: TimelineTable, question: Question): Promise<Answer> {
  const reading: Reading = { table, reads: 0 };
  const ranges =
    question.vip !== undefined
      ? await rangesOfVip(reading, question, question.vip)
      : question.node !== undefined
        ? [indexed('byNode', question.node, question)]
        : undefined;
  const parts =
    ranges === undefined
      ? await byDays(reading, question)
      : await Promise.all(
          ranges.map((range) => collect(reading, range, question, (item) => isPast(question, item))),
        );
  const records = parts
    .flatMap((part) => part.records)
    .sort(newestFirst)
    .slice(0, question.limit);
  const stops = parts.flatMap((part) => part.stoppedAt ?? []);
  const readBackToMs = stops.length === 0 ? {} : { readBackToMs: epochMs(Math.max(...stops)) };
  return { records, reads: reading.reads, ...readBackToMs };
}

/** Keys lie in the order of epochs; an outcome can be written out of turn by ORDER_SLACK. */
const isPast = (question: Question, item: Item): boolean =>
  item.entry === 'outcome' && (item.atMs as number) < minus(question.sinceMs, ORDER_SLACK);

const indexed = (index: 'byDay' | 'byNode', pk: string, { sinceMs, untilMs }: Question): Range => ({
  index,
  pk,
  from: iso(hourOf(sinceMs)),
  to: iso(untilMs) + END,
  newestFirst: true,
});

async function byDays(reading: Reading, question: Question) {
  const parts: { records: AuditRecord[]; stoppedAt?: EpochMs }[] = [];
  let found = 0;
  for (const day of daysOf(question)) {
    const part = await collect(reading, indexed('byDay', day, question), question, () => false);
    parts.push(part);
    found += part.records.length;
    if (found >= question.limit || part.stoppedAt !== undefined) break;
  }
  return parts;
}

async function rangesOfVip(reading: Reading, question: Question, vip: string): Promise<readonly Range[]> {
  const { kinds, sinceMs, untilMs } = question;
  const ranges: Range[] = [];
  if (kinds.includes('outcome')) {
    const last = await lastEpochBy(reading, vip, plus(untilMs, ORDER_SLACK));
    // What a filter leaves may lie far apart, so that the window's beginning has to be known beforehand.
    const first =
      question.outcomes === undefined || sinceMs === 0
        ? undefined
        : await lastEpochBy(reading, vip, minus(sinceMs, ORDER_SLACK));
    const none = first === undefined && question.outcomes !== undefined && sinceMs > 0;
    if (none) return [];
    ranges.push({
      pk: vip,
      from: first === undefined ? '0' : epochKey(first),
      to: last === undefined ? ':' : epochKey(last) + END,
      newestFirst: true,
    });
  }
  if (kinds.includes('order') && question.outcomes === undefined) {
    const from = `order/${iso(sinceMs)}`;
    ranges.push({ pk: vip, from, to: `order/${iso(untilMs)}${END}`, newestFirst: true });
  }
  if (kinds.includes('rejected') && question.outcomes === undefined) {
    const from = iso(sinceMs).slice(0, 13);
    ranges.push({ pk: `rejected/${vip}`, from, to: iso(untilMs).slice(0, 13) + END, newestFirst: true });
  }
  return ranges;
}

/** Epochs have twelve digits, so that halving ends after forty reads at the very most. */
const HALVINGS_MAX = 40;

/** The last epoch recorded up to `atMs`, or undefined when the newest one is: then nothing needs to be searched. */
async function lastEpochBy(reading: Reading, vip: string, atMs: EpochMs): Promise<number | undefined> {
  const [newest] = (await page(reading, { pk: vip, from: '0', to: ':', newestFirst: true }, 1)).items;
  if (newest === undefined || (newest.atMs as number) <= atMs) return undefined;
  let low = 0;
  let high = newest.epoch as number;
  // Invariant: what is recorded at `high` or later is after `atMs`; everything below `low` is not.
  for (let halving = 1; low < high && halving <= HALVINGS_MAX; halving++) {
    const middle = Math.floor((low + high) / 2);
    const range = { pk: vip, from: epochKey(middle), to: ':', newestFirst: false };
    const [found] = (await page(reading, range, 1)).items;
    if (found === undefined || (found.atMs as number) > atMs) high = middle;
    else low = (found.epoch as number) + 1;
  }
  return low;
}

async function epochOf(table: TimelineTable, vip: string, epoch: number) {
  const reading: Reading = { table, reads: 0 };
  const key = epochKey(epoch);
  const { items } = await page(
    reading,
    { pk: vip, from: `${key}/`, to: `${key}/${END}`, newestFirst: false },
    4,
  );
  const plain = items.map((item) => bare(item) as unknown as Intent | Failover);
  const intent = plain.find((e): e is Intent => e.entry === 'intent');
  const outcome = plain.find((e): e is Failover => e.entry === 'outcome');
  return {
    ...(intent === undefined ? {} : { intent }),
    ...(outcome === undefined ? {} : { outcome }),
    reads: reading.reads,
  };
}

async function orderOf(table: TimelineTable, vip: string, id: string): Promise<OrderEntry | undefined> {
  const { items } = await page({ table, reads: 0 }, { pk: vip, from: id, to: id, newestFirst: false }, 1);
  const [found] = items;
  return found === undefined ? undefined : (recordFrom(found) as OrderEntry);
}

/** How many records before an instant are looked at for the one that made the owner. */
const BEFORE = 50;

async function around(table: TimelineTable, vip: string, atMs: EpochMs): Promise<Omit<Around, 'ownerNow'>> {
  const reading: Reading = { table, reads: 0 };
  const last = await lastEpochBy(reading, vip, atMs);
  const place = last === undefined ? ':' : epochKey(last);
  const [older, newer, orders] = await Promise.all([
    page(reading, { pk: vip, from: '0', to: place + END, newestFirst: true }, BEFORE),
    last === undefined
      ? { items: [] }
      : page(
          reading,
          { pk: vip, from: epochKey(Math.max(0, last - 2)), to: ':', newestFirst: false },
          BEFORE,
        ),
    page(reading, { pk: vip, from: 'order/', to: `order/${iso(atMs)}${END}`, newestFirst: true }, BEFORE),
  ]);
  const outcomes = (items: readonly Item[]) =>
    items.map(recordFrom).filter((r): r is Failover => r?.entry === 'outcome');
  const after = outcomes(newer.items).find((f) => f.atMs > atMs);
  return {
    before: outcomes(older.items).filter((f) => f.atMs <= atMs),
    ...(after === undefined ? {} : { after }),
    orders: orders.items.map(recordFrom).filter((r): r is OrderEntry => r?.entry === 'order'),
    reads: reading.reads,
  };
}

async function probes(table: TimelineTable, vip: string, limit: number): Promise<readonly ProbeSeen[]> {
  const reading: Reading = { table, reads: 0 };
  const range = { pk: `probe/${vip}`, from: '0', to: END, newestFirst: true };
  const { items } = await page(reading, range, limit);
  const newest = new Map<string, ProbeSeen>();
  for (const item of items) {
    const probe = item as unknown as ProbeSeen;
    if (!newest.has(probe.node)) newest.set(probe.node, probe);
  }
  return [...newest.values()];
}

/** The domain's entry without the table's own keys; undefined for entries that answer no question by themselves. */
function recordFrom(item: Item): AuditRecord | undefined {
  if (item.entry === 'outcome') return bare(item) as unknown as Failover;
  if (item.entry === 'order') {
    const { day: _day, at: _at, expiresAtS: _expires, ...order } = item;
    return order as unknown as OrderEntry;
  }
  if (item.entry === 'rejected') {
    const { ofVip, ...rest }: Item = { ...bare(item), node: item.node };
    return { ...rest, vip: ofVip } as unknown as RejectionCount;
  }
  return undefined;
}

/** An entry as the domain wrote it; `node` of an outcome is its index key only. */
export function bare(item: Item): Item {
  const { id: _id, day: _day, at: _at, expiresAtS: _expires, node: _node, ...entry } = item;
  return entry;
}
