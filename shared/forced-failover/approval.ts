// An approval: a forced failover that waits for a second person. The request is in the timeline's table, with the token
// that answers it; the answer is recorded as an order of its own, with who gave it.
//
// Limit: who may answer is IAM's to say (states:SendTaskSuccess on the workflow). The name of who answered is what the
// caller gives; the CLI gives the caller's ARN.

import { REASON_MAX, reasonProblem } from '../bounded.ts';
import { defined } from '../optional.ts';
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

/** What was answered, as a decision; anything else says what was found and what was expected. */
export type Answer =
  | { readonly outcome: 'approved' | 'denied'; readonly decision: Decision }
  | { readonly outcome: 'malformed'; readonly why: string };

/**
 * The one reading of an answer: who may answer may send anything. What is no decision approves nothing, and whatever asks for
 * the decision asks here, so that the record and the workflow never disagree.
 */
export function answerFrom(given: unknown): Answer {
  // What is no object has none of the fields.
  const { approved, by, reason }: Readonly<Record<string, unknown>> = { ...(given as object) };
  const problems = [
    ...(typeof approved === 'boolean' ? [] : [`approved is ${found(approved)}, expected true or false`]),
    ...(typeof by === 'string' && by !== '' && by.length <= REASON_MAX
      ? []
      : [`by is ${found(by)}, expected who answers`]),
    ...reasonProblems(reason),
  ];
  if (problems.length > 0)
    return {
      outcome: 'malformed',
      why: `the answer ${found(given)} is no decision: ${problems.join('; ')}. Order it again, and answer with vipshift approve or deny`,
    };
  const decision = { approved, by, ...defined({ reason }) } as Decision;
  return { outcome: decision.approved ? 'approved' : 'denied', decision };
}

/** A denial may be without one. */
function reasonProblems(reason: unknown): readonly string[] {
  if (reason === undefined || reason === '') return [];
  if (typeof reason !== 'string') return [`reason is ${found(reason)}, expected text`];
  const problem = reasonProblem(reason);
  return problem === undefined ? [] : [`reason: ${problem}`];
}

const SHOWN_MAX = 200;
const found = (value: unknown): string =>
  value === undefined ? 'missing' : JSON.stringify(value).slice(0, SHOWN_MAX);

export interface ApprovalStore {
  /** Put if absent: the same execution asks once. */
  ask(request: ApprovalRequest): Promise<void>;
  /** Those of a VIP that are not over yet, newest first. */
  pending(vip: string, now: EpochMs): Promise<readonly ApprovalRequest[]>;
}
