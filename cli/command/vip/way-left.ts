// When a part of AWS does not answer, throttles or denies: the way that is left, as a command to be pasted. What works says nothing.
import { shellWord } from '../../../shared/place.ts';
import { complaintOf } from '../aws-errors.ts';
import { CliError, status } from '../exit.ts';
import { hint } from '../hint.ts';

/** Adds the way to what AWS did not do; everything else passes as it is. */
export async function withWayLeft<Answer>(work: () => Promise<Answer>, way: string): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    throw wayAdded(error, way);
  }
}

export function wayAdded(error: unknown, way: string): unknown {
  const complaint = complaintOf(error);
  if (complaint === undefined || complaint.status !== status.aws) return error;
  return new CliError(complaint.message, `${complaint.next}; ${way}`, status.aws, error);
}

export interface Move {
  readonly vip: string;
  /** As the operator named it. */
  readonly to: string;
  readonly reason?: string | undefined;
}

/** Without Step Functions, Lambda or EventBridge. */
export const breakGlassWay = ({ vip, to, reason }: Move): string => {
  const why = reason === undefined ? '…' : shellWord(reason);
  const command = hint(`failover ${vip} --to ${shellWord(to)} --break-glass --reason ${why}`);
  return `from this machine, without Step Functions, Lambda and EventBridge: ${command}`;
};

/** Without DynamoDB there is no lease, for the controller neither. */
export const byHandWay = ({ vip, to }: Pick<Move, 'vip' | 'to'>): string =>
  `without DynamoDB neither the controller nor break-glass can move a VIP; by hand: ${hint(`failover ${vip} --to ${shellWord(to)} --print-commands`)}`;
