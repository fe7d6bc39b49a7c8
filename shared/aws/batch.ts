// Many items of one DynamoDB table by their keys, a hundred in a request.
import { type AttributeValue, BatchGetItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { Fault } from '../fault.ts';

export interface BatchTable {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly signal: AbortSignal;
}

/** DynamoDB's most for one BatchGetItem, and how often what it left out is asked for again. */
const BATCH_MAX = 100;
const ROUNDS_MAX = 5;

/**
 * The items that there are, in any order, with these attributes only. Read eventually consistently. Throws a Fault `throttled`
 * where DynamoDB goes on leaving some out, and what the SDK throws.
 */
export async function batchRead(
  { client, table, signal }: BatchTable,
  keys: readonly Record<string, AttributeValue>[],
  attributes: readonly string[],
): Promise<readonly Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  const names = attributes.map((path) => path.split('.').map((name) => [`#${name}`, name] as const));
  const wanted = {
    ProjectionExpression: names.map((path) => path.map(([alias]) => alias).join('.')).join(', '),
    ExpressionAttributeNames: Object.fromEntries(names.flat()),
  };
  for (let from = 0; from < keys.length; from += BATCH_MAX) {
    let Keys = keys.slice(from, from + BATCH_MAX);
    for (let round = 0; Keys.length > 0; round++) {
      if (round === ROUNDS_MAX)
        throw new Fault('throttled', 'Throttling', `${Keys.length} items were left out ${ROUNDS_MAX} times`);
      const request = { RequestItems: { [table]: { Keys: [...Keys], ...wanted } } };
      const { Responses = {}, UnprocessedKeys = {} } = await client.send(new BatchGetItemCommand(request), {
        abortSignal: signal,
      });
      items.push(...(Responses[table] ?? []).map((item) => unmarshall(item)));
      Keys = UnprocessedKeys[table]?.Keys ?? [];
    }
  }
  return items;
}
