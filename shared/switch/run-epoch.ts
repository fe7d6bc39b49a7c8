// What a holder does with one lease: elect, plan, carry out, read back, record. One epoch, one outcome in the record.
//
// The order is the guarantee. Cause and epoch were written with the lease; the intent goes out in parallel with the mutations;
// the outcome is written before the release, which is switch-vip.ts's (guarantee 6). Up to the first mutation nothing is
// awaited but the observation.

import { type Fault, toFault } from '../fault.ts';
import { unmetCells } from '../network/conflict.ts';
import { membersSeen, type Observation } from '../network/observation.ts';
import { type Plan, plan } from '../network/plan.ts';
import type { StepTried } from '../network/step.ts';
import { type ViewCache, viewProblem, viewProblemText } from '../network/view-cache.ts';
import { defined } from '../optional.ts';
import { lastCallAtMs } from '../rate-limit/call-queue.ts';
import { type Clock, type EpochMs, plus } from '../time.ts';
import { decided } from '../timeline/decision.ts';
import { fitted } from '../timeline/fit.ts';
import { type Milestone, milestone } from '../timeline/milestone.ts';
import type { Failover, Intent, Timeline } from '../timeline/timeline.ts';
import { elect, isLiveOrder, unfitText } from '../vip/election.ts';
import { dampedMembers } from '../vip/flapping.ts';
import { OBSERVE_TIMEOUT, STALE_READ } from '../vip/lease.ts';
import type { Member } from '../vip/member.ts';
import type { VipStore } from '../vip/store.ts';
import type { Vip } from '../vip/vip.ts';
import { closeAbandonedEpochs } from './close-abandoned.ts';
import { type ExecutePorts, executeSteps, untold } from './execute.ts';
import type { HeldLease } from './held-lease.ts';
import { buildOutcome, type Decision, markSent, type OutcomeInput } from './outcome.ts';
import { isStillElected, type Verdict, verify, withMembersSeen } from './verify.ts';

export interface EpochPorts extends ExecutePorts {
  readonly vips: VipStore;
  readonly views: ViewCache;
  readonly timeline: Timeline;
}

export interface EpochResult {
  readonly failover: Failover;
  /** The outcome stands in the record; if it could not be written the lease must not be released. */
  readonly recorded: boolean;
  /** Why it does not; always there then. */
  readonly unrecorded?: Fault;
  /** Where the VIP was to go; undefined when it was to stay. */
  readonly target?: Member;
  /** Every step was carried out, so that the target may be committed as the owner. */
  readonly committable: boolean;
  /** Holders whose epochs are closed in the record. */
  readonly closedHolders: readonly string[];
  /** Mistakes in our own code that ended steps; the others went on. */
  readonly bugs: readonly Fault[];
}

/** Describes that failed are asked again this often while the lease lasts. */
const OBSERVATIONS_MAX = 3;

/** One lease that is carried through, and the item that it was taken on. */
export interface Epoch {
  readonly ports: EpochPorts;
  readonly heldLease: HeldLease;
  readonly vip: Vip;
}

export async function runEpoch(
  epoch: Epoch,
  observing: Promise<Observation>,
  before: readonly Milestone[],
): Promise<EpochResult> {
  const { ports, heldLease, vip } = epoch;
  const milestones: Milestone[] = [...before];
  const seen = await observe(epoch, observing);
  milestones.push(seenMilestone(seen, ports.clock.now()));
  const decision = decide(vip, seen, ports.clock.now());
  watchElection(epoch, decision);
  const work = planned(epoch, seen, decision);
  if (work.dueAtMs !== undefined) milestones.push(milestone('last-due', work.dueAtMs));
  const [executed, intent, closed] = await Promise.all([
    executeSteps(ports, heldLease, work.todo.steps),
    putIntent(epoch, decision, work),
    closeAbandonedEpochs(ports, vip, work.others, seen),
  ]);
  markSent(milestones, executed.steps);
  const verdict = await readBack(epoch, decision, work, executed.steps);
  if (verdict.readBackAtMs !== undefined) milestones.push(milestone('read-back', verdict.readBackAtMs));
  const bugs = [...executed.bugs, ...verdict.bugs];
  return finish(epoch, { seen, decision, todo: work.todo, verdict, milestones, intent, closed, bugs });
}

/** Dated when EC2 had answered, and not when the holder woke. */
function seenMilestone(seen: Observation | Error, now: EpochMs): Milestone {
  if (seen instanceof Error) return milestone('describe-failed', now);
  return seen.source === 'ec2' ? milestone('described', seen.endedAtMs) : milestone('view-taken', now);
}

/** From here on the lease is kept only while the item still elects the target. */
function watchElection({ ports, heldLease }: Epoch, { moves }: Decision): void {
  if (moves !== undefined)
    heldLease.watch((item) => isStillElected(moves.vip, moves.target, item, ports.clock.now()));
}

/** What a decision takes. */
interface Work {
  readonly todo: Plan;
  /** Whether the observation shows every write before it. */
  readonly trusted: boolean;
  /** Other holders whose epochs are open. */
  readonly others: readonly string[];
  /** When the last call will go out, where EC2's request budget does not last for all at once. */
  readonly dueAtMs?: EpochMs;
}

function planned({ ports, heldLease, vip }: Epoch, seen: Observation | Error, { moves }: Decision): Work {
  const others = Object.keys(vip.open).filter((holder) => holder !== heldLease.lease.holder);
  const trusted = isTrusted(vip, seen, others);
  const todo: Plan =
    moves === undefined ? { steps: [], conflicts: [] } : plan(moves.vip, moves.seen, moves.target, trusted);
  return { todo, trusted, others, ...defined({ dueAtMs: lastCallAtMs(ports.callQueue, todo.steps) }) };
}

/** Where nothing was sent the observation itself is what EC2 shows. */
async function readBack(
  { ports, heldLease }: Epoch,
  { moves }: Decision,
  { trusted, todo }: Work,
  sent: readonly StepTried[],
): Promise<Verdict> {
  if (moves !== undefined && sent.length > 0) return verify(ports, heldLease, moves, sent);
  const verified = moves !== undefined && trusted && isWhole(todo) && heldLease.wasOurs(moves.seen.endedAtMs);
  return { steps: sent, verified, conflicts: [], notes: [], bugs: [] };
}

type Finished = Omit<OutcomeInput, 'lease' | 'vip' | 'atMs'> & {
  readonly closed: readonly string[];
  readonly bugs: readonly Fault[];
};

/** Writes the outcome, and says what the holder may do with the lease. */
async function finish(
  { ports, heldLease: { lease }, vip }: Epoch,
  { closed, bugs, ...told }: Finished,
): Promise<EpochResult> {
  const { moves } = told.decision;
  const { stop, steps } = told.verdict;
  const failover = buildOutcome({ ...told, lease, vip, atMs: ports.clock.now() });
  return {
    failover,
    ...(await recordOutcome(ports.timeline, failover)),
    ...defined({ target: moves?.target }),
    committable: moves !== undefined && stop === undefined && steps.every((s) => s.result === 'done'),
    closedHolders: [...closed, lease.holder],
    bugs,
  };
}

const isWhole = ({ conflicts }: Plan): boolean => unmetCells(conflicts).length === 0;

/** Whether it shows every write before it: no other holder may still be at work, and the last write is long enough ago. */
const isTrusted = (vip: Vip, seen: Observation | Error, others: readonly string[]): boolean =>
  !(seen instanceof Error) &&
  seen.source === 'ec2' &&
  others.length === 0 &&
  seen.beganAtMs >= plus(vip.touchedAtMs, STALE_READ);

/** The election names a node that EC2 does not show. */
export const unseenText = (node: string): string => `EC2 shows no labelled ENI of the elected node ${node}`;

function decide(vip: Vip, seen: Observation | Error, now: EpochMs): Decision {
  const known = seen instanceof Error ? vip : withMembersSeen(vip, seen);
  const election = elect(known, now);
  const notes =
    election.suspendedPin === undefined ? [] : [`pin suspended: ${unfitText(election.suspendedPin)}`];
  const flapping = dampedMembers(known, now);
  const { owner: to, reason, splitBrain } = election;
  const said = { to, reason, splitBrain, flapping, notes };
  if (isLiveOrder(vip.freeze, now) || election.owner === undefined) return said;
  if (seen instanceof Error) return { ...said, failed: `describe failed: ${seen.message}` };
  const target = membersSeen(vip, seen, vip.members)[election.owner];
  if (target === undefined) {
    return { ...said, failed: unseenText(election.owner) };
  }
  return { ...said, moves: { vip: known, seen, target } };
}

/** The observation; a stored view that serves when that is slow or fails; the error when there is neither. */
async function observe(
  { ports, heldLease, vip }: Epoch,
  observing: Promise<Observation>,
): Promise<Observation | Error> {
  const first = await firstOf(ports.clock, observing);
  if (first !== undefined && !(first instanceof Error)) return first;
  const stored = await ports.views.view(vip.name).catch(() => undefined);
  const problem = stored && viewProblem(vip, stored, ports.clock.now());
  if (stored !== undefined && problem === undefined) return { ...stored, source: 'stored' };
  let answer = first ?? (await asValue(observing));
  for (let n = 1; n < OBSERVATIONS_MAX && mayPass(answer) && heldLease.mayStart(); n++) {
    answer = await asValue(ports.ec2.observe(vip));
  }
  if (problem === undefined || !(answer instanceof Error)) return answer;
  return new Error(`${answer.message}; ${viewProblemText(problem)}`, { cause: answer });
}

/** Whether the same request may be answered the next time. */
const mayPass = (answer: Observation | Error): boolean =>
  answer instanceof Error && toFault(answer).kind !== 'bug';

const asValue = (observing: Promise<Observation>): Promise<Observation | Error> => observing.catch(asError);
const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Undefined when OBSERVE_TIMEOUT has passed since this was asked. */
const firstOf = (clock: Clock, observing: Promise<Observation>): Promise<Observation | Error | undefined> =>
  Promise.race([
    asValue(observing),
    clock.wait(OBSERVE_TIMEOUT).then(
      () => undefined,
      () => undefined,
    ),
  ]);

/** Where something is sent. Why it could not be recorded is told with the outcome. */
async function putIntent(
  { ports, heldLease, vip }: Epoch,
  decision: Decision,
  { todo, dueAtMs }: Work,
): Promise<Error | undefined> {
  if (todo.steps.length === 0) return undefined;
  const meant: Intent = {
    entry: 'intent',
    vip: vip.name,
    epoch: heldLease.lease.epoch,
    holder: heldLease.lease.holder,
    cause: heldLease.lease.cause,
    ...defined({ from: vip.owner }),
    to: decision.to!,
    ...decided(decision.reason),
    steps: todo.steps.map(untold),
    ...defined({ dueAtMs }),
    atMs: ports.clock.now(),
  };
  return ports.timeline.put(fitted(meant)).then(() => undefined, asError);
}

/** Whether the record holds an outcome of this epoch: ours, or what another wrote when it took us for dead. */
async function recordOutcome(
  timeline: Timeline,
  failover: Failover,
): Promise<Pick<EpochResult, 'recorded' | 'unrecorded'>> {
  let last: Fault | undefined;
  const entry = fitted(failover);
  for (let attempt = 1; attempt <= 3 && last?.kind !== 'bug'; attempt++) {
    try {
      await timeline.put(entry);
      return { recorded: true };
    } catch (error) {
      // Tried again; put-if-absent makes a repeat harmless.
      last = toFault(error);
    }
  }
  return { recorded: false, unrecorded: last! };
}
