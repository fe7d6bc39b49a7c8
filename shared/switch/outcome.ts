import { readable, SENTENCE_MAX } from '../bounded.ts';
import { type Observation, strays, tablesOf } from '../network/observation.ts';
import type { Plan } from '../network/plan.ts';
import { recordOf, type StepDone } from '../network/step.ts';
import { defined } from '../optional.ts';
import { type EpochMs, iso } from '../time.ts';
import { decided } from '../timeline/decision.ts';
import { foldFaults } from '../timeline/fold-faults.ts';
import { type Milestone, milestone } from '../timeline/milestone.ts';
import type { Failover, Outcome } from '../timeline/timeline.ts';
import type { ElectionReason } from '../vip/election.ts';
import { type Flapping, flappingText } from '../vip/flapping.ts';
import type { Lease } from '../vip/lease.ts';
import type { Member } from '../vip/member.ts';
import type { Vip } from '../vip/vip.ts';
import type { Verdict } from './verify.ts';

export interface Decision {
  readonly to: string | undefined;
  readonly reason: ElectionReason;
  readonly splitBrain: readonly string[];
  readonly flapping: readonly Flapping[];
  readonly notes: readonly string[];
  /** Undefined when nothing may move. */
  readonly moves?: { readonly vip: Vip; readonly seen: Observation; readonly target: Member };
  /** Set when nothing may move although something should. */
  readonly failed?: string;
}

export function markSent(milestones: Milestone[], sent: readonly StepDone[]): void {
  const sentAt = sent.flatMap((s) => s.sentAtMs ?? []);
  const doneAt = sent.flatMap((s) => s.doneAtMs ?? []);
  const firstSent = sentAt.sort((a, b) => a - b)[0];
  const lastAccepted = doneAt.sort((a, b) => b - a)[0];
  if (firstSent !== undefined) milestones.push(milestone('first-sent', firstSent));
  if (lastAccepted !== undefined) milestones.push(milestone('last-accepted', lastAccepted));
}

export interface OutcomeInput {
  readonly lease: Lease;
  readonly vip: Vip;
  readonly seen: Observation | Error;
  readonly decision: Decision;
  readonly todo: Plan;
  readonly verdict: Verdict;
  readonly milestones: readonly Milestone[];
  readonly intent: Error | undefined;
  readonly atMs: EpochMs;
}

export function buildOutcome(input: OutcomeInput): Failover {
  const { lease, vip, seen, decision, todo, verdict } = input;
  const stray = seen instanceof Error ? [] : strays(vip, seen).map((s) => `left alone: ${s.id} ${s.why}`);
  const stored =
    !(seen instanceof Error) && seen.source === 'stored'
      ? [`planned from the view stored ${iso(seen.endedAtMs)}: the describes did not answer in time`]
      : [];
  const checks = verdict.steps
    .filter(({ step }) => step.call === 'ModifyNetworkInterfaceAttribute')
    .map((s) => `source/destination check was on at ${s.step.eni}; switched off: ${s.result}`);
  const intent =
    input.intent === undefined ? [] : [`the intent could not be recorded: ${input.intent.message}`];
  const stop = verdict.stop === undefined ? [] : [`stopped: ${verdict.stop}`];
  const failed = decision.failed === undefined ? [] : [decision.failed];
  const { steps, notes: faults } = foldFaults(verdict.steps.map(recordOf));
  const damped = decision.flapping.map(flappingText);
  const notes = [...failed, ...stop, ...faults, ...stored, ...decision.notes, ...damped, ...verdict.notes];
  return {
    entry: 'outcome',
    vip: vip.name,
    epoch: lease.epoch,
    holder: lease.holder,
    cause: lease.cause,
    outcome: outcomeOf(decision, todo, verdict),
    ...defined({ from: vip.owner, to: decision.to }),
    ...decided(decision.reason),
    steps,
    conflicts: [...todo.conflicts, ...verdict.conflicts],
    stages: input.milestones,
    verified: verdict.verified,
    notes: [...notes, ...checks, ...stray, ...intent].map(sentence),
    claims: vip.claims,
    splitBrain: decision.splitBrain,
    ...(decision.flapping.length === 0 ? {} : { flapping: decision.flapping.map(({ node }) => node) }),
    atMs: input.atMs,
  };
}

/** Only cells that were left alone, and none that is right: then nothing of the VIP could follow. */
function nothingSent({ moves }: Decision, todo: Plan): Outcome {
  if (moves === undefined || todo.conflicts.length === 0) return 'unchanged';
  const { vip, seen } = moves;
  const cells = tablesOf(vip, seen).length * vip.addresses.length + vip.eips.length;
  return cells > todo.conflicts.length ? 'partial' : 'failed';
}

function outcomeOf(decision: Decision, todo: Plan, verdict: Verdict): Outcome {
  if (verdict.stop !== undefined) return 'superseded';
  if (decision.failed !== undefined) return 'failed';
  if (verdict.steps.length === 0) return nothingSent(decision, todo);
  const done = verdict.steps.filter((s) => s.result === 'done').length;
  if (done === 0) return 'failed';
  // A cell left to a stranger is no fault of ours, but clients behind it did not follow: no reader may miss that.
  const left = todo.conflicts.length + verdict.conflicts.length;
  return done < verdict.steps.length || left > 0 ? 'partial' : 'switched';
}

/** What operators, nodes and AWS said is in it. */
const sentence = (text: string): string => readable(text, SENTENCE_MAX);
