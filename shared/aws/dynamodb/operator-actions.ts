// Operator actions in the timeline table, under `order/…` of their VIP; put if absent and never updated.
import { iso } from '../../time.ts';
import type { OperatorAction, OperatorActionStore } from '../../timeline/operator-action.ts';
import { expiry, putIfAbsent, type TimelineTable } from './put-if-absent.ts';

export const awsOperatorActions = (table: TimelineTable): OperatorActionStore => ({
  async put(action) {
    await putIfAbsent(table, itemOf(table, action), `recording the operator's action in ${table.table}`);
  },
});

const itemOf = (table: TimelineTable, action: OperatorAction) => ({
  ...action,
  day: iso(action.atMs).slice(0, 10),
  at: `${iso(action.atMs)} ${action.id}`,
  expiresAtS: expiry(table, action.atMs),
});
