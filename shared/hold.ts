// What a holder does with one lease: elect, plan, carry out, read back, record. One epoch, one outcome in the record.
//
// The order is the guarantee. Cause and epoch were written with the lease; the intent goes out beside the mutations;
// the outcome is written before the release, which is switch.ts's (guarantee 6). Up to the first mutation nothing is
// awaited but the observation.
import { abandon } from './abandoned.ts';
import { apply, type Hands, untold } from './apply.ts';
import { readable, SENTENCE_MAX } from './bounded.ts';
import { lastTurnAtMs } from './budget-turn.ts';
import { elect, isLiveOrder } from './election.ts';
import { type Fault, faultOf } from './fault.ts';
import type { Grip } from './grip.ts';
import { OBSERVE_PATIENCE, STALE_READ } from './lease.ts';
import type { Member } from './member.ts';
import { membersSeen, type Observation, strays, tablesOf } from './observation.ts';
import { type Plan, plan } from './plan.ts';
import { fitted } from './record-fit.ts';
import { foldFaults } from './same-faults.ts';
import { type EpochMs, iso, plus } from './time.ts';
import type { Failover, Intent, Outcome, Stage, StepDone, Timeline } from './timeline.ts';
import { isStillElected, type Verdict, verify, withMembersSeen } from './verify.ts';
import type { Vip, VipStore } from './vip.ts';

export interface Tools extends Hands {
  readonly vips: VipStore;
  readonly timeline: Timeline;
}

export interface Held {
  readonly failover: Failover;
  /** The outcome stands in the record; if it could not be written the lease must not be released. */
  readonly recorded: boolean;
  /** Why it does not. */
  readonly unrecorded?: Fault;
  /** Where the VIP was to go; undefined when it was to stay. */
  readonly target?: Member;
  /** Every step was carried out, so that the target may be committed as the owner. */
  readonly good: boolean;
  /** Holders whose epochs are closed in the record. */
  readonly closed: readonly string[];
}

/** Describes that failed are asked again this often while the lease lasts. */
const LOOKS_MAX = 3;

export async function hold(
  tools: Tools,
  grip: Grip,
  vip: Vip,
  observing: Promise<Observation>,
  before: readonly Stage[],
): Promise<Held> {
  const stages: Stage[] = [...before];
  const mark = (stage: string) => stages.push({ stage, atMs: tools.clock.now() });
  const seen = await look(tools, grip, vip, observing);
  mark(seen instanceof Error ? 'describe failed' : seen.source === 'ec2' ? 'described' : 'stored view taken');
  const decision = decide(vip, seen, tools);
  const { moves } = decision;
  if (moves !== undefined)
    grip.serve((item) => isStillElected(moves.vip, moves.target, item, tools.clock.now()));
  const others = Object.keys(vip.open).filter((holder) => holder !== grip.lease.holder);
  const trusted =
    !(seen instanceof Error) &&
    seen.source === 'ec2' &&
    others.length === 0 &&
    seen.beganAtMs >= plus(vip.touchedAtMs, STALE_READ);
  const todo: Plan =
    moves === undefined ? { steps: [], conflicts: [] } : plan(moves.vip, moves.seen, moves.target, trusted);
  const dueAtMs = lastTurnAtMs(tools.turns, todo.steps);
  if (dueAtMs !== undefined)
    stages.push({ stage: 'last mutation due, by the request budget', atMs: dueAtMs });
  const [sent, intent, closed] = await Promise.all([
    apply(tools, grip, todo.steps),
    todo.steps.length === 0 ? undefined : putIntent(tools, grip, vip, decision, todo, dueAtMs),
    abandon(tools, vip, others, seen),
  ]);
  markSent(stages, sent);
  const verdict: Verdict =
    moves === undefined || sent.length === 0
      ? { steps: sent, verified: trusted && moves !== undefined, notes: [] }
      : await verify(tools, grip, moves.vip, moves.target, sent);
  if (sent.length > 0) mark('read back');
  const failover = tell({ tools, grip, vip, seen, decision, todo, verdict, stages, intent });
  return {
    failover,
    ...(await recordOutcome(tools.timeline, failover)),
    ...(moves === undefined ? {} : { target: moves.target }),
    good:
      moves !== undefined && verdict.stop === undefined && verdict.steps.every((s) => s.result === 'done'),
    closed: [...closed, grip.lease.holder],
  };
}

interface Decision {
  readonly to: string | undefined;
  readonly why: string;
  readonly splitBrain: readonly string[];
  readonly notes: readonly string[];
  /** Undefined when nothing may move. */
  readonly moves?: { readonly vip: Vip; readonly seen: Observation; readonly target: Member };
  /** Set when nothing may move although something should. */
  readonly failed?: string;
}

function decide(vip: Vip, seen: Observation | Error, tools: Tools): Decision {
  const known = seen instanceof Error ? vip : withMembersSeen(vip, seen);
  const election = elect(known, tools.clock.now());
  const notes = election.suspendedPin === undefined ? [] : [`pin suspended: ${election.suspendedPin}`];
  const said = { to: election.owner, why: election.why, splitBrain: election.splitBrain, notes };
  if (isLiveOrder(vip.freeze, tools.clock.now()) || election.owner === undefined) return said;
  if (seen instanceof Error) return { ...said, failed: `describe failed: ${seen.message}` };
  const target = membersSeen(vip, seen, vip.members)[election.owner];
  if (target === undefined) {
    return { ...said, failed: `EC2 shows no labelled ENI of the elected node ${election.owner}` };
  }
  return { ...said, moves: { vip: known, seen, target } };
}

/** The observation; the stored view when that is slow or fails; the error when there is neither. */
async function look(
  tools: Tools,
  grip: Grip,
  vip: Vip,
  observing: Promise<Observation>,
): Promise<Observation | Error> {
  const first = await firstOf(tools, observing);
  if (first !== undefined && !(first instanceof Error)) return first;
  const stored = await tools.vips.view(vip.name).catch(() => undefined);
  if (stored !== undefined) return { ...stored, source: 'stored' };
  let answer = first ?? (await asValue(observing));
  for (let n = 1; n < LOOKS_MAX && answer instanceof Error && grip.mayStart(); n++) {
    answer = await asValue(tools.ec2.observe(vip));
  }
  return answer;
}

const asValue = (observing: Promise<Observation>): Promise<Observation | Error> => observing.catch(asError);
const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Undefined when OBSERVE_PATIENCE has passed since this was asked. */
const firstOf = (tools: Tools, observing: Promise<Observation>): Promise<Observation | Error | undefined> =>
  Promise.race([
    asValue(observing),
    tools.clock.wait(OBSERVE_PATIENCE).then(
      () => undefined,
      () => undefined,
    ),
  ]);

function putIntent(
  tools: Tools,
  grip: Grip,
  vip: Vip,
  decision: Decision,
  todo: Plan,
  dueAtMs: EpochMs | undefined,
): Promise<Error | undefined> {
  const meant: Intent = {
    entry: 'intent',
    vip: vip.name,
    epoch: grip.lease.epoch,
    holder: grip.lease.holder,
    cause: grip.lease.cause,
    ...(vip.owner === undefined ? {} : { from: vip.owner }),
    to: decision.to!,
    why: sentence(decision.why),
    steps: todo.steps.map(untold),
    ...(dueAtMs === undefined ? {} : { dueAtMs }),
    atMs: tools.clock.now(),
  };
  return tools.timeline.put(fitted(meant)).then(() => undefined, asError);
}

function markSent(stages: Stage[], sent: readonly StepDone[]): void {
  const sentAt = sent.flatMap((s) => s.sentAtMs ?? []);
  const doneAt = sent.flatMap((s) => s.doneAtMs ?? []);
  if (sentAt.length > 0) {
    stages.push({ stage: 'first mutation sent', atMs: sentAt.reduce((a, b) => (a < b ? a : b)) });
  }
  if (doneAt.length > 0) {
    stages.push({ stage: 'last mutation accepted', atMs: doneAt.reduce((a, b) => (a > b ? a : b)) });
  }
}

interface Told {
  readonly tools: Tools;
  readonly grip: Grip;
  readonly vip: Vip;
  readonly seen: Observation | Error;
  readonly decision: Decision;
  readonly todo: Plan;
  readonly verdict: Verdict;
  readonly stages: readonly Stage[];
  readonly intent: Error | undefined;
}

function tell(told: Told): Failover {
  const { tools, grip, vip, seen, decision, todo, verdict } = told;
  const stray = seen instanceof Error ? [] : strays(vip, seen).map((s) => `left alone: ${s.id} ${s.why}`);
  const stored =
    !(seen instanceof Error) && seen.source === 'stored'
      ? [`planned from the view stored ${iso(seen.endedAtMs)}: the describes did not answer in time`]
      : [];
  const checks = verdict.steps
    .filter((s) => s.call === 'ModifyNetworkInterfaceAttribute')
    .map((s) => `source/destination check was on at ${s.cell.split(' ')[0]}; switched off: ${s.result}`);
  const intent =
    told.intent === undefined ? [] : [`the intent could not be recorded: ${told.intent.message}`];
  const stop = verdict.stop === undefined ? [] : [`stopped: ${verdict.stop}`];
  const failed = decision.failed === undefined ? [] : [decision.failed];
  const { steps, notes: faults } = foldFaults(verdict.steps);
  const notes = [...failed, ...stop, ...faults, ...stored, ...decision.notes, ...verdict.notes];
  return {
    entry: 'outcome',
    vip: vip.name,
    epoch: grip.lease.epoch,
    holder: grip.lease.holder,
    cause: grip.lease.cause,
    outcome: outcomeOf(decision, todo, verdict),
    ...(vip.owner === undefined ? {} : { from: vip.owner }),
    ...(decision.to === undefined ? {} : { to: decision.to }),
    why: sentence(decision.why),
    steps,
    conflicts: todo.conflicts,
    stages: told.stages,
    verified: verdict.verified,
    notes: [...notes, ...checks, ...stray, ...intent].map(sentence),
    claims: vip.claims,
    splitBrain: decision.splitBrain,
    atMs: tools.clock.now(),
  };
}

/** What operators, nodes and AWS said is in it. */
const sentence = (text: string): string => readable(text, SENTENCE_MAX);

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
  return done < verdict.steps.length || todo.conflicts.length > 0 ? 'partial' : 'switched';
}

/** Whether the record holds an outcome of this epoch: ours, or what another wrote when it took us for dead. */
async function recordOutcome(
  timeline: Timeline,
  failover: Failover,
): Promise<Pick<Held, 'recorded' | 'unrecorded'>> {
  let last: unknown;
  const entry = fitted(failover);
  for (let attempt = 1; attempt <= 3; attempt++) {
    try {
      await timeline.put(entry);
      return { recorded: true };
    } catch (error) {
      // Tried again; put-if-absent makes a repeat harmless.
      last = error;
    }
  }
  return { recorded: false, unrecorded: faultOf(last) };
}
