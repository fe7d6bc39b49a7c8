// DynamoDB for the benchmark: the handful of calls that shared/aws makes, on maps in memory. One call, one step: no races of its own.
import { defined } from '../../shared/optional.ts';
import { holds, type Item, updated } from './expression.ts';

interface Request {
  readonly TableName: string;
  readonly Key?: Item;
  readonly Item?: Item;
  readonly ConditionExpression?: string;
  readonly UpdateExpression?: string;
  readonly FilterExpression?: string;
  readonly KeyConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Item;
  readonly ExclusiveStartKey?: Item;
  readonly ReturnValues?: string;
}

export interface Answer {
  readonly status: number;
  readonly body: object;
}

export interface FakeDynamo {
  answer(action: string, request: Request): Answer;
  put(table: string, item: Item): void;
  clear(): void;
}

/** A Scan gives up to 1 MB at once; this many of our items are about that. */
const SCAN_PAGE = 300;

export function fakeDynamo(): FakeDynamo {
  const tables = new Map<string, Map<string, Item>>();
  const tableOf = (name: string) => {
    const table = tables.get(name) ?? new Map<string, Item>();
    tables.set(name, table);
    return table;
  };
  const put = (name: string, item: Item) => {
    tableOf(name).set(keyOf(item), item);
  };
  return {
    put,
    clear: () => tables.clear(),
    answer(action, request) {
      const table = tableOf(request.TableName);
      refuseUnused(request);
      if (action === 'GetItem') return found(table.get(keyOf(request.Key!)));
      if (action === 'Scan') return scan(table, request);
      if (action === 'Query') return { status: 200, body: { Items: [], Count: 0 } };
      if (action !== 'PutItem' && action !== 'UpdateItem')
        throw new TypeError(`the fake has no DynamoDB ${action}`);
      const key = keyOf(request.Item ?? request.Key!);
      const was = table.get(key);
      if (!holds(request.ConditionExpression, was ?? {}, wordsOf(request))) return refused(was);
      const is = request.Item ?? updated(request.UpdateExpression!, was ?? request.Key!, wordsOf(request));
      table.set(key, is);
      const back =
        request.ReturnValues === undefined || request.ReturnValues === 'NONE' ? {} : { Attributes: is };
      return { status: 200, body: back };
    },
  };
}

const wordsOf = (request: Request) => ({
  names: request.ExpressionAttributeNames ?? {},
  values: request.ExpressionAttributeValues ?? {},
});

/** As DynamoDB does (ValidationException): else what is measured here would not run there. */
function refuseUnused(request: Request): void {
  const { ConditionExpression = '', UpdateExpression = '', FilterExpression = '' } = request;
  const text = `${ConditionExpression} ${UpdateExpression} ${FilterExpression} ${request.KeyConditionExpression ?? ''}`;
  const used = new Set(text.match(/[#:]\w+/g));
  const { names, values } = wordsOf(request);
  const unused = [...Object.keys(names), ...Object.keys(values)].filter((name) => !used.has(name));
  if (unused.length > 0) throw new SyntaxError(`${unused.join(', ')} unused in ${text}`);
}

const keyOf = (item: Item): string => `${item.vip?.S} ${item.id?.S ?? ''}`;

const found = (item: Item | undefined): Answer => ({
  status: 200,
  body: defined({ Item: item }),
});

const refused = (was: Item | undefined): Answer => ({
  status: 400,
  body: {
    __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
    message: 'The conditional request failed',
    ...defined({ Item: was }),
  },
});

function scan(table: ReadonlyMap<string, Item>, request: Request): Answer {
  const all = [...table.values()];
  const after = request.ExclusiveStartKey;
  const from = after === undefined ? 0 : all.findIndex((item) => keyOf(item) === keyOf(after)) + 1;
  const page = all.slice(from, from + SCAN_PAGE);
  const Items = page.filter((item) => holds(request.FilterExpression, item, wordsOf(request)));
  const more = from + SCAN_PAGE < all.length ? { LastEvaluatedKey: { vip: page.at(-1)!.vip } } : {};
  return { status: 200, body: { Items, Count: Items.length, ScannedCount: page.length, ...more } };
}
