// Operator actions in the timeline table, under `order/…` of their VIP; put if absent and never updated.
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { iso } from '../../time.ts';
import type { OperatorAction, OperatorActionStore } from '../../timeline/operator-action.ts';
import { faultFromSdkError, isConditionFailed } from '../error-codes.ts';
import type { TimelineTable } from './timeline.ts';

const DAY_S = 86_400;

export const awsOperatorActions = (table: TimelineTable): OperatorActionStore => ({
  async put(action) {
    const request = {
      TableName: table.table,
      Item: marshall(itemOf(action, table.retentionDays), { removeUndefinedValues: true }),
      ConditionExpression: 'attribute_not_exists(vip)',
    };
    try {
      await table.client.send(new PutItemCommand(request), { abortSignal: table.signal });
    } catch (error) {
      if (!isConditionFailed(error))
        throw faultFromSdkError(error, `recording the operator's action in ${table.table}`);
    }
  },
});

const itemOf = (action: OperatorAction, retentionDays: number) => ({
  ...action,
  day: iso(action.atMs).slice(0, 10),
  at: `${iso(action.atMs)} ${action.id}`,
  expiresAtS: Math.floor(action.atMs / 1000) + retentionDays * DAY_S,
});
