// How much of the record no digest covers: what the functions log a digest of is the outcome of each failover, nothing else.
// Counted, so that "0 edited" is not read as the whole of the record.
//
// Limit: intents are counted between the first and the last epoch that was verified, requests for approval under the names of
// VIPs that there are or were.

import { type AttributeValue, QueryCommand } from '@aws-sdk/client-dynamodb';
import { defined } from '../optional.ts';
import { PAGES_MAX, type Window } from '../timeline/query.ts';
import type { Failover } from '../timeline/timeline.ts';
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
      counted(table, {
        key: '#pk = :pk AND #sk BETWEEN :from AND :to',
        names: { '#pk': 'vip', '#sk': 'id', '#entry': 'entry' },
        values: {
          ':pk': value(vip),
          ':from': value(epochKey(first)),
          ':to': value(epochKey(last) + END),
          ':entry': value('intent'),
        },
        filter: '#entry = :entry',
      }),
    ),
  );
}

/** Requests for approval made in the window, answered or not. */
export const requestsOf = (table: TimelineTable, vips: readonly string[], window: Window): Promise<Count> =>
  total(
    vips.map((vip) =>
      counted(table, {
        key: '#pk = :pk',
        names: { '#pk': 'vip', '#at': 'atMs' },
        values: {
          ':pk': value(`approval/${vip}`),
          ':since': value(window.sinceMs),
          ':until': value(window.untilMs),
        },
        filter: '#at >= :since AND #at < :until',
      }),
    ),
  );

interface Counting {
  readonly key: string;
  readonly names: Record<string, string>;
  readonly values: Record<string, AttributeValue>;
  readonly filter: string;
}

async function counted(table: TimelineTable, { key, names, values, filter }: Counting): Promise<Count> {
  let count = 0;
  let next: Record<string, AttributeValue> | undefined;
  for (let pages = 1; pages <= PAGES_MAX; pages++) {
    const query = new QueryCommand({
      TableName: table.table,
      KeyConditionExpression: key,
      FilterExpression: filter,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
      Select: 'COUNT',
      ...defined({ ExclusiveStartKey: next }),
    });
    try {
      const reply = await table.client.send(query, { abortSignal: table.signal });
      count += reply.Count ?? 0;
      next = reply.LastEvaluatedKey;
    } catch (error) {
      throw faultFromSdkError(error, `counting in ${table.table}`);
    }
    if (next === undefined) return { count, atLeast: false };
  }
  return { count, atLeast: true };
}

async function total(counts: readonly Promise<Count>[]): Promise<Count> {
  const all = await Promise.all(counts);
  return { count: all.reduce((sum, one) => sum + one.count, 0), atLeast: all.some((one) => one.atLeast) };
}
