// One execution of the workflow that forces a failover, and how far it has come.
import type { ExecutionState } from '../../../shared/forced-failover/execution.ts';
import type { FailoverOrder } from '../../../shared/forced-failover/order.ts';
import type { Act } from '../history/history.ts';

export type Data = ExecutionState;
export type Forced = Act & { readonly does: 'forced failover' };

export interface Execution {
  readonly name: string;
  readonly vip: number;
  /** What the operator did, and the order that came of it. */
  readonly act: Forced;
  readonly order: FailoverOrder;
  /** The states that were entered, and when. */
  readonly path: string[];
  readonly enteredAtMs: number[];
  /** Whom SSM was told to demote. */
  demoted: string | undefined;
  data: Data;
  readonly beganAtMs: number;
  /** When each step that answered did so. */
  readonly answeredAtMs: Map<string, number>;
  endedAtMs: number | undefined;
}
