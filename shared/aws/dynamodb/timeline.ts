// The timeline on DynamoDB: key `vip` and `id`, indexes by UTC day and by node.
//
//   web              000000000042/1-intent    written in parallel with the mutations
//   web              000000000042/2-outcome   written before the release; in the indexes
//   web              order/2026-11-22T14:03:07.123Z/<nonce>   an operator's action (operator-action.ts)
//   rejected/web     2026-11-22T14/i-…/<reason>   counted, with the last example; in no index
//   rejected/_unregistered   2026-11-22T14/_no-member/<reason>   of all names that are not registered
//   probe/web        2026-11-22T14:03:07.123Z/<event id>
//
// Failovers are put if absent and never updated; IAM allows UpdateItem under `rejected/` only.
import { QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { cut, SENTENCE_MAX } from '../../bounded.ts';
import { defined } from '../../optional.ts';
import { type EpochMs, iso } from '../../time.ts';
import {
  type Entry,
  EXAMPLE_MAX,
  type Failover,
  type Intent,
  type Probe,
  type Rejection,
  type Timeline,
} from '../../timeline/timeline.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { expiry, type Item, putIfAbsent, type TimelineTable } from './put-if-absent.ts';
import { Update, value } from './update-expression.ts';

export const awsTimeline = (table: TimelineTable): Timeline => ({
  put: (entry) => put(table, entry),
  read: (vip, epoch) => readEpoch(table, vip, epoch),
  reject: (rejection) => reject(table, rejection),
  probe: (probe) => putProbe(table, probe),
});

/** Twelve digits: epochs sort as text, and at one failover a second they last for thirty thousand years. */
export const epochKey = (epoch: number): string => String(epoch).padStart(12, '0');
const idOf = (entry: Entry): string =>
  `${epochKey(entry.epoch)}/${entry.entry === 'intent' ? '1-intent' : '2-outcome'}`;
/** Index keys: when, then which, so that two entries of one millisecond do not meet. */
const indexed = (atMs: EpochMs, id: string) => ({ day: iso(atMs).slice(0, 10), at: `${iso(atMs)} ${id}` });

async function put(table: TimelineTable, entry: Entry): Promise<Entry> {
  const id = idOf(entry);
  const node = entry.entry === 'outcome' ? (entry.to ?? entry.cause.node) : undefined;
  const keys = entry.entry === 'intent' ? {} : { ...indexed(entry.atMs, id), ...defined({ node }) };
  const item = { ...entry, id, ...keys, expiresAtS: expiry(table, entry.atMs) };
  const there = await putIfAbsent(table, item, `writing to ${table.table}`);
  return there === undefined ? entry : (bare(there) as unknown as Entry);
}

async function readEpoch(table: TimelineTable, vip: string, epoch: number) {
  const request = {
    TableName: table.table,
    KeyConditionExpression: 'vip = :vip AND begins_with(id, :epoch)',
    ExpressionAttributeValues: { ':vip': value(vip), ':epoch': value(`${epochKey(epoch)}/`) },
    ConsistentRead: true,
  };
  try {
    const reply = await table.client.send(new QueryCommand(request), { abortSignal: table.signal });
    const entries = (reply.Items ?? []).map((item) => bare(unmarshall(item)) as unknown as Entry);
    const intent = entries.find((e): e is Intent => e.entry === 'intent');
    const outcome = entries.find((e): e is Failover => e.entry === 'outcome');
    return { ...defined({ intent, outcome }) };
  } catch (error) {
    throw faultFromSdkError(error, `reading epoch ${epoch} of ${vip}`);
  }
}

/** An entry as the domain wrote it; `node` of an outcome is its index key only. */
export function bare(item: Item): Item {
  const { id: _id, day: _day, at: _at, expiresAtS: _expires, node: _node, ...entry } = item;
  return entry;
}

async function reject(table: TimelineTable, rejection: Rejection): Promise<void> {
  const { vip, node, reason, message, example, atMs } = rejection;
  const hour = iso(atMs).slice(0, 13);
  const id = `${hour}/${node}/${reason}`;
  const update = new Update();
  const kept = { message: cut(message, SENTENCE_MAX), example: cut(example, EXAMPLE_MAX) };
  const last = { ...kept, atMs, expiresAtS: expiry(table, atMs) };
  // Without the keys of the indexes: each of a flood of rejections would be written there, too, before the outcomes.
  const fixed = { entry: 'rejected', ofVip: vip, node, reason, hour };
  for (const [name, plain] of Object.entries({ ...fixed, ...last }))
    update.set(update.path(name), update.value(plain));
  const count = update.path('count');
  update.set(count, `if_not_exists(${count}, ${update.value(0)}) + ${update.value(1)}`);
  const request = {
    TableName: table.table,
    Key: { vip: value(`rejected/${vip}`), id: value(id) },
    UpdateExpression: update.expression,
    ExpressionAttributeNames: update.names,
    ExpressionAttributeValues: update.values,
  };
  try {
    await table.client.send(new UpdateItemCommand(request), { abortSignal: table.signal });
  } catch (error) {
    throw faultFromSdkError(error, `counting a rejection of ${vip}`);
  }
}

async function putProbe(table: TimelineTable, probe: Probe): Promise<void> {
  const id = `${iso(probe.sentAtMs)}/${probe.eventId}`;
  const { vip, ...rest } = probe;
  const item = {
    ...rest,
    vip: `probe/${vip}`,
    ofVip: vip,
    id,
    entry: 'probe',
    expiresAtS: expiry(table, probe.atMs),
  };
  await putIfAbsent(table, item, `writing to ${table.table}`);
}
