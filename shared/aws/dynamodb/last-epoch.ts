// The last epoch that the timeline knows of a VIP: one query, one item.
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { faultFromSdkError } from '../error-codes.ts';
import type { TimelineTable } from './put-if-absent.ts';
import { value } from './update-expression.ts';

/** Epochs begin with a digit; `:` is the letter after 9. */
export async function recordedEpoch(table: TimelineTable, vip: string): Promise<number> {
  const query = {
    TableName: table.table,
    KeyConditionExpression: 'vip = :vip AND id BETWEEN :first AND :last',
    ExpressionAttributeValues: { ':vip': value(vip), ':first': value('0'), ':last': value(':') },
    ScanIndexForward: false,
    ConsistentRead: true,
    Limit: 1,
  };
  try {
    const [item] =
      (await table.client.send(new QueryCommand(query), { abortSignal: table.signal })).Items ?? [];
    return item === undefined ? 0 : (unmarshall(item) as { epoch: number }).epoch;
  } catch (error) {
    throw faultFromSdkError(error, `reading the last epoch of ${vip}`);
  }
}
