// A step of a plan: one EC2 call, and the cell that it sets. The ids are fields of their own; what a record and people get
// of them is formatted here and nowhere else, and never read back.
import type { EpochMs } from '../time.ts';
import type { EipSeen } from './observation.ts';

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

export const nothing = 'nothing';

export const routeCell = (table: string, destination: string): string => `${table} ${destination}`;
export const checkCell = (eni: string): string => `${eni} check`;

/** Where an EIP is, as a record says it. */
export const placeText = (at: Pick<EipSeen, 'eni' | 'privateAddress'> | undefined): string =>
  at?.eni === undefined ? nothing : [at.eni, at.privateAddress].filter((id) => id !== undefined).join(' ');

/** What a step sets its cell to, as a record says it. */
export function aimText(step: Step): string {
  switch (step.call) {
    case 'ReplaceRoute':
    case 'CreateRoute':
      return step.eni;
    case 'AssociateAddress':
      return placeText(step);
    case 'ModifyNetworkInterfaceAttribute':
      return 'off';
    default:
      return step satisfies never;
  }
}

/** The thing whose cell a step sets: a route table, an EIP or an ENI. */
export function thingOf(step: Step): string {
  switch (step.call) {
    case 'ReplaceRoute':
    case 'CreateRoute':
      return step.table;
    case 'AssociateAddress':
      return step.eip;
    case 'ModifyNetworkInterfaceAttribute':
      return step.eni;
    default:
      return step satisfies never;
  }
}

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

/** And the step itself, as it was tried last: what a program decides by. */
export interface StepTried extends StepDone {
  readonly step: Step;
  /** An attempt succeeded before the last one, which was made because a read did not show it. */
  readonly landed?: true;
}

export function recordOf({ step: _step, landed: _landed, ...done }: StepTried): StepDone {
  return done;
}
