// An approval: a forced failover that waits for a second person. The request lies beside the timeline with the token
// that answers it; the answer is recorded as an order of its own, with who gave it.
//
// Limit: who may answer is IAM's to say (states:SendTaskSuccess on the workflow). The name of who answered is what the
// caller gives; the CLI gives the caller's ARN.
import type { FailoverOrder } from './order.ts';
import type { Preflight } from './preflight.ts';
import type { EpochMs } from './time.ts';

export interface ApprovalRequest {
  readonly vip: string;
  /** The workflow's execution name. */
  readonly execution: string;
  /** What SendTaskSuccess wants; of no use any more once it was answered or has timed out. */
  readonly token: string;
  readonly order: FailoverOrder;
  /** As much of it as the workflow carries. */
  readonly plan: Preflight['plan'];
  /** How many calls it takes; requests of an earlier version have the whole plan. */
  readonly calls?: number;
  readonly atMs: EpochMs;
  readonly untilMs: EpochMs;
}

/** The output that SendTaskSuccess gives to the workflow. */
export interface Decision {
  readonly approved: boolean;
  readonly by: string;
  readonly reason?: string;
}

export interface ApprovalDesk {
  /** Put if absent: the same execution asks once. */
  ask(request: ApprovalRequest): Promise<void>;
  /** Those of a VIP that are not over yet, newest first. */
  pending(vip: string, now: EpochMs): Promise<readonly ApprovalRequest[]>;
}
