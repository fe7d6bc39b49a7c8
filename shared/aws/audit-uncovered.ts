// What `audit verify` has to find in the record beside outcomes: intents, of which no digest is logged, and requests for
// approval, of which one is.
//
// Limit: intents are counted between the first and the last epoch that was verified, requests for approval under the names of
// VIPs that there are or were.

import { type AttributeValue, QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { defined } from '../optional.ts';
import { PAGES_MAX, type Window } from '../timeline/query.ts';
import type { Failover } from '../timeline/timeline.ts';
import type { EntryKeys } from '../timeline/verify.ts';
import type { TimelineTable } from './dynamodb/put-if-absent.ts';
import { epochKey } from './dynamodb/timeline.ts';
import { END } from './dynamodb/timeline-pages.ts';
import { value } from './dynamodb/update-expression.ts';
import { faultFromSdkError } from './error-codes.ts';

export interface Count {
  readonly count: number;
  /** There were more pages than are read. */
  readonly atLeast: boolean;
}

/** Intents of the failovers that were verified. */
export async function intentsOf(table: TimelineTable, failovers: readonly Failover[]): Promise<Count> {
  const epochs = new Map<string, readonly [number, number]>();
  for (const { vip, epoch } of failovers) {
    const [first, last] = epochs.get(vip) ?? [epoch, epoch];
    epochs.set(vip, [Math.min(first, epoch), Math.max(last, epoch)]);
  }
  return total(
    [...epochs].map(([vip, [first, last]]) =>
      read(table, {
        key: '#pk = :pk AND #sk BETWEEN :from AND :to',
        names: { '#pk': 'vip', '#sk': 'id', '#entry': 'entry' },
        values: {
          ':pk': value(vip),
          ':from': value(epochKey(first)),
          ':to': value(epochKey(last) + END),
          ':entry': value('intent'),
        },
        filter: '#entry = :entry',
        select: 'COUNT',
      }),
    ),
  );
}

export interface Requests {
  readonly requests: readonly EntryKeys[];
  /** There were more pages than are read. */
  readonly atLeast: boolean;
}

/** Requests for approval made in the window, answered or not. */
export async function requestsOf(
  table: TimelineTable,
  vips: readonly string[],
  window: Window,
): Promise<Requests> {
  const asked = (vip: string): Asking => ({
    key: '#pk = :pk',
    names: { '#pk': 'vip', '#at': 'atMs' },
    values: {
      ':pk': value(`approval/${vip}`),
      ':since': value(window.sinceMs),
      ':until': value(window.untilMs),
    },
    filter: '#at >= :since AND #at < :until',
  });
  const each = await Promise.all(vips.map((vip) => read(table, asked(vip))));
  const keys = (item: Record<string, AttributeValue>): EntryKeys => {
    const { vip, id, atMs } = unmarshall(item) as EntryKeys;
    return { vip, id, atMs };
  };
  return {
    requests: each.flatMap(({ items }) => items.map(keys)),
    atLeast: each.some((one) => one.atLeast),
  };
}

interface Asking {
  readonly key: string;
  readonly names: Record<string, string>;
  readonly values: Record<string, AttributeValue>;
  readonly filter: string;
  /** Whole items by default. */
  readonly select?: 'COUNT';
}

async function read(table: TimelineTable, { key, names, values, filter, select }: Asking) {
  const items: Record<string, AttributeValue>[] = [];
  let count = 0;
  let next: Record<string, AttributeValue> | undefined;
  for (let pages = 1; pages <= PAGES_MAX; pages++) {
    const query = new QueryCommand({
      TableName: table.table,
      KeyConditionExpression: key,
      FilterExpression: filter,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
      ...defined({ Select: select, ExclusiveStartKey: next }),
    });
    try {
      const reply = await table.client.send(query, { abortSignal: table.signal });
      count += reply.Count ?? 0;
      items.push(...(reply.Items ?? []));
      next = reply.LastEvaluatedKey;
    } catch (error) {
      throw faultFromSdkError(error, `reading ${table.table}`);
    }
    if (next === undefined) return { items, count, atLeast: false };
  }
  return { items, count, atLeast: true };
}

async function total(counts: readonly Promise<Count>[]): Promise<Count> {
  const all = await Promise.all(counts);
  return { count: all.reduce((sum, one) => sum + one.count, 0), atLeast: all.some((one) => one.atLeast) };
}
