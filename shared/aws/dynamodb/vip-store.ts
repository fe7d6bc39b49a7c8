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
import { defined } from '../../optional.ts';
import { type EpochMs, minus } from '../../time.ts';
import { ORDER_DOUBT, othersEndBy, UNDER_WAY_MAX } from '../../vip/boot-clock.ts';
import { recentTransition } from '../../vip/flapping.ts';
import { type Lease, SKEW } from '../../vip/lease.ts';
import { isEvidence } from '../../vip/liveness.ts';
import type { NodeState } from '../../vip/node-state.ts';
import { type ClaimWrite, type ClaimWriteResult, transitionsMax, type VipStore } from '../../vip/store.ts';
import type { Vip } from '../../vip/vip.ts';
import { faultFromSdkError, isConditionFailed } from '../error-codes.ts';
import { collect } from '../pages.ts';
import { type Item, Update, value } from './update-expression.ts';
import { differences, storedTransition, transitionsOf, vipFrom } from './vip-item.ts';

export interface Dynamo {
  readonly client: DynamoDBClient;
  readonly table: string;
  /** Aborts every request of the invocation when its time is up. */
  readonly signal: AbortSignal;
  /** Marks a write, so that the SDK's own repetition of it is recognised. */
  nonce(): string;
}

/** A page is a megabyte, and a VIP is at most 400 KB of it. */
const LIST_PAGES_MAX = 10_000;

export const awsVips = (dynamo: Dynamo): VipStore => ({
  read: (name) => read(dynamo, name),
  list: () => list(dynamo),
  recordClaim: (claimWrite, now) => recordClaim(dynamo, claimWrite, now),
  write: (before, after) => write(dynamo, before, after),
  renew: (name, lease, expiresAtMs) => renew(dynamo, name, lease, expiresAtMs),
});

async function read(dynamo: Dynamo, name: string): Promise<Vip | undefined> {
  const request = { TableName: dynamo.table, Key: { vip: value(name) }, ConsistentRead: true };
  try {
    const { Item } = await dynamo.client.send(new GetItemCommand(request), { abortSignal: dynamo.signal });
    return Item === undefined ? undefined : vipFrom(Item);
  } catch (error) {
    throw faultFromSdkError(error, `reading ${name}`);
  }
}

async function list(dynamo: Dynamo): Promise<readonly Vip[]> {
  const request = {
    TableName: dynamo.table,
    // The request budget, and what is left of stored views, are in the same table; only VIPs have this.
    FilterExpression: 'attribute_exists(rev)',
  };
  const pages = paginateScan({ client: dynamo.client }, request, { abortSignal: dynamo.signal });
  try {
    return await collect(pages, ({ Items }) => (Items ?? []).map(vipFrom), LIST_PAGES_MAX);
  } catch (error) {
    throw faultFromSdkError(error, `listing ${dynamo.table}`);
  }
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
    ...defined({ ConditionExpression: condition }),
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
    throw faultFromSdkError(error, `writing ${key}`);
  }
}

async function recordClaim(dynamo: Dynamo, claimWrite: ClaimWrite, now: EpochMs): Promise<ClaimWriteResult> {
  const update = new Update();
  const { node, nodeState, lease } = claimWrite;
  const claim = update.path('claims', node);
  const conditions = [isRegistered(update), isMember(update, node)];
  if (claimWrite.as === 'news') {
    conditions.push(isNewTransition(update, claim, nodeState));
    update.set(claim, update.value(nodeState));
    const transitions = update.path(transitionsOf(node));
    const added = recentTransition(nodeState);
    if (added !== undefined) update.add(transitions, [storedTransition(added)]);
    conditions.push(hasFewer(update, transitions, transitionsMax(claimWrite)));
  } else {
    conditions.push(onlyRefreshes(update, claim, nodeState));
    refresh(update, claim, nodeState);
  }
  if (isEvidence(nodeState))
    update.add(update.path(nodeState.ways === 'direct' ? 'heardDirectly' : 'heard'), [claimWrite.window]);
  increment(update, 'rev');
  if (lease !== undefined) {
    conditions.push(noLiveLease(update, now));
    const { holder, cause } = lease;
    update.set(update.path('lease'), update.value(lease));
    update.set(update.path('openEpoch', holder), `${update.path('epoch')} + ${update.value(1)}`);
    update.set(update.path('openCause', holder), update.value(cause));
    increment(update, 'epoch');
  }
  const sent = await send(dynamo, claimWrite.vip, update, conditions.join(' AND '));
  if (sent.done) return { answer: 'recorded', vip: vipFrom(sent.item) };
  return { answer: 'refused', vip: sent.item === undefined ? undefined : vipFrom(sent.item) };
}

const increment = (update: Update, counter: string): void =>
  update.set(update.path(counter), `${update.path(counter)} + ${update.value(1)}`);

/** `rev` is there as soon as the VIP was registered; a removed one is a tombstone. */
const isRegistered = (u: Update): string =>
  `attribute_exists(${u.path('rev')}) AND attribute_not_exists(${u.path('removedAtMs')})`;

const isMember = (u: Update, node: string): string => `attribute_exists(${u.path('members', node)})`;

const hasFewer = (u: Update, set: string, most: number): string =>
  `(attribute_not_exists(${set}) OR size(${set}) < ${u.value(most)})`;

/** The same order as isNewerTransition; the contract suite checks that both agree. */
function isNewTransition(u: Update, claim: string, nodeState: NodeState): string {
  const field = (name: keyof NodeState) => `${claim}.${u.name(name)}`;
  const [boot, sameBoot] = [u.value(nodeState.bootId), field('bootId')];
  const newer = `${sameBoot} = ${boot} AND ${field('since')} < ${u.value(nodeState.since)} AND ${sentBefore(u, claim, nodeState)}`;
  const [stamp, ends] = [u.value(nodeState.stampMs), u.value(othersEndBy(nodeState))];
  const ended = (by: keyof NodeState) => `${field(by)} < ${stamp} AND ${field(by)} <= ${ends}`;
  const before = `(${ended('stampMs')}) OR (${unknown(u, claim)} AND ${ended('seenMs')})`;
  const laterBoot = `${sameBoot} <> ${boot} AND (${before})`;
  return `(attribute_not_exists(${claim}) OR (${newer}) OR (${laterBoot}))`;
}

/** The same conditions as onlyRefreshes in vip/. */
function onlyRefreshes(u: Update, claim: string, nodeState: NodeState): string {
  const field = (name: keyof NodeState) => `${claim}.${u.name(name)}`;
  const parts = [
    `${field('bootId')} = ${u.value(nodeState.bootId)}`,
    `${field('since')} = ${u.value(nodeState.since)}`,
    `${field('seq')} < ${u.value(nodeState.seq)}`,
    `${field('slot')} <= ${u.value(nodeState.slot)}`,
    `${field('seenMs')} <= ${u.value(nodeState.seenMs)}`,
    sentBefore(u, claim, nodeState),
    nodeState.ways === undefined
      ? `(attribute_not_exists(${field('ways')}) OR ${field('ways')} = ${u.value('both')})`
      : `attribute_exists(${field('ways')})`,
  ];
  // boundStays in claim.ts: a young bound beats an old one, then the lower one, then the lower clock.
  const young = `${field('young')} = ${u.value(true)}`;
  const hi = u.value(nodeState.hiMs);
  const lower = `(${field('hiMs')} < ${hi} OR (${field('hiMs')} = ${hi} AND ${field('atMs')} <= ${u.value(nodeState.atMs)}))`;
  return [...parts, nodeState.young ? `${young} AND ${lower}` : `(${young} OR ${lower})`].join(' AND ');
}

/** The same conditions as sentBefore in vip.ts. */
function sentBefore(u: Update, claim: string, nodeState: NodeState): string {
  const [up, stamp, bootAt] = ['upMs', 'stampMs', 'bootAtMs'].map((f) => `${claim}.${u.name(f)}`);
  const [toldUp, toldStamp] = [u.value(nodeState.upMs), u.value(nodeState.stampMs)];
  const by = (doubtMs: number) => `${bootAt} <= ${u.value(nodeState.bootAtMs + doubtMs)}`;
  const stamped = `(${stamp} <= ${toldStamp} OR ${by(ORDER_DOUBT)})`;
  const together = `${up} = ${toldUp} AND ${stamp} = ${toldStamp}`;
  const before = `(${up} < ${toldUp} AND ${stamped}) OR (${together})`;
  return `(${unknown(u, claim)} OR ${before}) AND ${by(UNDER_WAY_MAX)}`;
}

/** Written before node states had the instant of sending; vipFrom computes it for readers. */
const unknown = (u: Update, claim: string): string => `attribute_not_exists(${claim}.${u.name('stampMs')})`;

/** What merge in claim.ts takes over from a claim that only refreshes. */
function refresh(u: Update, claim: string, nodeState: NodeState): void {
  const fields: readonly (keyof NodeState)[] = [
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
    if (nodeState[field] !== undefined) u.set(`${claim}.${u.name(field)}`, u.value(nodeState[field]));
  }
  // Said by its presence.
  for (const field of ['leaving', 'atRisk'] as const) {
    const path = `${claim}.${u.name(field)}`;
    if (nodeState[field] === undefined) u.remove(path);
    else u.set(path, u.value(nodeState[field]));
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
  increment(update, 'rev');
  const sent = await send(dynamo, name, update, `${held} AND ${mine} AND ${later}`);
  const now = sent.item === undefined ? undefined : vipFrom(sent.item);
  return now?.lease?.epoch === lease.epoch && now.lease.holder === lease.holder ? now : undefined;
}
