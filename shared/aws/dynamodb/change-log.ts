// Who changed what, in the timeline table under `change/<vip>`; put if absent, never updated, deleted with the rest.
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Change, ChangeLog } from '../../controller/hint.ts';
import { type EpochMs, iso } from '../../time.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { expiry, putIfAbsent, type TimelineTable } from './put-if-absent.ts';
import { value } from './update-expression.ts';

/** Enough to name who it was; more is in CloudTrail. */
const NEWEST = 20;

export const awsChangeLog = (table: TimelineTable): ChangeLog => ({
  note: (vip, change) => note(table, vip, change),
  since: (vip, atMs) => since(table, vip, atMs),
});

async function note(table: TimelineTable, vip: string, change: Change): Promise<void> {
  const item = {
    ...change,
    eventId: change.id,
    vip: `change/${vip}`,
    ofVip: vip,
    id: `${iso(change.atMs)}/${change.id}`,
    entry: 'change',
    expiresAtS: expiry(table, change.atMs),
  };
  await putIfAbsent(table, item, `noting a change that concerns ${vip}`);
}

async function since(table: TimelineTable, vip: string, atMs: EpochMs): Promise<readonly Change[]> {
  const request = {
    TableName: table.table,
    KeyConditionExpression: 'vip = :vip AND id >= :from',
    ExpressionAttributeValues: { ':vip': value(`change/${vip}`), ':from': value(iso(atMs)) },
    ScanIndexForward: false,
    Limit: NEWEST,
  };
  try {
    const reply = await table.client.send(new QueryCommand(request), { abortSignal: table.signal });
    return (reply.Items ?? []).map((item) => {
      const {
        eventId,
        kind,
        by,
        call,
        destinations,
        things,
        labels,
        atMs: at,
      } = unmarshall(item) as Change & {
        readonly eventId: string;
      };
      return { id: eventId, kind, by, call, destinations, things, labels, atMs: at };
    });
  } catch (error) {
    throw faultFromSdkError(error, `asking who changed ${vip}`);
  }
}
