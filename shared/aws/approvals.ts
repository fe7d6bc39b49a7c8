// Requests for approval in the timeline table, under `approval/<vip>` and the execution's name; put if absent.
import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { ApprovalDesk, ApprovalRequest } from '../approval.ts';
import type { EpochMs } from '../time.ts';
import { faultFrom, isConditionFailed } from './codes.ts';
import type { TimelineTable } from './timeline.ts';
import { value } from './vip-item.ts';

const DAY_S = 86_400;
const NEWEST = 50;

export const awsApprovals = (table: TimelineTable): ApprovalDesk => ({
  ask: (request) => ask(table, request),
  pending: (vip, now) => pending(table, vip, now),
});

async function ask(table: TimelineTable, request: ApprovalRequest): Promise<void> {
  const item = {
    ...request,
    ofVip: request.vip,
    vip: `approval/${request.vip}`,
    id: `${request.execution}/request`,
    entry: 'approval',
    expiresAtS: Math.floor(request.atMs / 1000) + table.retentionDays * DAY_S,
  };
  const put = {
    TableName: table.table,
    Item: marshall(item, { removeUndefinedValues: true }),
    ConditionExpression: 'attribute_not_exists(vip)',
  };
  try {
    await table.client.send(new PutItemCommand(put), { abortSignal: table.signal });
  } catch (error) {
    if (!isConditionFailed(error)) throw faultFrom(error, `asking for approval of ${request.execution}`);
  }
}

async function pending(table: TimelineTable, vip: string, now: EpochMs): Promise<readonly ApprovalRequest[]> {
  const query = {
    TableName: table.table,
    KeyConditionExpression: 'vip = :vip',
    ExpressionAttributeValues: { ':vip': value(`approval/${vip}`) },
    ConsistentRead: true,
    ScanIndexForward: false,
    Limit: NEWEST,
  };
  try {
    const reply = await table.client.send(new QueryCommand(query), { abortSignal: table.signal });
    return (reply.Items ?? [])
      .map((item) => {
        const { ofVip, execution, token, order, plan, calls, atMs, untilMs } = unmarshall(
          item,
        ) as ApprovalRequest & {
          readonly ofVip: string;
        };
        const asked = { vip: ofVip, execution, token, order, plan, atMs, untilMs };
        return calls === undefined ? asked : { ...asked, calls };
      })
      .filter((request) => request.untilMs > now)
      .sort((a, b) => b.atMs - a.atMs);
  } catch (error) {
    throw faultFrom(error, `reading approvals of ${vip}`);
  }
}
