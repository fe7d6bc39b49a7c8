// The last epochs that the timeline knows: of one VIP in one query, or of many, a hundred items in a request.
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { defined } from '../../optional.ts';
import type { EpochMs } from '../../time.ts';
import type { EpochAsked, FailoverInShort, NewestEpoch } from '../../timeline/query.ts';
import { batchRead } from '../batch.ts';
import { faultFromSdkError } from '../error-codes.ts';
import type { TimelineTable } from './put-if-absent.ts';
import { epochKey } from './timeline.ts';
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

/** What is kept of an outcome to be shown in a list; all but the instants are a few bytes. */
const shown = ['entry', 'vip', 'epoch', 'outcome', 'from', 'to', 'stages', 'atMs', 'dueAtMs', 'cause.why'];

/** By the VIP's name. Where an epoch is under way, the one before it is the last failover. */
export async function newestEpochs(
  table: TimelineTable,
  asked: readonly EpochAsked[],
): Promise<ReadonlyMap<string, NewestEpoch>> {
  const key = (vip: string, epoch: number, entry: '1-intent' | '2-outcome') =>
    epoch < 1 ? [] : [{ vip: value(vip), id: value(`${epochKey(epoch)}/${entry}`) }];
  const keys = asked.flatMap(({ vip, epoch, isUnderWay }) => [
    ...key(vip, epoch, '2-outcome'),
    ...(isUnderWay ? [...key(vip, epoch, '1-intent'), ...key(vip, epoch - 1, '2-outcome')] : []),
  ]);
  const found = new Map<string, NewestEpoch>();
  try {
    for (const item of await batchRead(table, keys, shown)) {
      const { entry, vip, dueAtMs, ...rest } = item as unknown as FailoverInShort & {
        readonly entry: string;
        readonly dueAtMs?: EpochMs;
      };
      const known = found.get(vip) ?? {};
      const isNewer = entry === 'outcome' && rest.epoch > (known.last?.epoch ?? 0);
      found.set(vip, { ...known, ...defined({ dueAtMs }), ...(isNewer ? { last: { vip, ...rest } } : {}) });
    }
    return found;
  } catch (error) {
    throw faultFromSdkError(error, `reading the last epochs of ${asked.length} VIPs`);
  }
}
