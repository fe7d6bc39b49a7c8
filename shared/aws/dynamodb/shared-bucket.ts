// The account's request budget on DynamoDB: one small item per action, in the table of the VIPs. A reservation is one
// conditional UpdateItem that adds to the end of the queue, wherever that is by then. So two reservations never get the
// same slots, and in a storm none has to be repeated because of another. The conditions only distinguish the cases of
// rate-limit/shared-bucket.ts (idle, in the burst, waiting). If the case has changed before the write, the next one is tried.
// `takeSpare` alone is refused by its condition, where there is nothing to spare.
//
// Limit: one item takes about 1000 writes a second (DynamoDB developer guide, "Partitions"). If more VIPs than that fail
// over in one second, DynamoDB throttles some, and their local buckets decide.
import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { Fault } from '../../fault.ts';
import type { Step } from '../../network/step.ts';
import { defined } from '../../optional.ts';
import type { Rate, Rates } from '../../rate-limit/local-bucket.ts';
import {
  type BucketState,
  DRAIN_PAUSE,
  increment,
  type SharedBucket,
  type SlotRequest,
  slotsOf,
  spareUntil,
  tolerance,
  untouched,
} from '../../rate-limit/shared-bucket.ts';
import type { EpochMs } from '../../time.ts';
import { faultFromSdkError, isConditionFailed } from '../error-codes.ts';
import { type Item, Update, value } from './update-expression.ts';

export interface BucketTable {
  readonly client: DynamoDBClient;
  readonly table: string;
  readonly sizes: Rates;
  /** What this execution environment saw last. Only a hint: the condition decides. */
  readonly seen: Map<Step['call'], BucketState>;
  readonly signal: AbortSignal;
}

/** A name that no VIP can have. */
const PREFIX = 'budget/';
/** Cases that a bucket can go through while one write is under way, twice over. */
const TRIES_MAX = 8;

export const awsSharedBucket = (table: BucketTable): SharedBucket => ({
  async reserve(call, count, priority, now) {
    const rate = table.sizes[call];
    const is = await change(table, call, (was) => reserveCase(was, rate, { count, priority, now }));
    return slotsOf(rate, is, count, priority);
  },
  async takeSpare(call, count, now) {
    const rate = table.sizes[call];
    const is = await takeSpare(table, call, { count, now });
    return is === undefined ? undefined : slotsOf(rate, is, count, 'back');
  },
  pushback: (call) => readPushback(table, call),
  async refund(call, count) {
    const back = -increment(table.sizes[call], count);
    await change(table, call, (was) => (was === untouched ? undefined : { add: { fullAtMs: back } }));
  },
  async drain(call, now) {
    await change(table, call, (was) => drainCase(was, table.sizes[call], now));
  },
});

type SpareRequest = Omit<SlotRequest, 'priority'>;
type Name = keyof BucketState;
/** One way to change a bucket, and the condition under which it is right. */
interface Case {
  readonly set?: Partial<Record<Name, number>>;
  readonly add?: Partial<Record<Name, number>>;
  /** Sets `frontAtMs` to this much after the old `fullAtMs`. */
  readonly frontBehindFull?: number;
  /** Only while the attribute is at least this. */
  readonly from?: readonly [Name, number];
  /** Only while the attribute is below this, or was never set. */
  readonly below?: readonly [Name, number];
  readonly alsoFrom?: readonly [Name, number];
  readonly alsoBelow?: readonly [Name, number];
}

/** The cases of afterReserve; the contract suite checks that both agree. */
function reserveCase(was: BucketState, rate: Rate, { count, priority, now }: SlotRequest): Case {
  const took = increment(rate, count);
  const goneMs = now + tolerance(rate);
  const front = priority === 'front';
  if (was.fullAtMs <= now) {
    const set = { fullAtMs: now + took, ...defined({ frontAtMs: front ? now + took : undefined }) };
    return { set, below: ['fullAtMs', now + 1] };
  }
  if (!front) return { add: { fullAtMs: took }, from: ['fullAtMs', now + 1] };
  if (was.fullAtMs < goneMs) {
    return {
      add: { fullAtMs: took },
      frontBehindFull: took,
      from: ['fullAtMs', now + 1],
      below: ['fullAtMs', goneMs],
    };
  }
  const pushed = { fullAtMs: took, shiftMs: took };
  if (was.frontAtMs >= goneMs) {
    return {
      add: { ...pushed, frontAtMs: took },
      from: ['frontAtMs', goneMs],
      alsoFrom: ['fullAtMs', goneMs],
    };
  }
  return {
    add: pushed,
    set: { frontAtMs: goneMs + took },
    from: ['fullAtMs', goneMs],
    below: ['frontAtMs', goneMs],
  };
}

/** The cases of afterTakeSpare; undefined when there is nothing to spare. */
function spareCase(was: BucketState, rate: Rate, { count, now }: SpareRequest): Case | undefined {
  const took = increment(rate, count);
  if (was.fullAtMs <= now) return { set: { fullAtMs: now + took }, below: ['fullAtMs', now + 1] };
  const below = spareUntil(rate, now) - took + 1;
  if (was.fullAtMs >= below) return undefined;
  return { add: { fullAtMs: took }, from: ['fullAtMs', now + 1], below: ['fullAtMs', below] };
}

/** Only what the item itself says is believed when there is nothing to spare: what was seen last may be old. */
async function takeSpare(
  table: BucketTable,
  call: Step['call'],
  request: SpareRequest,
): Promise<BucketState | undefined> {
  let state = table.seen.get(call) ?? untouched;
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const rate = table.sizes[call];
    const chosen = spareCase(state, rate, request);
    if (chosen === undefined && attempt > 1) return undefined;
    const answer = await tryChange(table, call, chosen ?? spareCase(untouched, rate, request)!);
    state = answer.state;
    table.seen.set(call, state);
    if (answer.done) return state;
  }
  return undefined;
}

/** The cases of afterDrain. */
function drainCase(was: BucketState, rate: Rate, now: EpochMs): Case | undefined {
  if (was.emptiedAtMs > now - DRAIN_PAUSE) return undefined;
  const goneMs = now + tolerance(rate);
  // Another environment may have recorded it a moment ago.
  const pauseIsOver = ['emptiedAtMs', now - DRAIN_PAUSE + 1] as const;
  if (was.fullAtMs < goneMs) {
    const set = { fullAtMs: goneMs, emptiedAtMs: now };
    return { set, below: ['fullAtMs', goneMs], alsoBelow: pauseIsOver };
  }
  const add = { fullAtMs: DRAIN_PAUSE, shiftMs: DRAIN_PAUSE };
  return { add, set: { emptiedAtMs: now }, from: ['fullAtMs', goneMs], below: pauseIsOver };
}

/** The bucket after the change; as it is when there is nothing to change. */
async function change(
  table: BucketTable,
  call: Step['call'],
  choose: (was: BucketState) => Case | undefined,
): Promise<BucketState> {
  let state = table.seen.get(call) ?? untouched;
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const chosen = choose(state);
    if (chosen === undefined) return state;
    const answer = await tryChange(table, call, chosen);
    state = answer.state;
    table.seen.set(call, state);
    if (answer.done) return state;
  }
  throw new Fault('throttled', 'Contended', `the bucket of ${call} changed its case ${TRIES_MAX} times`);
}

async function tryChange(
  table: BucketTable,
  call: Step['call'],
  chosen: Case,
): Promise<{ readonly done: boolean; readonly state: BucketState }> {
  const update = new Update();
  const condition = written(update, chosen);
  try {
    const reply = await table.client.send(
      new UpdateItemCommand({
        TableName: table.table,
        Key: { vip: value(PREFIX + call) },
        UpdateExpression: update.expression,
        ...defined({ ConditionExpression: condition || undefined }),
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
    throw faultFromSdkError(error, `reserving slots for ${call}`);
  }
}

/** Writes the case into `update` and returns its condition. */
function written(update: Update, chosen: Case): string {
  const { set = {}, add = {}, frontBehindFull, from, below, alsoFrom, alsoBelow } = chosen;
  for (const name of ['fullAtMs', 'frontAtMs', 'shiftMs', 'emptiedAtMs'] as const) {
    const path = update.path(name);
    const old = () => `if_not_exists(${path}, ${update.value(0)})`;
    if (set[name] !== undefined) update.set(path, update.value(set[name]));
    else if (add[name] !== undefined) update.set(path, `${old()} + ${update.value(add[name])}`);
    else if (name === 'frontAtMs' && frontBehindFull !== undefined) {
      update.set(path, `${update.path('fullAtMs')} + ${update.value(frontBehindFull)}`);
    } else update.set(path, old());
  }
  const parts = [from, alsoFrom].flatMap((limit) =>
    limit === undefined ? [] : [`${update.path(limit[0])} >= ${update.value(limit[1])}`],
  );
  for (const limit of [below, alsoBelow]) {
    if (limit === undefined) continue;
    const path = update.path(limit[0]);
    parts.push(`(attribute_not_exists(${path}) OR ${path} < ${update.value(limit[1])})`);
  }
  return parts.join(' AND ');
}

/** Eventually consistent: half the price, and a second more or less does no harm. */
async function readPushback(table: BucketTable, call: Step['call']): Promise<number> {
  const request = { TableName: table.table, Key: { vip: value(PREFIX + call) } };
  try {
    const reply = await table.client.send(new GetItemCommand(request), { abortSignal: table.signal });
    return stateOf(reply.Item).shiftMs;
  } catch (error) {
    throw faultFromSdkError(error, `reading the bucket of ${call}`);
  }
}

function stateOf(item: Item | undefined): BucketState {
  if (item === undefined) return untouched;
  const { vip: _vip, ...state } = unmarshall(item);
  return state as BucketState;
}
