// EC2's own list of what is scheduled for instances (DescribeInstanceStatus), read as warnings. Pure.
import { defined } from '../optional.ts';
import type { EpochMs } from '../time.ts';
import type { Maintenance } from './warning.ts';

/** An event of an instance, as EC2 lists it. */
export interface ScheduledEvent {
  readonly node: string;
  readonly code: string;
  readonly description: string;
  readonly notBeforeMs: EpochMs;
  /** EC2 does not always say it. */
  readonly notAfterMs?: EpochMs;
  /** Of reconcile's announcement: an operator has ended the drain for it, and the date is near. */
  readonly again?: true;
}

/** All that EC2 has (EC2 API reference, InstanceStatusEvent). */
export const scheduledCodes = [
  'instance-reboot',
  'instance-retirement',
  'instance-stop',
  'system-maintenance',
  'system-reboot',
] as const;

/** A host that is failing: its instances are stopped or retired, and nothing else is done to it. */
const degraded: ReadonlySet<string> = new Set(['instance-retirement', 'instance-stop']);

/** EC2 keeps an event for a week after its end, and says only in the description that it is over. */
const OVER = /^\[(?:Completed|Canceled)\]/i;

/** Undefined for a code that is none of EC2's. */
export function scheduledWarning(event: ScheduledEvent): Maintenance | undefined {
  if (!scheduledCodes.some((code) => code === event.code)) return undefined;
  const { node, code, description, notBeforeMs: startsAtMs, notAfterMs: endsAtMs } = event;
  return {
    ...{ kind: 'maintenance', node, code, degraded: degraded.has(code), startsAtMs },
    ...defined({ endsAtMs, again: event.again }),
    over: OVER.test(description),
  };
}
