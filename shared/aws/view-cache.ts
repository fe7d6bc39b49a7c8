// Stored views on DynamoDB: in the timeline's table under a key of their own, where no listing of VIPs and no index of the
// record reads them, and where DynamoDB's TTL takes away those of removed VIPs.
//
//   view/web         latest
//
// The version before kept them in the table of the VIPs, as `view/web`. Until a view is kept here that one is read; then
// it is emptied, since a Scan of the VIPs pays for it. It is not deleted: no function may delete.
import { GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Observation } from '../network/observation.ts';
import { type PackedView, packed, unpacked } from '../network/packed-view.ts';
import type { StoredView, ViewCache } from '../network/view-cache.ts';
import type { EpochMs } from '../time.ts';
import { batchRead } from './batch.ts';
import { atOfExpiry, expiry, type TimelineTable } from './dynamodb/put-if-absent.ts';
import { value } from './dynamodb/update-expression.ts';
import { faultFromSdkError, isConditionFailed } from './error-codes.ts';

export interface ViewTables {
  readonly timeline: TimelineTable;
  readonly vipsTable: string;
}

const keyOf = (name: string) => ({ vip: value(`view/${name}`) });
const idAttribute = { id: value('latest') };

export const awsViews = (tables: ViewTables): ViewCache => ({
  async view(name) {
    const { timeline, vipsTable } = tables;
    const text =
      (await viewAt(tables, timeline.table, { ...keyOf(name), ...idAttribute })) ??
      (await viewAt(tables, vipsTable, keyOf(name)));
    return text === undefined || text === EMPTIED
      ? undefined
      : unpacked(JSON.parse(text) as PackedView | StoredView);
  },
  async keepView(name, view) {
    const { client, table, signal } = tables.timeline;
    const kept = {
      view: JSON.stringify(packed(view)),
      entry: 'view',
      expiresAtS: expiry(tables.timeline, view.endedAtMs),
    };
    const Item = { ...marshall(kept), ...keyOf(name), ...idAttribute };
    try {
      await client.send(new PutItemCommand({ TableName: table, Item }), { abortSignal: signal });
    } catch (error) {
      throw faultFromSdkError(error, `keeping the view of ${name}`);
    }
    await emptyOld(tables, name);
  },
});

/** When each view was last confirmed, to the second; undefined where none is kept. The views themselves are not read. */
export async function viewTimes(
  timeline: TimelineTable,
  names: readonly string[],
): Promise<ReadonlyMap<string, EpochMs | undefined>> {
  const times = new Map<string, EpochMs | undefined>(names.map((name) => [name, undefined]));
  const keys = names.map((name) => ({ ...keyOf(name), ...idAttribute }));
  try {
    for (const item of await batchRead(timeline, keys, ['vip', 'expiresAtS'])) {
      const { vip, expiresAtS } = item as { vip: string; expiresAtS: number };
      times.set(vip.slice('view/'.length), atOfExpiry(timeline.retentionDays, expiresAtS));
    }
    return times;
  } catch (error) {
    throw faultFromSdkError(error, `looking up when ${names.length} views were confirmed`);
  }
}

async function viewAt({ timeline }: ViewTables, table: string, key: object): Promise<string | undefined> {
  const request = { TableName: table, Key: key as ReturnType<typeof keyOf>, ConsistentRead: true };
  try {
    const { Item } = await timeline.client.send(new GetItemCommand(request), {
      abortSignal: timeline.signal,
    });
    return Item === undefined ? undefined : (unmarshall(Item).view as string);
  } catch (error) {
    throw faultFromSdkError(error, 'reading a stored view');
  }
}

const nothingSeen: Observation = {
  source: 'ec2',
  beganAtMs: 0 as Observation['beganAtMs'],
  endedAtMs: 0 as Observation['endedAtMs'],
  tables: [],
  enis: [],
  eips: [],
};
/** A view all the same: the version before reads it after a rollback, finds that it has changed and keeps its own. */
const EMPTIED = JSON.stringify(nothingSeen);

async function emptyOld({ timeline, vipsTable }: ViewTables, name: string): Promise<void> {
  const request = {
    TableName: vipsTable,
    Key: keyOf(name),
    UpdateExpression: 'SET #view = :emptied',
    ConditionExpression: 'attribute_exists(#view) AND #view <> :emptied',
    ExpressionAttributeNames: { '#view': 'view' },
    ExpressionAttributeValues: { ':emptied': value(EMPTIED) },
  };
  try {
    await timeline.client.send(new UpdateItemCommand(request), { abortSignal: timeline.signal });
  } catch (error) {
    if (!isConditionFailed(error)) throw faultFromSdkError(error, `emptying the old view of ${name}`);
  }
}
