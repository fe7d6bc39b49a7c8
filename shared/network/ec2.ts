// The port on EC2: observe, and apply one step.

import type { Scope } from '../vip/vip.ts';
import type { ScheduledEvent } from '../warning/scheduled.ts';
import type { Observation } from './observation.ts';
import type { Step } from './step.ts';

export interface Ec2 {
  /**
   * Every labelled table and ENI, every EIP with the VIP's name or node label, all pages. Of the tables' routes only
   * those to a single address or a prefix list are returned. Throws a Fault when any part is missing: half an
   * observation would be taken for drift.
   */
  observe(scope: Scope): Promise<Observation>;
  /**
   * The same for many VIPs, by name, from one description of everything with a label: as many calls as there are
   * pages, however many VIPs. Throws like `observe`.
   */
  observeAll(scopes: readonly Scope[]): Promise<ReadonlyMap<string, Observation>>;
  /** EC2's name of an instance's state, such as `running`; undefined where EC2 shows no such instance. Throws a Fault. */
  hostState(node: string): Promise<string | undefined>;
  /** What EC2 has scheduled for the account's running instances, also what was over within a week. Throws a Fault. */
  scheduledEvents(): Promise<readonly ScheduledEvent[]>;
  /**
   * One attempt of one call, never repeated inside. `mayStart` is asked in the same tick in which the request goes out,
   * after it was signed; when it says no, nothing is sent and a Fault `lease-short` is thrown. Aborted, as `unknown`,
   * after ATTEMPT_MAX.
   */
  apply(step: Step, mayStart: () => boolean): Promise<void>;
}
