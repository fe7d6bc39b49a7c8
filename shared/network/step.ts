import type { EpochMs } from '../time.ts';

interface StepBase {
  /** Names what the step sets, the same in every plan: `rtb-1 192.168.255.10/32`, `eipalloc-1`, `eni-1 check`. */
  readonly cell: string;
  /** What was observed there, for the record. */
  readonly from: string;
  readonly eni: string;
}
export interface RouteStep extends StepBase {
  readonly call: 'ReplaceRoute' | 'CreateRoute';
  readonly table: string;
  readonly destination: string;
}
export interface EipStep extends StepBase {
  readonly call: 'AssociateAddress';
  readonly eip: string;
  readonly privateAddress: string;
}
/** Switches the ENI's source/destination check off; with it on, EC2 drops what is not addressed to the ENI itself. */
export interface CheckStep extends StepBase {
  readonly call: 'ModifyNetworkInterfaceAttribute';
}
export type Step = RouteStep | EipStep | CheckStep;

/** A cell that should change and was left alone. */
export interface Conflict {
  readonly cell: string;
  readonly found: string;
  readonly why: string;
  /** `foreign`: someone else's, by the scope rule. `unmet`: something that the step needs is missing. */
  readonly kind: 'foreign' | 'unmet';
}

export const nothing = 'nothing';

/** What became of one step, over all its attempts. */
export interface StepDone {
  readonly cell: string;
  readonly call: Step['call'];
  readonly from: string;
  readonly to: string;
  /** `unknown`: no answer; it may have happened. `unsent`: no attempt could start. */
  readonly result: 'done' | 'failed' | 'unknown' | 'unsent';
  readonly attempts: number;
  /** Attempts without an answer: each of them may still land, whatever came after it. */
  readonly unanswered: number;
  readonly sentAtMs?: EpochMs;
  readonly doneAtMs?: EpochMs;
  /** The last fault, when there was one: the service's code, and its message where no step before says the same. */
  readonly code?: string;
  readonly message?: string;
  /** Set where the last fault was a mistake in our own code; `code` is the error's name. Absent in older records. */
  readonly fault?: 'bug';
}
