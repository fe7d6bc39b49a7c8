import type { Notice } from '../timeline/message.ts';
import type { Decision } from './approval.ts';
import type { FailoverOrder, SwitchResult } from './order.ts';
import type { Preflight } from './preflight.ts';
import type { Release, Released } from './rejoin.ts';

/** What the workflow knows when a step begins; later fields are there once their states are done. */
export interface ExecutionState {
  readonly preflight?: Preflight & { readonly order: FailoverOrder };
  readonly decision?: Decision;
  readonly awaited?: { readonly outcome: string; readonly why: string };
  readonly switched?: SwitchSummary;
  readonly verified?: { readonly outcome: string; readonly wrong: readonly string[] };
  readonly switchedBack?: SwitchSummary;
  /** What SSM answered: the master was demoted, raised again on the way back, released after a success. */
  readonly demoted?: Command;
  readonly promoted?: Command;
  readonly released?: Command;
  /** Whether the demoted one may be released, and what came of it. */
  readonly release?: Release;
  readonly stoodBy?: Released;
  /** How it ends, as the workflow says: done, refused, denied or failed. */
  readonly end?: { readonly outcome: 'done' | 'refused' | 'denied' | 'failed' };
  /** What a state threw; what failed on the way back or after the success. */
  readonly restoreError?: unknown;
  readonly error?: { readonly Error: string; readonly Cause: string };
}

interface Command {
  readonly commandId: string;
}

/** What a switch leaves in the workflow's data, which has a limit: the record has the rest. */
export type SwitchSummary = Omit<SwitchResult, 'failover'> & {
  readonly why?: string;
  readonly notice?: Notice;
};

export interface StepInput {
  readonly execution: string;
  readonly stage: string;
  readonly story: ExecutionState;
  readonly token?: string;
}
