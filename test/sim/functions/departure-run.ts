// One execution of the workflow `departure`, and one of `warning`, as far as they have come.
import type { DepartureReport, Round } from '../../../shared/departure/leave.ts';
import type { DepartureInput, Warned } from '../../../shared/departure/warned.ts';

export interface DepartureRun {
  readonly name: string;
  readonly input: DepartureInput;
  readonly beganAtMs: number;
  readonly dueAtMs: number;
  readonly path: string[];
  /** What its rounds have answered, and when. */
  readonly rounds: { readonly atMs: number; readonly round: Round }[];
  data: { input: DepartureInput; left?: Round; report?: DepartureReport; error?: unknown };
  endedAtMs: number | undefined;
}

export interface WarningRun {
  readonly name: string;
  readonly beganAtMs: number;
  read: Warned | undefined;
  endedAtMs: number | undefined;
}
