// The timeline: the audit record. One failover is told by two entries, keyed by VIP and epoch: the intent, written
// in parallel with the mutations, and the outcome, written before the lease is released. Both are put if absent and never
// updated; a holder that finds an epoch left open writes its outcome as `abandoned`.
//
// Limit: a crash in the first milliseconds leaves cause and epoch (in the VIP's item), but no steps. `unchanged` means
// "what EC2 answered".
import type { Conflict } from '../network/conflict.ts';
import type { StepDone } from '../network/step.ts';
import type { EpochMs } from '../time.ts';
import type { CountedReason } from '../vip/admission.ts';
import type { Cause } from '../vip/lease.ts';
import type { NodeState } from '../vip/node-state.ts';
import type { Decided } from './decision.ts';
import type { Milestone } from './milestone.ts';

export const outcomes = [
  'switched',
  'unchanged',
  'superseded',
  'partial',
  'failed',
  'rejected',
  'abandoned',
] as const;
export type Outcome = (typeof outcomes)[number];

/** Steps of an entry that are not listed in it. */
export interface StepsOmitted {
  readonly count: number;
  readonly result?: StepDone['result'];
  readonly code?: string;
}

/** What was left out of an entry that would have been too large (fit.ts). */
export interface Omitted {
  readonly steps?: readonly StepsOmitted[];
  readonly conflicts?: number;
  readonly notes?: number;
  /** Nodes whose claims are left out. */
  readonly claims?: number;
  readonly texts?: true;
}

export interface Intent extends Decided {
  readonly entry: 'intent';
  readonly vip: string;
  readonly epoch: number;
  readonly holder: string;
  readonly cause: Cause;
  readonly from?: string;
  readonly to: string;
  readonly steps: readonly Pick<StepDone, 'cell' | 'call' | 'from' | 'to'>[];
  /** When the last step will go out, where EC2's request budget does not last for all at once. */
  readonly dueAtMs?: EpochMs;
  readonly omitted?: Omitted;
  readonly atMs: EpochMs;
}

export interface Failover extends Decided {
  readonly entry: 'outcome';
  readonly vip: string;
  readonly epoch: number;
  readonly holder: string;
  readonly cause: Cause;
  readonly outcome: Outcome;
  /** The owner before, and the node that the failover went to. */
  readonly from?: string;
  readonly to?: string;
  readonly steps: readonly StepDone[];
  readonly conflicts: readonly Conflict[];
  readonly stages: readonly Milestone[];
  /** Whether EC2 was read back and agreed. */
  readonly verified: boolean;
  /** Everything else that a reader should know, one sentence each. */
  readonly notes: readonly string[];
  /** Every member's newest words at the decision. */
  readonly claims: Readonly<Record<string, NodeState>>;
  readonly splitBrain: readonly string[];
  /** Members that were damped at the decision; absent in records of older versions and where there is none. */
  readonly flapping?: readonly string[];
  readonly omitted?: Omitted;
  readonly atMs: EpochMs;
}

export type Entry = Intent | Failover;

/** What is kept of an example, in characters: it is there to be read. */
export const EXAMPLE_MAX = 1000;

/** A claim that was turned away, or counted and not merged. */
export interface Rejection {
  /** A registered name, or UNREGISTERED. */
  readonly vip: string;
  /** A node that the VIP knows, or NO_MEMBER. */
  readonly node: string;
  readonly reason: CountedReason;
  readonly message: string;
  /** What came. */
  readonly example: string;
  readonly atMs: EpochMs;
}

/** A self-test of a node that reached the controller. */
export interface Probe {
  readonly vip: string;
  readonly node: string;
  readonly eventId: string;
  readonly seq: number;
  /** Version of the notify shim, as it says itself. */
  readonly shim?: string;
  readonly sentAtMs: EpochMs;
  readonly atMs: EpochMs;
}

export interface Timeline {
  /**
   * Answers what stands in the record now: this entry, or the one that was there and was left as it is. Refuses what is
   * larger than ITEM_MAX (size.ts); up to RECORD_MAX it takes everything.
   */
  put(entry: Entry): Promise<Entry>;
  /** The entries of one epoch; absent ones are undefined. */
  read(vip: string, epoch: number): Promise<{ intent?: Intent; outcome?: Failover }>;
  /** Counts by VIP, node, reason and hour, and keeps the last example, cut to EXAMPLE_MAX. */
  reject(rejection: Rejection): Promise<void>;
  probe(probe: Probe): Promise<void>;
}
