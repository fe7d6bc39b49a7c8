// DynamoDB in this process: the tables of the stack, with conditions, filters and updates evaluated, not compared as text.
//
// It is as unkind as DynamoDB may be: a page has few items and is cut before the filter, the last full page names another one,
// and a weak read shows each table as it was before its last write.
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { holds, type Item, updated } from '../../../bench/fake/expression.ts';
import type { AwsCall, HttpReply } from '../../../lab/fault/aws-call.ts';
import { defined } from '../../../shared/optional.ts';
import { ITEM_MAX, itemBytes } from '../../../shared/timeline/size.ts';
import { type Endpoint, json, refused, startEndpoint } from './endpoint.ts';

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
  readonly IndexName?: keyof typeof indexes;
  readonly ConsistentRead?: boolean;
  readonly ScanIndexForward?: boolean;
  readonly Limit?: number;
  readonly Select?: string;
  readonly ReturnValues?: string;
  readonly ReturnValuesOnConditionCheckFailure?: string;
}

/** Of resources/tables.yml. */
const indexes = { byDay: ['day', 'at'], byNode: ['node', 'at'], byFrom: ['from', 'at'] } as const;
/** More than one item and few enough that a list of a handful has a second page. */
export const PAGE_ITEMS = 3;

interface Table {
  now: ReadonlyMap<string, Item>;
  /** Before the last write. */
  before: ReadonlyMap<string, Item>;
}

export interface DynamoEndpoint extends Endpoint {
  /** Every item of a table, as it is. */
  items(table: string): readonly Readonly<Record<string, unknown>>[];
  clear(): void;
  /** The next weak reads show what was written until now. */
  settle(): void;
}

export async function startDynamo(pageItems = PAGE_ITEMS): Promise<DynamoEndpoint> {
  const tables = new Map<string, Table>();
  const tableOf = (name: string): Table => {
    const table = tables.get(name) ?? { now: new Map(), before: new Map() };
    tables.set(name, table);
    return table;
  };
  const endpoint = await startEndpoint((call) => {
    const request = call.parameters as unknown as Request;
    const table = tableOf(request.TableName);
    const unused = unusedIn(request);
    if (unused.length > 0) return refused(call, 'ValidationException', `unused: ${unused.join(', ')}`);
    const seen = request.ConsistentRead === true ? table.now : table.before;
    if (call.action === 'GetItem') return json(defined({ Item: seen.get(keyOf(request.Key!)) }));
    if (call.action === 'Query' || call.action === 'Scan') return json(pageOf(seen, request, pageItems));
    if (call.action === 'PutItem' || call.action === 'UpdateItem') return written(call, table, request);
    return refused(call, 'UnknownOperationException', call.action);
  });
  return {
    ...endpoint,
    items: (name) => [...tableOf(name).now.values()].map((item) => unmarshall(item)),
    clear: () => tables.clear(),
    settle() {
      for (const table of tables.values()) table.before = table.now;
    },
  };
}

const wordsOf = (request: Request) => ({
  names: request.ExpressionAttributeNames ?? {},
  values: request.ExpressionAttributeValues ?? {},
});

function unusedIn(request: Request): readonly string[] {
  const expressions = [
    ...[request.ConditionExpression, request.UpdateExpression],
    ...[request.FilterExpression, request.KeyConditionExpression],
  ];
  const used = new Set(expressions.join(' ').match(/[#:]\w+/g));
  const { names, values } = wordsOf(request);
  return [...Object.keys(names), ...Object.keys(values)].filter((name) => !used.has(name));
}

const keyOf = (item: Item): string => JSON.stringify([item.vip?.S, item.id?.S]);

function written(call: AwsCall, table: Table, request: Request): HttpReply {
  const key = keyOf(request.Item ?? request.Key!);
  const was = table.now.get(key);
  if (!holds(request.ConditionExpression, was ?? {}, wordsOf(request))) {
    const shown = request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' ? { Item: was } : {};
    const failed = { __type: 'ConditionalCheckFailedException', message: 'The conditional request failed' };
    return { ...json({ ...failed, ...defined(shown) }), status: 400 };
  }
  const is = request.Item ?? updated(request.UpdateExpression!, was ?? request.Key!, wordsOf(request));
  if (itemBytes(unmarshall(is)) > ITEM_MAX) return refused(call, 'ValidationException', 'Item size exceeded');
  table.before = table.now;
  table.now = new Map(table.now).set(key, is);
  return json(request.ReturnValues === 'ALL_NEW' ? { Attributes: is } : {});
}

function pageOf(seen: ReadonlyMap<string, Item>, request: Request, pageItems: number): object {
  const { ExclusiveStartKey: after, FilterExpression, KeyConditionExpression, Select } = request;
  const words = wordsOf(request);
  const all = [...seen.values()]
    .filter((item) => isIndexed(item, request) && holds(KeyConditionExpression, item, words))
    .sort((a, b) => order(a, b, request));
  const from = after === undefined ? 0 : all.findIndex((item) => keyOf(item) === keyOf(after)) + 1;
  const max = Math.min(request.Limit ?? pageItems, pageItems);
  const page = all.slice(from, from + max);
  const found = page.filter((item) => holds(FilterExpression, item, words));
  const last = page.length === max ? page.at(-1) : undefined;
  return {
    ...(Select === 'COUNT' ? {} : { Items: found }),
    Count: found.length,
    ScannedCount: page.length,
    ...(last === undefined ? {} : { LastEvaluatedKey: lastKey(last, request) }),
  };
}

const isIndexed = (item: Item, { IndexName }: Request): boolean =>
  IndexName === undefined || indexes[IndexName].every((name) => item[name] !== undefined);

/** By the sort key; where that ties, in some order that stays. */
function order(a: Item, b: Item, { IndexName, ScanIndexForward = true }: Request): number {
  const keys = (item: Item) => [
    (IndexName === undefined ? item.id : item[indexes[IndexName][1]])?.S ?? '',
    keyOf(item),
  ];
  const [x, y] = [keys(a), keys(b)];
  if (x[0] === y[0] && x[1] === y[1]) return 0;
  const forward = x[0]! < y[0]! || (x[0] === y[0] && x[1]! < y[1]!) ? -1 : 1;
  return ScanIndexForward ? forward : -forward;
}

function lastKey(item: Item, { IndexName }: Request): Item {
  const names = ['vip', 'id', ...(IndexName === undefined ? [] : indexes[IndexName])];
  return Object.fromEntries(names.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]]])));
}
