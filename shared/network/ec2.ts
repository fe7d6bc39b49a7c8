// The port on EC2: look, and carry out one step.

import type { Scope } from '../vip/vip.ts';
import type { Observation } from './observation.ts';
import type { Step } from './step.ts';

export interface Ec2 {
  /**
   * Every labelled table and ENI, every EIP that bears the VIP's name or node label, all pages. Of the tables' routes
   * only those to a single address or a prefix list come back. Throws a Fault when any part is missing: half an observation
   * would look like drift.
   */
  observe(scope: Scope): Promise<Observation>;
  /**
   * The same for many VIPs by one look at everything that bears a label, by name: as many calls as there are pages,
   * however many VIPs. Throws like `observe`.
   */
  observeAll(scopes: readonly Scope[]): Promise<ReadonlyMap<string, Observation>>;
  /**
   * One attempt of one call, never repeated inside. `mayStart` is asked in the same tick in which the request goes out,
   * after it was signed; when it says no, nothing is sent and a Fault `lease-short` is thrown. Aborted, as `unknown`,
   * after ATTEMPT_MAX.
   */
  apply(step: Step, mayStart: () => boolean): Promise<void>;
}
