import type { SwitchSummary } from './carried.ts';
import type { FailoverOrder } from './order.ts';
import type { Preflight } from './preflight.ts';
import type { Release, Released } from './rejoin.ts';
import type { Begun } from './under-way.ts';

/** What the workflow knows when a step begins; later fields are there once their states are done. */
export interface ExecutionState {
  readonly preflight?: Preflight & { readonly order: FailoverOrder };
  /** What was answered to the request for approval, whatever that is: approval.ts reads it. */
  readonly decision?: unknown;
  readonly orderRecord?: { readonly id?: string };
  readonly begun?: Begun;
  readonly awaited?: { readonly outcome: string; readonly why: string };
  readonly switched?: SwitchSummary;
  readonly verified?: {
    readonly outcome: string;
    readonly wrong: readonly string[];
    readonly conflicts?: readonly string[];
    /** How many more there are of each. */
    readonly left?: { readonly wrong: number; readonly conflicts: number };
  };
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

export interface StepInput {
  readonly execution: string;
  readonly stage: string;
  readonly story: ExecutionState;
  readonly token?: string;
}
