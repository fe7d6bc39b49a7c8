// What is stored now of the operator actions and requests for approval that the functions' log has a digest of.
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { digest, type Hash } from '../timeline/integrity.ts';
import type { Proof } from '../timeline/verify.ts';
import { requestFrom } from './dynamodb/approvals.ts';
import { actionFrom } from './dynamodb/operator-actions.ts';
import type { TimelineTable } from './dynamodb/put-if-absent.ts';
import { value } from './dynamodb/update-expression.ts';
import { faultFromSdkError } from './error-codes.ts';

/** The digest of the entry as it is stored; undefined when there is none. */
export async function storedEntry(
  table: TimelineTable,
  { vip, id }: Pick<Proof, 'vip' | 'id'>,
  sha256: Hash,
): Promise<string | undefined> {
  const request = {
    TableName: table.table,
    Key: { vip: value(vip), id: value(id) },
    ConsistentRead: true,
  };
  try {
    const { Item } = await table.client.send(new GetItemCommand(request), { abortSignal: table.signal });
    if (Item === undefined) return undefined;
    const isRequest = unmarshall(Item).entry === 'approval';
    return digest(isRequest ? requestFrom(Item) : actionFrom(Item), sha256);
  } catch (error) {
    throw faultFromSdkError(error, `reading ${vip} ${id}`);
  }
}
