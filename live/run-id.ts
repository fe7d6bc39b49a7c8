// Run: one go of the live harness, and the names of everything that it makes.
//
// Invariant: every name follows from the run's id, and everything that can have a tag has `vipshift:drill` = id. So a run whose
// process died can be removed by its id alone.
import { randomBytes } from 'node:crypto';
import { tagKey } from '../shared/aws/tag-key.ts';

export const RUN_TAG = 'vipshift:drill';
/** On the test bed's stack, which is made first and removed last: the stage that the run works with, and whether it is the run's own. */
export const STAGE_TAG = 'vipshift:drill-stage';

export interface Run {
  readonly id: string;
  /** Of everything that has a name of its own. */
  readonly name: string;
  readonly stage: string;
  /** Whether the stage was deployed for this run, and goes with it. */
  readonly ownStage: boolean;
  readonly vip: string;
  /** The key of the labels on route tables and ENIs. */
  readonly labelKey: string;
}

export const newRunId = (): string => randomBytes(4).toString('hex');
export const isRunId = (text: string): boolean => /^[0-9a-f]{8}$/.test(text);

/** Without a stage the run has one of its own. */
export function runOf(id: string, stage?: string): Run {
  const name = `vipshift-drill-${id}`;
  const own = stage === undefined || stage === `drill-${id}`;
  const used = own ? `drill-${id}` : stage;
  return { id, name, stage: used, ownStage: own, vip: `drill-${id}`, labelKey: tagKey(used) };
}

export const tablesOf = (stage: string) => ({
  vips: `vipshift-${stage}-vips`,
  timeline: `vipshift-${stage}-timeline`,
});
export const busOf = (stage: string): string => `vipshift-${stage}`;

/** The stack of the network and the machines. Not the name of a stage's stack, which is `vipshift-STAGE`. */
export const testBedStack = ({ name }: Run): string => `${name}-test-bed`;
