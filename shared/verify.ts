// Reading back: does EC2 agree with what was sent, and is the target still the elected one?
//
// Invariant: a cell is sent again only when it is wrong for a reason that sending may mend. A cell whose own attempt
// succeeded and that a read, begun less than STALE_READ later, shows as it was before, is a stale read and not wrong.
import { apply, type Hands } from './apply.ts';
import { elect } from './election.ts';
import type { Grip } from './grip.ts';
import { STALE_READ } from './lease.ts';
import type { Member } from './member.ts';
import { membersSeen, type Observation } from './observation.ts';
import { type Plan, plan, type Step } from './plan.ts';
import type { StepDone } from './timeline.ts';
import type { Vip, VipStore } from './vip.ts';

/** Rounds of reading back and sending again; what is wrong after them is left to the next reconcile. */
export const ROUNDS_MAX = 4;

export interface Verdict {
  readonly steps: readonly StepDone[];
  /** EC2 was read back and showed every cell right. */
  readonly verified: boolean;
  /** Why the switch must stop: the lease is somebody else's, or the election has changed. */
  readonly stop?: 'lease lost' | 'elected another';
  readonly notes: readonly string[];
}

export async function verify(
  hands: Hands & { readonly vips: VipStore },
  grip: Grip,
  vip: Vip,
  target: Member,
  sent: readonly StepDone[],
): Promise<Verdict> {
  let steps = sent;
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const [seen, item] = await Promise.all([
      settled(hands.ec2.observe(vip)),
      settled(hands.vips.read(vip.name)),
    ]);
    const stop =
      item instanceof Error || item === undefined ? undefined : whyStop(hands, grip, vip, target, item);
    if (stop !== undefined) return { steps, verified: false, stop, notes: [] };
    if (seen instanceof Error)
      return { steps, verified: false, notes: [`could not read back: ${seen.message}`] };
    const wrong = wrongCells(plan(vip, seen, target, true), steps, seen);
    steps = confirmed(steps, wrong);
    if (wrong.length === 0) return { steps, verified: true, notes: [] };
    const again = wrong.filter((step) => worthSending(step, steps));
    if (again.length === 0 || round === ROUNDS_MAX || !grip.mayStart()) break;
    steps = joined(steps, await apply(hands, grip, again));
  }
  return { steps, verified: false, notes: ['read back: EC2 does not show what was sent'] };
}

const settled = <T>(promise: Promise<T>): Promise<T | Error> =>
  promise.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));

function whyStop(hands: Hands, grip: Grip, vip: Vip, target: Member, item: Vip): Verdict['stop'] {
  if (item.lease?.epoch !== grip.lease.epoch || item.lease.holder !== grip.lease.holder) return 'lease lost';
  // Members as this switch knows them: an ENI that was labelled a second ago need not be in the item yet.
  const now = elect({ ...item, members: { ...item.members, ...vip.members } }, hands.clock.now());
  return now.owner === target.node ? undefined : 'elected another';
}

function wrongCells(again: Plan, steps: readonly StepDone[], seen: Observation): readonly Step[] {
  return again.steps.filter((step) => {
    const own = steps.find((s) => s.cell === step.cell);
    const stale =
      own?.result === 'done' && step.from === own.from && seen.beganAtMs - own.doneAtMs! < STALE_READ;
    return !stale;
  });
}

/** What has no answer or a refusal behind it, and yet is as it should be, was carried out after all. */
const confirmed = (steps: readonly StepDone[], wrong: readonly Step[]): readonly StepDone[] =>
  steps.map((s) =>
    s.result === 'unknown' && !wrong.some((w) => w.cell === s.cell) ? { ...s, result: 'done' } : s,
  );

/** A refusal stays a refusal; everything else may have been a slip, or somebody's late request. */
const worthSending = (step: Step, steps: readonly StepDone[]): boolean =>
  steps.find((s) => s.cell === step.cell)?.result !== 'failed';

function joined(before: readonly StepDone[], after: readonly StepDone[]): readonly StepDone[] {
  const merged = before.map((was) => {
    const is = after.find((s) => s.cell === was.cell);
    if (is === undefined) return was;
    if (is.result === 'unsent')
      return { ...was, result: was.result === 'done' ? ('unsent' as const) : was.result };
    const sentAtMs = was.sentAtMs ?? is.sentAtMs;
    return {
      ...is,
      from: was.from,
      attempts: was.attempts + is.attempts,
      unanswered: was.unanswered + is.unanswered,
      ...(sentAtMs === undefined ? {} : { sentAtMs }),
    };
  });
  return [...merged, ...after.filter((s) => !before.some((was) => was.cell === s.cell))];
}

/** The members that the switch works with: those of the item and those that EC2 shows now. */
export const withMembersSeen = (vip: Vip, seen: Observation): Vip => ({
  ...vip,
  members: { ...vip.members, ...membersSeen(vip, seen, vip.members) },
});
