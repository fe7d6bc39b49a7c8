// An approval: a forced failover that waits for a second person. The request lies beside the timeline with the token
// that answers it; the answer is recorded as an order of its own, with who gave it.
//
// Limit: who may answer is IAM's to say (states:SendTaskSuccess on the workflow). The name of who answered is what the
// caller gives; the CLI gives the caller's ARN.

import type { EpochMs } from '../time.ts';
import type { FailoverOrder } from './order.ts';
import type { Preflight } from './preflight.ts';

export interface ApprovalRequest {
  readonly vip: string;
  /** The workflow's execution name. */
  readonly execution: string;
  /** What SendTaskSuccess wants; of no use any more once it was answered or has timed out. */
  readonly token: string;
  readonly order: FailoverOrder;
  readonly plan: Preflight['plan'];
  readonly atMs: EpochMs;
  readonly untilMs: EpochMs;
}

/** The output that SendTaskSuccess gives to the workflow. */
export interface Decision {
  readonly approved: boolean;
  readonly by: string;
  readonly reason?: string;
}

export interface ApprovalStore {
  /** Put if absent: the same execution asks once. */
  ask(request: ApprovalRequest): Promise<void>;
  /** Those of a VIP that are not over yet, newest first. */
  pending(vip: string, now: EpochMs): Promise<readonly ApprovalRequest[]>;
}
