// Requests for approval in the timeline table, under `approval/<vip>` and the execution's name; put if absent.
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { ApprovalRequest, ApprovalStore } from '../../forced-failover/approval.ts';
import type { EpochMs } from '../../time.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { expiry, putIfAbsent, type TimelineTable } from './put-if-absent.ts';
import { value } from './update-expression.ts';

const NEWEST = 50;

export const awsApprovals = (table: TimelineTable): ApprovalStore => ({
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
    expiresAtS: expiry(table, request.atMs),
  };
  await putIfAbsent(table, item, `asking for approval of ${request.execution}`);
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
    throw faultFromSdkError(error, `reading approvals of ${vip}`);
  }
}
