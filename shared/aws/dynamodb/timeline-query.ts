// The record's reader on DynamoDB. Queries only, never a Scan; every request is counted, and every part of a question
// has a limit on its pages.
//
//   one VIP          the table itself, by epoch; where the window ends in the past its place is found by halving, since
//                    epochs rise with time
//   one node         index byNode, failovers to it and orders that name it; and index byFrom, failovers from it
//   all of a period  index byDay, one query for each day, newest day first
//
// Rejections are in no index: a question that is not about one VIP reads them by the names of the registry, a query each.
// What a version before stored is in the indexes, under whatever name came.

import { defined } from '../../optional.ts';
import { type EpochMs, epochMs, iso, minus, plus } from '../../time.ts';
import type { OperatorAction } from '../../timeline/operator-action.ts';
import {
  type Answer,
  type Around,
  type AuditLog,
  type AuditRecord,
  daysOf,
  hourOf,
  newestFirst,
  ORDER_SLACK,
  type ProbeSeen,
  type Question,
  type RejectionCount,
} from '../../timeline/query.ts';
import type { Failover, Intent } from '../../timeline/timeline.ts';
import { UNREGISTERED } from '../../vip/admission.ts';
import { newestEpochs } from './last-epoch.ts';
import type { Item, TimelineTable } from './put-if-absent.ts';
import { bare, epochKey } from './timeline.ts';
import {
  collect,
  END,
  type Index,
  itemsUpTo,
  page,
  type Range,
  type Reading,
  recordFrom,
} from './timeline-pages.ts';

export type { AuditLog } from '../../timeline/query.ts';

/** `names`: the VIPs of the registry, those that were removed too. */
export const awsAuditLog = (table: TimelineTable, names: () => Promise<readonly string[]>): AuditLog => ({
  find: (question) => find({ table, names }, question),
  epoch: (vip, epoch) => epochOf(table, vip, epoch),
  newest: (asked) => newestEpochs(table, asked),
  order: (vip, id) => orderOf(table, vip, id),
  rejection: (vip, id) => rejectionOf(table, vip, id),
  around: (vip, atMs) => around(table, vip, atMs),
  probes: (vip, limit) => probes(table, vip, limit),
});

interface Sources {
  readonly table: TimelineTable;
  readonly names: () => Promise<readonly string[]>;
}

async function find({ table, names }: Sources, question: Question): Promise<Answer> {
  const reading: Reading = { table, reads: 0 };
  const ranges =
    question.vip !== undefined
      ? await rangesOfVip(reading, question, question.vip)
      : question.node !== undefined
        ? (['byNode', 'byFrom'] as const).map((index) => indexed(index, question.node!, question))
        : undefined;
  const parts =
    ranges === undefined
      ? await byDays(reading, question)
      : await Promise.all(
          ranges.map((range) => collect(reading, range, question, (item) => isPast(question, item))),
        );
  const more =
    question.vip === undefined && asksForRejections(question)
      ? await rejectionsOf(reading, question, await names())
      : [];
  const records = once([...parts, ...more].flatMap((part) => part.records))
    .sort(newestFirst)
    .slice(0, question.limit);
  const stops = [...parts, ...more].flatMap((part) => part.stoppedAt ?? []);
  const readBackToMs = stops.length === 0 ? {} : { readBackToMs: epochMs(Math.max(...stops)) };
  return { records, reads: reading.reads, ...readBackToMs };
}

/** A failover that leaves a VIP where it is appears in both indexes of its node; an older rejection in one, and by its VIP. */
function once(records: readonly AuditRecord[]): AuditRecord[] {
  const seen = new Set<string>();
  return records.filter((record) => {
    if (record.entry === 'order') return true;
    const key =
      record.entry === 'outcome'
        ? `${record.vip}/${record.epoch}`
        : `${record.vip}/${record.hour}/${record.node}/${record.reason}`;
    return !seen.has(key) && seen.add(key);
  });
}

const asksForRejections = ({ kinds, outcomes }: Question): boolean =>
  kinds.includes('rejected') && outcomes === undefined;

const rejectionRange = (vip: string, { sinceMs, untilMs }: Question): Range => ({
  ...{ pk: `rejected/${vip}`, from: iso(sinceMs).slice(0, 13), to: iso(untilMs).slice(0, 13) + END },
  newestFirst: true,
});

/** VIPs whose rejections are asked for at the same time. */
const AT_ONCE = 16;

async function rejectionsOf(reading: Reading, question: Question, names: readonly string[]) {
  const queue = [UNREGISTERED, ...names];
  const parts: Awaited<ReturnType<typeof collect>>[] = [];
  const worker = async () => {
    for (let vip = queue.shift(); vip !== undefined; vip = queue.shift())
      parts.push(await collect(reading, rejectionRange(vip, question), question, () => false));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return parts;
}

/** Keys are in the order of epochs; an outcome can be written late by up to ORDER_SLACK. */
const isPast = (question: Question, item: Item): boolean =>
  item.entry === 'outcome' && (item.atMs as number) < minus(question.sinceMs, ORDER_SLACK);

const indexed = (index: Index, pk: string, { sinceMs, untilMs }: Question): Range => ({
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
    // Records that pass a filter may be far apart, so the beginning of the window has to be known beforehand.
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
  if (asksForRejections(question)) ranges.push(rejectionRange(vip, question));
  return ranges;
}

/** Epochs have twelve digits, so that halving ends after forty reads at the very most. */
const HALVINGS_MAX = 40;

/** The last epoch recorded up to `atMs`, or undefined when the newest one is: then nothing needs to be searched. */
async function lastEpochBy(reading: Reading, vip: string, atMs: EpochMs): Promise<number | undefined> {
  const [newest] = (await page(reading, { pk: vip, from: '0', to: ':', newestFirst: true }, { limit: 1 }))
    .items;
  if (newest === undefined || (newest.atMs as number) <= atMs) return undefined;
  let low = 0;
  let high = newest.epoch as number;
  // Invariant: what is recorded at `high` or later is after `atMs`; everything below `low` is not.
  for (let halving = 1; low < high && halving <= HALVINGS_MAX; halving++) {
    const middle = Math.floor((low + high) / 2);
    const range = { pk: vip, from: epochKey(middle), to: ':', newestFirst: false };
    const [found] = (await page(reading, range, { limit: 1 })).items;
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
    { limit: 4 },
  );
  const plain = items.map((item) => bare(item) as unknown as Intent | Failover);
  const intent = plain.find((e): e is Intent => e.entry === 'intent');
  const outcome = plain.find((e): e is Failover => e.entry === 'outcome');
  return {
    ...defined({ intent, outcome }),
    reads: reading.reads,
  };
}

async function first(table: TimelineTable, pk: string, id: string): Promise<AuditRecord | undefined> {
  const range = { pk, from: id, to: id + END, newestFirst: false };
  const [found] = (await page({ table, reads: 0 }, range, { limit: 1 })).items;
  return found === undefined ? undefined : recordFrom(found);
}

async function orderOf(table: TimelineTable, vip: string, id: string): Promise<OperatorAction | undefined> {
  const found = await first(table, vip, id);
  return found?.entry === 'order' ? found : undefined;
}

async function rejectionOf(
  table: TimelineTable,
  vip: string,
  id: string,
): Promise<RejectionCount | undefined> {
  const found = await first(table, `rejected/${vip}`, id);
  return found?.entry === 'rejected' ? found : undefined;
}

/** How many records before an instant are searched for the one that made the owner. */
const BEFORE = 50;

async function around(table: TimelineTable, vip: string, atMs: EpochMs): Promise<Omit<Around, 'ownerNow'>> {
  const reading: Reading = { table, reads: 0 };
  const last = await lastEpochBy(reading, vip, atMs);
  const place = last === undefined ? ':' : epochKey(last);
  const [older, newer, orders] = await Promise.all([
    itemsUpTo(reading, { pk: vip, from: '0', to: place + END, newestFirst: true }, BEFORE),
    last === undefined
      ? []
      : itemsUpTo(
          reading,
          { pk: vip, from: epochKey(Math.max(0, last - 2)), to: ':', newestFirst: false },
          BEFORE,
        ),
    itemsUpTo(
      reading,
      { pk: vip, from: 'order/', to: `order/${iso(atMs)}${END}`, newestFirst: true },
      BEFORE,
    ),
  ]);
  const outcomes = (items: readonly Item[]) =>
    items.map(recordFrom).filter((r): r is Failover => r?.entry === 'outcome');
  const after = outcomes(newer).find((f) => f.atMs > atMs);
  return {
    before: outcomes(older).filter((f) => f.atMs <= atMs),
    ...defined({ after }),
    orders: orders.map(recordFrom).filter((r): r is OperatorAction => r?.entry === 'order'),
    reads: reading.reads,
  };
}

async function probes(table: TimelineTable, vip: string, limit: number): Promise<readonly ProbeSeen[]> {
  const reading: Reading = { table, reads: 0 };
  const range = { pk: `probe/${vip}`, from: '0', to: END, newestFirst: true };
  return (await page(reading, range, { limit })).items as unknown as readonly ProbeSeen[];
}
