// The one way to add an entry to the timeline's table: put if absent. An entry is never updated, and a repeated put, such as
// the SDK's own after a lost reply, changes nothing.
import { type AttributeValue, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { type EpochMs, epochMs } from '../../time.ts';
import { faultFromSdkError, isConditionFailed } from '../error-codes.ts';

export interface TimelineTable {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly signal: AbortSignal;
  /** Entries are deleted some days after this by DynamoDB's TTL. */
  readonly retentionDays: number;
}

/** An item of DynamoDB as plain values. */
export type Item = Readonly<Record<string, unknown>>;

const DAY_S = 86_400;

/** When DynamoDB deletes an entry of that instant. */
export const expiry = (table: TimelineTable, atMs: EpochMs): number =>
  Math.floor(atMs / 1000) + table.retentionDays * DAY_S;

/** The instant of an entry that DynamoDB deletes then, to the second. */
export const atOfExpiry = (retentionDays: number, expiresAtS: number): EpochMs =>
  epochMs((expiresAtS - retentionDays * DAY_S) * 1000);

/**
 * Undefined when the item was written; else the one that has its key and is left as it is. `during` says in a fault what was
 * under way. Fields that are undefined are left out.
 */
export async function putIfAbsent(
  table: TimelineTable,
  item: Item & { readonly vip: string; readonly id: string },
  during: string,
): Promise<Item | undefined> {
  const request = {
    TableName: table.table,
    Item: marshall(item, { removeUndefinedValues: true }),
    ConditionExpression: 'attribute_not_exists(vip)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  };
  try {
    await table.client.send(new PutItemCommand(request), { abortSignal: table.signal });
    return undefined;
  } catch (error) {
    if (isConditionFailed(error)) return unmarshall(error.Item as Record<string, AttributeValue>);
    throw faultFromSdkError(error, during);
  }
}
