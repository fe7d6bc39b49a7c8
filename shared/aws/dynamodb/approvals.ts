// Requests for approval in the timeline table, under `approval/<vip>` and the execution's name; put if absent.
import { type AttributeValue, paginateQuery } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { ApprovalRequest, ApprovalStore } from '../../forced-failover/approval.ts';
import { defined } from '../../optional.ts';
import type { EpochMs } from '../../time.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';
import { expiry, putIfAbsent, type TimelineTable } from './put-if-absent.ts';
import { value } from './update-expression.ts';

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
    // The table keeps what is over for as long as it keeps the record.
    FilterExpression: 'untilMs > :now',
    ExpressionAttributeValues: { ':vip': value(`approval/${vip}`), ':now': value(now) },
    ConsistentRead: true,
  };
  const pages = paginateQuery({ client: table.client }, query, { abortSignal: table.signal });
  try {
    const items = await collect(pages, ({ Items }) => Items);
    return items.map(requestFrom).sort((a, b) => b.atMs - a.atMs);
  } catch (error) {
    throw faultFromSdkError(error, `reading approvals of ${vip}`);
  }
}

export function requestFrom(item: Record<string, AttributeValue>): ApprovalRequest {
  const stored = unmarshall(item) as ApprovalRequest & { readonly ofVip: string };
  const { ofVip: vip, execution, token, order, plan, calls, atMs, untilMs } = stored;
  return { vip, execution, token, order, plan, ...defined({ calls }), atMs, untilMs };
}
