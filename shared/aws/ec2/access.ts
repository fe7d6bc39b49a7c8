import type { EC2Client } from '@aws-sdk/client-ec2';
import type { Clock } from '../../time.ts';

export interface Ec2Access {
  /** Repeats Describes by itself. */
  readonly reader: EC2Client;
  /** Repeats nothing. */
  readonly writer: EC2Client;
  /** The tag key whose value is the label: `vipshift:<stage>`. */
  readonly tag: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** One of EC2's filters. */
export const filter = (name: string, values: readonly string[]) => [{ Name: name, Values: [...values] }];
