// The milestones of a failover: its instants, each with a key. Programs decide by the key; people read the text. Pure.
//
// A record holds both: the key, and the text that versions before the keys decided by and showed
// (docs/decisions/0028). That text never changes; what people read is made from the key, and may.
// Limit: a milestone of a newer version, whose key is unknown here, is shown by its stored text.
import type { EpochMs } from '../time.ts';

/** Key → the text that is stored with it. */
const stored = {
  'node-reported': 'node said so (its clock)',
  'bus-accepted': 'bus accepted (whole seconds)',
  'direct-accepted': 'function URL accepted',
  'claim-began': 'controller began',
  'reconcile-began': 'reconcile began',
  'order-began': 'order began',
  unvouched: 'nobody vouches for the node: NodeIdentity is none',
  described: 'described',
  'describe-failed': 'describe failed',
  'view-taken': 'stored view taken',
  'last-due': 'last mutation due, by the request budget',
  'first-sent': 'first mutation sent',
  'last-accepted': 'last mutation accepted',
  'read-back': 'read back',
} as const;

export type MilestoneKey = keyof typeof stored;

/** Where people read something else than what is stored. */
const shown: Partial<Readonly<Record<MilestoneKey, string>>> = {
  'node-reported': 'node reported (its clock)',
  unvouched: 'no one vouches for the node: NodeIdentity is none',
};

/** One entry of a failover's history. Offsets are computed from the first one when it is shown. */
export interface Milestone {
  /** Absent in records of versions before the keys. */
  readonly key?: MilestoneKey;
  /** What is stored for those versions; shown only where the key is unknown. */
  readonly stage: string;
  readonly atMs: EpochMs;
}

export const milestone = (key: MilestoneKey, atMs: EpochMs): Milestone => ({
  key,
  stage: stored[key],
  atMs,
});

const keyByText = new Map(
  (Object.keys(stored) as MilestoneKey[]).map((key) => [stored[key] as string, key] as const),
);

/** Undefined only for a text that no version known here has written. */
export const keyOf = ({ key, stage }: Milestone): MilestoneKey | undefined => key ?? keyByText.get(stage);

/** As people read it. */
export function milestoneText(of: Milestone): string {
  const key = keyOf(of);
  return (key === undefined ? undefined : shown[key]) ?? of.stage;
}

/** When it was reached first; undefined when it was not. */
export const milestoneAt = (milestones: readonly Milestone[], key: MilestoneKey): EpochMs | undefined =>
  milestones.find((m) => keyOf(m) === key)?.atMs;

/** When it was reached last: a second round of mutations has milestones of its own. */
export const lastMilestoneAt = (milestones: readonly Milestone[], key: MilestoneKey): EpochMs | undefined =>
  milestones.findLast((m) => keyOf(m) === key)?.atMs;

const beginnings = new Set<MilestoneKey | undefined>(['claim-began', 'reconcile-began', 'order-began']);

/** The controller's first line; what comes before it the node and the bus say, by clocks of their own. */
export const beganMilestoneAt = (milestones: readonly Milestone[]): EpochMs | undefined =>
  milestones.find((m) => beginnings.has(keyOf(m)))?.atMs;
