// Operator actions in the timeline table, under `order/…` of their VIP; put if absent and never updated.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { iso } from '../../time.ts';
import type { OperatorAction, OperatorActionStore } from '../../timeline/operator-action.ts';
import { expiry, putIfAbsent, type TimelineTable } from './put-if-absent.ts';

export const awsOperatorActions = (table: TimelineTable): OperatorActionStore => ({
  async put(action) {
    await putIfAbsent(table, itemOf(table, action), `recording the operator's action in ${table.table}`);
  },
});

/** As it was given: without the keys of the indexes. */
export function actionFrom(item: Record<string, AttributeValue>): OperatorAction {
  const { day: _day, at: _at, expiresAtS: _expires, ...action } = unmarshall(item);
  return action as OperatorAction;
}

const itemOf = (table: TimelineTable, action: OperatorAction) => ({
  ...action,
  day: iso(action.atMs).slice(0, 10),
  at: `${iso(action.atMs)} ${action.id}`,
  expiresAtS: expiry(table, action.atMs),
});
