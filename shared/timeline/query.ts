// The audit: questions about the past, and how their answers are read out of the record. Pure; the reading is
// aws/dynamodb/timeline-query.ts.
//
// Invariant: every question is answered by queries whose number is bounded before the first one is sent, and an answer
// that had to stop early reports it.
// Limit: the record begins when the timeline's retention begins, and rejections are counted by the hour.
// A window cut into UTC days, because the index by day has one partition for each.
import { defined } from '../optional.ts';
import { type DurationMs, durationMs, type EpochMs, hours, iso, minutes } from '../time.ts';
import type { CountedReason } from '../vip/admission.ts';
import { beganMilestoneAt, keyOf, lastMilestoneAt, milestoneAt, milestoneText } from './milestone.ts';
import type { OperatorAction } from './operator-action.ts';
import type { Failover, Intent, Outcome } from './timeline.ts';

const DAY = hours(24);

/** Newest first. Empty when the window is. */
export function daysOf({ sinceMs, untilMs }: Window): readonly string[] {
  const days: string[] = [];
  const first = sinceMs - (sinceMs % DAY);
  for (let day = untilMs - 1 - ((untilMs - 1) % DAY); day >= first && untilMs > sinceMs; day -= DAY) {
    days.push(iso(day as EpochMs).slice(0, 10));
  }
  return days;
}

/** Claims turned away, counted by VIP, node, reason and hour, with the last example. */
export interface RejectionCount {
  readonly entry: 'rejected';
  readonly vip: string;
  readonly node: string;
  readonly reason: CountedReason;
  /** `2026-11-22T14`. */
  readonly hour: string;
  readonly count: number;
  readonly message: string;
  readonly example: string;
  /** When the last one came. */
  readonly atMs: EpochMs;
}

export type AuditRecord = Failover | OperatorAction | RejectionCount;

/** From `sinceMs` on, before `untilMs`. */
export interface Window {
  readonly sinceMs: EpochMs;
  readonly untilMs: EpochMs;
}

export interface Question extends Window {
  readonly vip?: string;
  readonly node?: string;
  readonly outcomes?: readonly Outcome[];
  readonly kinds: readonly AuditRecord['entry'][];
  /** The newest ones count. */
  readonly limit: number;
}

export interface Answer {
  /** Newest first. */
  readonly records: readonly AuditRecord[];
  /** Requests sent to the table. */
  readonly reads: number;
  /** Set when the reading stopped at its limit: everything from here to the window's end was read. */
  readonly readBackToMs?: EpochMs;
}

/** The most pages that one part of a question may read. */
export const PAGES_MAX = 40;
/** The most days that a question over all VIPs may span: each is a query of its own. */
export const DAYS_MAX = 400;
/** An outcome may be written this much after its epoch's turn: abandoned epochs are closed by the next holder. */
export const ORDER_SLACK: DurationMs = minutes(10);
const HOUR: DurationMs = hours(1);

/** Whether the record belongs to the answer, whatever index it was read from. */
export function answers(question: Question, record: AuditRecord): boolean {
  if (!question.kinds.includes(record.entry)) return false;
  if (question.vip !== undefined && record.vip !== question.vip) return false;
  if (question.node !== undefined && !nodesOf(record).includes(question.node)) return false;
  if (question.outcomes !== undefined) {
    if (record.entry !== 'outcome' || !question.outcomes.includes(record.outcome)) return false;
  }
  // A count speaks of its whole hour.
  const from = record.entry === 'rejected' ? hourOf(question.sinceMs) : question.sinceMs;
  return record.atMs >= from && record.atMs < question.untilMs;
}

export const hourOf = (instant: EpochMs): EpochMs => (instant - (instant % HOUR)) as EpochMs;

/** The nodes that a record speaks of. */
export function nodesOf(record: AuditRecord): readonly string[] {
  const named = record.entry === 'outcome' ? [record.from, record.to, record.cause.node] : [record.node];
  return [...new Set(named.filter((node) => node !== undefined))];
}

export const newestFirst = (a: AuditRecord, b: AuditRecord): number => b.atMs - a.atMs;

/** Whether the failover's target became the owner. The same rule as the commit in switch-vip.ts. */
export const committed = (failover: Failover): boolean =>
  failover.to !== undefined &&
  failover.outcome !== 'superseded' &&
  failover.outcome !== 'abandoned' &&
  failover.outcome !== 'failed' &&
  failover.steps.every((step) => step.result === 'done');

/** What its times are computed from. */
export type Timed = Pick<Failover, 'stages' | 'atMs'>;

/** When the controller began with it; an outcome's own instant where no stage tells. */
export function beganAt(failover: Timed): EpochMs {
  return beganMilestoneAt(failover.stages) ?? failover.stages[0]?.atMs ?? failover.atMs;
}

/** What the record has around an instant. */
export interface Around {
  /** Outcomes recorded up to then, newest first; a few. */
  readonly before: readonly Failover[];
  /** The first outcome recorded after. */
  readonly after?: Failover;
  /** Orders up to then, newest first; a few. */
  readonly orders: readonly OperatorAction[];
  /** The owner that the registry names now. */
  readonly ownerNow?: string;
  readonly reads: number;
}

export interface Ownership {
  readonly vip: string;
  readonly atMs: EpochMs;
  readonly owner?: string;
  /** The failover that made it the owner, when the record still has it. */
  readonly by?: Failover;
  /** A failover that was under way at that instant. */
  readonly underWay?: Failover;
  /** How that is known, one sentence. */
  readonly how: string;
}

/**
 * Who owned the VIP. The next failover says it best: its `from` is what the item said under its lease. The target of a
 * failover that was under way gets the traffic between its mutations and its commit; that is told apart.
 */
export function ownerAt(vip: string, atMs: EpochMs, around: Around): Ownership {
  const { before, after } = around;
  const registryChange = around.orders.find((o) => o.order === 'add' || o.order === 'remove');
  if (registryChange?.order === 'remove') {
    return { vip, atMs, how: `removed from the registry by ${registryChange.by}` };
  }
  const last = before.find(committed);
  const owner = after === undefined ? around.ownerNow : after.from;
  const by = before.find((f) => committed(f) && f.to === owner);
  const underWay = after !== undefined && beganAt(after) <= atMs ? after : undefined;
  const isUnknown = before.length === 0 && around.orders.length === 0 && owner === undefined;
  const how = isUnknown
    ? 'the record has nothing of it up to then: it was not registered yet, or records are not kept that long'
    : after !== undefined
      ? `epoch ${after.epoch}, the next failover, found it so`
      : last === undefined
        ? 'the registry names it now, and no failover was recorded since'
        : `epoch ${last.epoch} was the last failover`;
  return {
    vip,
    atMs,
    ...defined({ owner, by, underWay }),
    how,
  };
}

/**
 * From the controller's first line to the last mutation that EC2 accepted; undefined when none was. The claim's own
 * instant is no beginning to count from: the bus stamps whole seconds.
 */
export function took(failover: Timed): DurationMs | undefined {
  const moved = lastMilestoneAt(failover.stages, 'last-accepted');
  return moved === undefined ? undefined : durationMs(moved - beganAt(failover));
}

/** How old the node's report was when the controller began, by the node's own clock; undefined where that cannot be. */
export function newsAge(failover: Timed): DurationMs | undefined {
  const reported = milestoneAt(failover.stages, 'node-reported');
  const age = reported === undefined ? -1 : beganAt(failover) - reported;
  return age < 0 ? undefined : durationMs(age);
}

/**
 * How long its traffic went to the old node, from the new one's report, by that node's clock, to the last call that EC2
 * accepted; from the controller's beginning where no node's report caused it. Undefined where nothing was moved.
 * Limit: what keepalived took to notice comes before it, what the VPC takes to send packets the new way after it.
 */
export function outage(failover: Timed & Pick<Failover, 'from' | 'to'>): DurationMs | undefined {
  const moved = took(failover);
  if (moved === undefined || failover.from === failover.to) return undefined;
  return durationMs(moved + (newsAge(failover) ?? 0));
}

/** When the last call would go out, as EC2's request budget was then; undefined when all could go at once. */
export const dueAt = (failover: Failover): EpochMs | undefined => milestoneAt(failover.stages, 'last-due');

/** One bar of a failover's waterfall, in milliseconds from the controller's first line. */
export interface Bar {
  readonly label: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One failover in order: each milestone from the one before, then each step from sent to answered. The forecast is none. */
export function waterfall(failover: Failover): readonly Bar[] {
  const start = beganAt(failover);
  const milestones = failover.stages
    .filter((m) => m.atMs >= start && keyOf(m) !== 'last-due')
    .sort((a, b) => a.atMs - b.atMs);
  const bars: Bar[] = milestones.map((m, i) => ({
    label: milestoneText(m),
    fromMs: milestones[Math.max(0, i - 1)]!.atMs - start,
    toMs: m.atMs - start,
  }));
  for (const step of failover.steps) {
    if (step.sentAtMs === undefined) continue;
    const end = step.doneAtMs ?? failover.atMs;
    bars.push({ label: `${step.call} ${step.cell}`, fromMs: step.sentAtMs - start, toMs: end - start });
  }
  bars.push({
    label: 'outcome recorded',
    fromMs: (milestones.at(-1)?.atMs ?? start) - start,
    toMs: failover.atMs - start,
  });
  return bars;
}

/** The outcome of one epoch as a list shows it. */
export type FailoverInShort = Pick<
  Failover,
  'vip' | 'epoch' | 'outcome' | 'from' | 'to' | 'stages' | 'atMs'
> & { readonly cause: Pick<Failover['cause'], 'why'> };

export interface EpochAsked {
  readonly vip: string;
  /** The one that the item names. */
  readonly epoch: number;
  readonly isUnderWay: boolean;
}

export interface NewestEpoch {
  /** The newest outcome. Absent where the record does not have it any more, or not yet. */
  readonly last?: FailoverInShort;
  /** When the last call of the epoch under way goes out, where EC2's request budget does not last for all at once. */
  readonly dueAtMs?: EpochMs;
}

/** A node's self-test that reached the controller. */
export interface ProbeSeen {
  readonly node: string;
  readonly eventId: string;
  readonly atMs: EpochMs;
  readonly shim?: string;
}

/** The port on the record. Every method sends a bounded number of queries and counts them. */
export interface AuditLog {
  find(question: Question): Promise<Answer>;
  /** The entries of one epoch. */
  epoch(vip: string, epoch: number): Promise<{ intent?: Intent; outcome?: Failover; reads: number }>;
  /** By the VIP's name, for many at once: a request for each hundred entries. */
  newest(asked: readonly EpochAsked[]): Promise<ReadonlyMap<string, NewestEpoch>>;
  /** `order/<instant>` names the first order of that instant; more of the id tells it apart from another. */
  order(vip: string, id: string): Promise<OperatorAction | undefined>;
  /** `<hour>/<node>/<reason>`. */
  rejection(vip: string, id: string): Promise<RejectionCount | undefined>;
  around(vip: string, atMs: EpochMs): Promise<Omit<Around, 'ownerNow'>>;
  /** Self-tests, newest first. */
  probes(vip: string, limit: number): Promise<readonly ProbeSeen[]>;
}
