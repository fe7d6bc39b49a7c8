// The account's budget on DynamoDB: one small item per action beside the VIPs. A booking is one conditional UpdateItem; its
// condition is the state that the numbers were reckoned from, so two bookings never get the same places.
//
// Limit: one item takes about 1000 writes a second (DynamoDB developer guide, "Partitions"); more VIPs than that failing
// over in one second are throttled here and then pace themselves alone.
import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { type BucketState, type Budget, booked, bookingOf, emptied, untouched } from '../budget.ts';
import { Fault } from '../fault.ts';
import type { Rates } from '../pace.ts';
import type { Step } from '../plan.ts';
import { type EpochMs, epochMs } from '../time.ts';
import { faultFrom, isConditionFailed } from './codes.ts';
import { type Item, Update, value } from './vip-item.ts';

export interface BudgetTable {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly sizes: Rates;
  /** What this sandbox saw last: only ever a hint, the condition decides. */
  readonly seen: Map<Step['call'], BucketState>;
  readonly signal: AbortSignal;
}

/** A name that no VIP can have. */
const PREFIX = 'budget/';
/** A storm of bookings moves the queue's end at every write; adding to it needs no exact end, so two tries mostly do. */
const TRIES_MAX = 5;

export const awsBudget = (table: BudgetTable): Budget => ({
  async book(call, count, lane, now) {
    const rate = table.sizes[call];
    const is = await change(table, call, now, (was) => booked(rate, was, count, lane, now));
    return bookingOf(rate, is, count, lane);
  },
  shift: (call) => shift(table, call),
  async giveBack(call, count) {
    const back = Math.floor((count * 1000) / table.sizes[call].perSecond);
    await add(table, call, 'fullAtMs', -back);
  },
  async empty(call, now) {
    await change(table, call, now, (was) => emptied(table.sizes[call], was, now));
  },
});

/**
 * While nobody waits the end of the queue is compared as it was read. In a queue it is only added to, whatever it is by
 * then: what matters is on which side of `now` it lies.
 */
async function change(
  table: BudgetTable,
  call: Step['call'],
  now: EpochMs,
  after: (was: BucketState) => BucketState,
): Promise<BucketState> {
  let was = table.seen.get(call) ?? untouched;
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const is = after(was);
    const answer = await tryChange(table, call, was, is, now);
    if (answer.done) {
      table.seen.set(call, answer.state);
      return answer.state;
    }
    was = answer.state;
    table.seen.set(call, was);
  }
  throw new Fault('throttled', 'Contended', `booking ${call}: lost ${TRIES_MAX} races for the bucket`);
}

async function tryChange(
  table: BudgetTable,
  call: Step['call'],
  was: BucketState,
  is: BucketState,
  now: EpochMs,
): Promise<{ readonly done: boolean; readonly state: BucketState }> {
  const update = new Update();
  const full = update.path('fullAtMs');
  const onlyBack = is.frontAtMs === was.frontAtMs && is.shiftMs === was.shiftMs;
  let condition: string;
  if (onlyBack && was.fullAtMs > now) {
    condition = `${full} > ${update.value(now)}`;
    update.set(full, `${full} + ${update.value(is.fullAtMs - was.fullAtMs)}`);
  } else {
    condition =
      was.fullAtMs === 0 ? `attribute_not_exists(${full})` : `${full} = ${update.value(was.fullAtMs)}`;
    for (const name of ['fullAtMs', 'frontAtMs', 'shiftMs'] as const) {
      update.set(update.path(name), update.value(is[name]));
    }
  }
  try {
    const reply = await table.client.send(
      new UpdateItemCommand({
        TableName: table.table,
        Key: { vip: value(PREFIX + call) },
        UpdateExpression: update.expression,
        ConditionExpression: condition,
        ExpressionAttributeNames: update.names,
        ExpressionAttributeValues: update.values,
        ReturnValues: 'ALL_NEW',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
      { abortSignal: table.signal },
    );
    return { done: true, state: stateOf(reply.Attributes) };
  } catch (error) {
    if (isConditionFailed(error)) return { done: false, state: stateOf(error.Item as Item | undefined) };
    throw faultFrom(error, `booking ${call}`);
  }
}

async function add(
  table: BudgetTable,
  call: Step['call'],
  name: keyof BucketState,
  ms: number,
): Promise<void> {
  const update = new Update();
  const path = update.path(name);
  update.set(path, `${path} + ${update.value(ms)}`);
  try {
    await table.client.send(
      new UpdateItemCommand({
        TableName: table.table,
        Key: { vip: value(PREFIX + call) },
        UpdateExpression: update.expression,
        ConditionExpression: `attribute_exists(${path})`,
        ExpressionAttributeNames: update.names,
        ExpressionAttributeValues: update.values,
      }),
      { abortSignal: table.signal },
    );
  } catch (error) {
    throw faultFrom(error, `giving back places of ${call}`);
  }
}

/** Not consistent: half the price, and a second more or less does no harm. */
async function shift(table: BudgetTable, call: Step['call']): Promise<number> {
  const request = { TableName: table.table, Key: { vip: value(PREFIX + call) } };
  try {
    const reply = await table.client.send(new GetItemCommand(request), { abortSignal: table.signal });
    return stateOf(reply.Item).shiftMs;
  } catch (error) {
    throw faultFrom(error, `reading the bucket of ${call}`);
  }
}

function stateOf(item: Item | undefined): BucketState {
  if (item === undefined) return untouched;
  const { fullAtMs, frontAtMs, shiftMs } = unmarshall(item) as BucketState;
  return { fullAtMs: epochMs(fullAtMs), frontAtMs: epochMs(frontAtMs), shiftMs };
}
