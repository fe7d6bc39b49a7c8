// The store of VIPs on DynamoDB. Every write is one UpdateItem with a condition built from named parts; the losing side
// learns the item as it is in the same round trip (ReturnValuesOnConditionCheckFailure, DynamoDB API reference).
import {
  type DynamoDBClient,
  GetItemCommand,
  paginateScan,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { othersEndBy, UNDER_WAY_MAX } from '../boot-clock.ts';
import type { Stint } from '../claim.ts';
import { type Lease, SKEW } from '../lease.ts';
import type { Observation } from '../observation.ts';
import { type EpochMs, minus } from '../time.ts';
import type { Telling, Told, Vip, VipStore } from '../vip.ts';
import { faultFrom, isConditionFailed } from './codes.ts';
import { differences, type Item, Update, value, vipFrom } from './vip-item.ts';

export interface Dynamo {
  readonly client: DynamoDBClient;
  readonly table: string;
  /** Aborts every request of the invocation when its time is up. */
  readonly signal: AbortSignal;
  /** Marks a write, so that the SDK's own repetition of it is recognised. */
  nonce(): string;
}

/** Views lie beside the items under a name that no VIP can have. */
const VIEW_PREFIX = 'view/';

export const awsVips = (dynamo: Dynamo): VipStore => ({
  read: (name) => read(dynamo, name),
  list: () => list(dynamo),
  tell: (telling, now) => tell(dynamo, telling, now),
  write: (before, after) => write(dynamo, before, after),
  renew: (name, lease, expiresAtMs) => renew(dynamo, name, lease, expiresAtMs),
  async view(name) {
    const item = await get(dynamo, VIEW_PREFIX + name);
    return item === undefined ? undefined : (JSON.parse(unmarshall(item).view) as Observation);
  },
  async keepView(name, view) {
    const update = new Update();
    update.set(update.path('view'), update.value(JSON.stringify(view)));
    await send(dynamo, VIEW_PREFIX + name, update, undefined);
  },
});

async function get(dynamo: Dynamo, key: string): Promise<Item | undefined> {
  const request = { TableName: dynamo.table, Key: { vip: value(key) }, ConsistentRead: true };
  try {
    return (await dynamo.client.send(new GetItemCommand(request), { abortSignal: dynamo.signal })).Item;
  } catch (error) {
    throw faultFrom(error, `reading ${key}`);
  }
}

async function read(dynamo: Dynamo, name: string): Promise<Vip | undefined> {
  const item = await get(dynamo, name);
  return item === undefined ? undefined : vipFrom(item);
}

async function list(dynamo: Dynamo): Promise<readonly Vip[]> {
  const vips: Vip[] = [];
  const request = {
    TableName: dynamo.table,
    // Views and the account's budget lie in the same table; only VIPs have this.
    FilterExpression: 'attribute_exists(rev)',
  };
  try {
    for await (const page of paginateScan({ client: dynamo.client }, request, {
      abortSignal: dynamo.signal,
    })) {
      vips.push(...(page.Items ?? []).map(vipFrom));
    }
  } catch (error) {
    throw faultFrom(error, `listing ${dynamo.table}`);
  }
  return vips;
}

type Sent =
  | { readonly done: true; readonly item: Item }
  | { readonly done: false; readonly item: Item | undefined };

async function send(
  dynamo: Dynamo,
  key: string,
  update: Update,
  condition: string | undefined,
): Promise<Sent> {
  const request: UpdateItemCommandInput = {
    TableName: dynamo.table,
    Key: { vip: value(key) },
    UpdateExpression: update.expression,
    ...(condition === undefined ? {} : { ConditionExpression: condition }),
    ExpressionAttributeNames: update.names,
    ExpressionAttributeValues: update.values,
    ReturnValues: 'ALL_NEW',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
  try {
    const reply = await dynamo.client.send(new UpdateItemCommand(request), { abortSignal: dynamo.signal });
    return { done: true, item: reply.Attributes! };
  } catch (error) {
    if (isConditionFailed(error)) return { done: false, item: error.Item as Item | undefined };
    throw faultFrom(error, `writing ${key}`);
  }
}

async function tell(dynamo: Dynamo, telling: Telling, now: EpochMs): Promise<Told> {
  const update = new Update();
  const { node, stint, lease } = telling;
  const claim = update.path('claims', node);
  const conditions = [inLedger(update), isMember(update, node)];
  if (telling.as === 'news') {
    conditions.push(isNews(update, claim, stint));
    update.set(claim, update.value(stint));
  } else {
    conditions.push(onlyRefreshes(update, claim, stint));
    refresh(update, claim, stint);
  }
  update.add(update.path('heard'), [telling.slot]);
  raise(update, 'rev');
  if (lease !== undefined) {
    conditions.push(noLiveLease(update, now));
    const { holder, cause } = lease;
    update.set(update.path('lease'), update.value(lease));
    update.set(update.path('openEpoch', holder), `${update.path('epoch')} + ${update.value(1)}`);
    update.set(update.path('openCause', holder), update.value(cause));
    raise(update, 'epoch');
  }
  const sent = await send(dynamo, telling.vip, update, conditions.join(' AND '));
  if (sent.done) return { answer: 'recorded', vip: vipFrom(sent.item) };
  return { answer: 'refused', vip: sent.item === undefined ? undefined : vipFrom(sent.item) };
}

const raise = (update: Update, counter: string): void =>
  update.set(update.path(counter), `${update.path(counter)} + ${update.value(1)}`);

/** `rev` is there as soon as the VIP was registered; a removed one is a tombstone. */
const inLedger = (u: Update): string =>
  `attribute_exists(${u.path('rev')}) AND attribute_not_exists(${u.path('removedAtMs')})`;

const isMember = (u: Update, node: string): string => `attribute_exists(${u.path('members', node)})`;

/** The same conditions as isNews in vip.ts; the contract suite holds both against each other. */
function isNews(u: Update, claim: string, stint: Stint): string {
  const field = (name: keyof Stint) => `${claim}.${u.name(name)}`;
  const [boot, sameBoot] = [u.value(stint.bootId), field('bootId')];
  const newer = `${sameBoot} = ${boot} AND ${field('since')} < ${u.value(stint.since)} AND ${sentBefore(u, claim, stint)}`;
  const [stamp, ends] = [u.value(stint.stampMs), u.value(othersEndBy(stint))];
  const ended = (by: keyof Stint) => `${field(by)} < ${stamp} AND ${field(by)} <= ${ends}`;
  const before = `(${ended('stampMs')}) OR (${unknown(u, claim)} AND ${ended('seenMs')})`;
  const laterBoot = `${sameBoot} <> ${boot} AND (${before})`;
  return `(attribute_not_exists(${claim}) OR (${newer}) OR (${laterBoot}))`;
}

/** The same conditions as onlyRefreshes in vip.ts. */
function onlyRefreshes(u: Update, claim: string, stint: Stint): string {
  const field = (name: keyof Stint) => `${claim}.${u.name(name)}`;
  const parts = [
    `${field('bootId')} = ${u.value(stint.bootId)}`,
    `${field('since')} = ${u.value(stint.since)}`,
    `${field('seq')} < ${u.value(stint.seq)}`,
    `${field('slot')} <= ${u.value(stint.slot)}`,
    `${field('seenMs')} <= ${u.value(stint.seenMs)}`,
    sentBefore(u, claim, stint),
  ];
  // boundStays in claim.ts: a young bound beats an old one, then the lower one, then the lower clock.
  const young = `${field('young')} = ${u.value(true)}`;
  const hi = u.value(stint.hiMs);
  const lower = `(${field('hiMs')} < ${hi} OR (${field('hiMs')} = ${hi} AND ${field('atMs')} <= ${u.value(stint.atMs)}))`;
  return [...parts, stint.young ? `${young} AND ${lower}` : `(${young} OR ${lower})`].join(' AND ');
}

/** The same conditions as sentBefore in vip.ts. */
function sentBefore(u: Update, claim: string, stint: Stint): string {
  const [up, stamp, bootAt] = ['upMs', 'stampMs', 'bootAtMs'].map((f) => `${claim}.${u.name(f)}`);
  const [toldUp, toldStamp] = [u.value(stint.upMs), u.value(stint.stampMs)];
  const later = `(${up} < ${toldUp} AND ${stamp} <= ${toldStamp}) OR (${up} = ${toldUp} AND ${stamp} = ${toldStamp})`;
  return `(${unknown(u, claim)} OR ${later}) AND ${bootAt} <= ${u.value(stint.bootAtMs + UNDER_WAY_MAX)}`;
}

/** Written before stints knew when they were sent; vipFrom reckons it for whoever reads. */
const unknown = (u: Update, claim: string): string => `attribute_not_exists(${claim}.${u.name('stampMs')})`;

/** What merge in claim.ts takes over from a claim that only refreshes. */
function refresh(u: Update, claim: string, stint: Stint): void {
  const fields: readonly (keyof Stint)[] = [
    'seq',
    'state',
    'priority',
    'bootAtMs',
    'stampMs',
    'upMs',
    'slot',
    'seenMs',
    'affSeq',
    'affHiMs',
    'affAtMs',
  ];
  for (const field of fields) {
    if (stint[field] !== undefined) u.set(`${claim}.${u.name(field)}`, u.value(stint[field]));
  }
}

/** The same instant as isLive in lease.ts. */
function noLiveLease(u: Update, now: EpochMs): string {
  const expired = `${u.path('lease', 'expiresAtMs')} <= ${u.value(minus(now, SKEW))}`;
  return `(attribute_not_exists(${u.path('lease')}) OR ${expired})`;
}

async function write(dynamo: Dynamo, before: Vip | undefined, after: Vip): Promise<Vip | undefined> {
  const update = new Update();
  const token = dynamo.nonce();
  differences(update, before, after);
  update.set(update.path('token'), update.value(token));
  const rev = update.path('rev');
  update.set(rev, update.value((before?.rev ?? 0) + 1));
  const condition =
    before === undefined ? `attribute_not_exists(${rev})` : `${rev} = ${update.value(before.rev)}`;
  const sent = await send(dynamo, after.name, update, condition);
  if (sent.done) return vipFrom(sent.item);
  // The SDK repeats a request whose reply was lost: then the condition fails on our own first try.
  if (sent.item !== undefined && unmarshall(sent.item).token === token) return vipFrom(sent.item);
  return undefined;
}

async function renew(
  dynamo: Dynamo,
  name: string,
  lease: Lease,
  expiresAtMs: EpochMs,
): Promise<Vip | undefined> {
  const update = new Update();
  const ends = update.path('lease', 'expiresAtMs');
  const held = `${update.path('epoch')} = ${update.value(lease.epoch)}`;
  const mine = `${update.path('lease', 'holder')} = ${update.value(lease.holder)}`;
  const later = `${ends} < ${update.value(expiresAtMs)}`;
  update.set(ends, update.value(expiresAtMs));
  raise(update, 'rev');
  const sent = await send(dynamo, name, update, `${held} AND ${mine} AND ${later}`);
  const now = sent.item === undefined ? undefined : vipFrom(sent.item);
  return now?.lease?.epoch === lease.epoch && now.lease.holder === lease.holder ? now : undefined;
}
