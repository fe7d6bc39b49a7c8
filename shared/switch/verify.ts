// Reading back: does EC2 agree with what was sent, and is the target still the elected one?
//
// Invariant: a cell is sent again only when it is wrong for a reason that sending may fix. A cell whose own attempt
// succeeded and that a read, begun less than STALE_READ later, shows as it was before, is a stale read and not wrong. What a
// read does not show at all, as an empty Describe, proves nothing.
import { listText } from '../bounded.ts';
import type { Fault } from '../fault.ts';
import { type Conflict, conflictText, unmetCells } from '../network/conflict.ts';
import { isOurTable, membersSeen, type Observation } from '../network/observation.ts';
import { type Plan, plan } from '../network/plan.ts';
import type { Step, StepTried } from '../network/step.ts';
import { defined } from '../optional.ts';
import { type EpochMs, plus } from '../time.ts';
import { elect } from '../vip/election.ts';
import { STALE_READ } from '../vip/lease.ts';
import type { Member } from '../vip/member.ts';
import type { VipStore } from '../vip/store.ts';
import type { Vip } from '../vip/vip.ts';
import { type ExecutePorts, executeSteps } from './execute.ts';
import type { HeldLease } from './held-lease.ts';

/** Rounds of reading back and sending again; what is wrong after them is left to the next reconcile. */
export const ROUNDS_MAX = 4;

export interface Verdict {
  readonly steps: readonly StepTried[];
  /** EC2 was read back under the lease, and showed every cell of the VIP's own right. */
  readonly verified: boolean;
  /** When EC2 had answered: of what came to pass later the read-back says nothing. Undefined when it was not read back. */
  readonly readBackAtMs?: EpochMs;
  /** Cells that were sent and then found out of reach. */
  readonly conflicts: readonly Conflict[];
  /** Why the switch must stop: another caller has the lease, or the election has changed. */
  readonly stop?: 'lease lost' | 'elected another';
  readonly notes: readonly string[];
  /** Mistakes in our own code that ended steps which were sent again. */
  readonly bugs: readonly Fault[];
}

/** What moves, and to whom. */
export interface Moves {
  readonly vip: Vip;
  readonly target: Member;
}

export async function verify(
  ports: ExecutePorts & { readonly vips: VipStore },
  heldLease: HeldLease,
  moves: Moves,
  sent: readonly StepTried[],
): Promise<Verdict> {
  const { vip, target } = moves;
  let steps = sent;
  let readBackAtMs: EpochMs | undefined;
  const bugs: Fault[] = [];
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const [seen, item] = await Promise.all([
      settled(ports.ec2.observe(vip)),
      settled(ports.vips.read(vip.name)),
    ]);
    const stop =
      item instanceof Error || item === undefined ? undefined : whyStop(ports, heldLease, moves, item);
    if (stop !== undefined)
      return { steps: undecided(steps), verified: false, stop, conflicts: [], notes: [], bugs };
    if (!(item instanceof Error) && item !== undefined) heldLease.observe(item);
    if (seen instanceof Error)
      return {
        steps: undecided(steps),
        verified: false,
        conflicts: [],
        notes: [`could not read back: ${seen.message}`],
        bugs,
      };
    readBackAtMs = seen.endedAtMs;
    const again = plan(vip, seen, target, true);
    const { wrong, stale, taken } = differences(again, steps, seen);
    const unseen = steps.filter((s) => !isShown(s, vip, seen));
    const fresh = seen.beganAtMs >= plus(vip.touchedAtMs, STALE_READ);
    steps = confirmed(steps, [...wrong, ...taken, ...unseen], fresh);
    if (wrong.length === 0 && unseen.length > 0 && round < ROUNDS_MAX) continue;
    if (wrong.length === 0) {
      const unproven = fresh ? [] : steps.filter((s) => !unseen.includes(s) && s.result !== 'done');
      const doubts = [stale, taken, unseen, unproven, unmetCells(again.conflicts)];
      const ours = heldLease.wasOurs(readBackAtMs);
      return {
        steps,
        verified: ours && doubts.every((of) => of.length === 0),
        readBackAtMs,
        conflicts: taken.filter((c) => unseen.every((s) => s.cell !== c.cell)),
        notes: [
          ...tooSoon(stale),
          ...lost(taken),
          ...notShown(unseen),
          ...notProven(unproven),
          ...(ours ? [] : [afterLease]),
        ],
        bugs,
      };
    }
    const repeated = wrong.filter((step) => worthSending(step, steps));
    if (repeated.length === 0 || round === ROUNDS_MAX || !heldLease.mayStart()) break;
    const resent = await executeSteps(ports, heldLease, repeated);
    bugs.push(...resent.bugs);
    steps = joined(steps, resent.steps);
  }
  const notes = ['read back: EC2 does not show what was sent'];
  return { steps, verified: false, ...defined({ readBackAtMs }), conflicts: [], notes, bugs };
}

const settled = <T>(promise: Promise<T>): Promise<T | Error> =>
  promise.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));

function whyStop(
  ports: ExecutePorts,
  heldLease: HeldLease,
  { vip, target }: Moves,
  item: Vip,
): Verdict['stop'] {
  if (item.lease?.epoch !== heldLease.lease.epoch || item.lease.holder !== heldLease.lease.holder)
    return 'lease lost';
  return isStillElected(vip, target, item, ports.clock.now()) ? undefined : 'elected another';
}

/** Members as this switch knows them: an ENI that was labelled a second ago need not be in the item yet. */
export const isStillElected = (vip: Vip, target: Member, item: Vip, now: EpochMs): boolean =>
  elect({ ...item, members: { ...item.members, ...vip.members } }, now).owner === target.node;

interface Differences {
  readonly wrong: readonly Step[];
  /** Accepted, and shown as before by a read that may be older. */
  readonly stale: readonly Step[];
  /** Sent, and found with a foreign target or otherwise out of reach. */
  readonly taken: readonly Conflict[];
}

function differences(again: Plan, steps: readonly StepTried[], seen: Observation): Differences {
  const isStale = (step: Step): boolean => {
    const own = steps.find((s) => s.cell === step.cell);
    if (own?.result !== 'done' || isThrownOff(own.step, seen)) return false;
    return step.from === own.from && seen.beganAtMs - own.doneAtMs! < STALE_READ;
  };
  return {
    wrong: again.steps.filter((step) => !isStale(step)),
    // Stryker disable next-line MethodExpression: asked for only where no step is wrong, so that all are stale
    stale: again.steps.filter(isStale),
    taken: again.conflicts.filter((c) => steps.some((s) => s.cell === c.cell)),
  };
}

/** Another VIP, moving at the same moment, took the very address: AssociateAddress displaces the first one. */
const isThrownOff = (own: Step, seen: Observation): boolean => {
  // Stryker disable next-line ConditionalExpression: no other call has a private address that could be taken
  if (own.call !== 'AssociateAddress') return false;
  const places = seen.enis.find((e) => e.eni === own.eni)?.addresses;
  const eip = places?.find((a) => a.privateAddress === own.privateAddress)?.eip;
  return eip !== undefined && eip !== own.eip;
};

/** Whether the read speaks of the step's cell at all. */
function isShown({ step }: StepTried, vip: Vip, seen: Observation): boolean {
  switch (step.call) {
    case 'ReplaceRoute':
    case 'CreateRoute':
      return seen.tables.some((t) => t.table === step.table && isOurTable(vip, t));
    case 'AssociateAddress':
      return seen.eips.some((e) => e.eip === step.eip);
    case 'ModifyNetworkInterfaceAttribute':
      return seen.enis.some((e) => e.eni === step.eni);
    // Stryker disable next-line ConditionalExpression: the compiler knows that there is no other call
    default:
      return step satisfies never;
  }
}

const notShown = (unseen: readonly StepTried[]): readonly string[] =>
  unseen.length === 0 ? [] : [`read back: EC2 showed nothing of ${cells(unseen)}`];

/** A read so soon may show what was there before the last mutation: it proves nothing of what this one did not carry out. */
const notProven = (unproven: readonly StepTried[]): readonly string[] =>
  unproven.length === 0
    ? []
    : [`read back too soon to tell: ${cells(unproven)} was not carried out, and looks right`];

/** The next holder may have been at work by then. */
const afterLease = 'read back after the lease had run out';

const tooSoon = (stale: readonly Step[]): readonly string[] =>
  stale.length === 0 ? [] : [`read back too soon to tell: EC2 still showed the old state at ${cells(stale)}`];
const cells = (of: readonly { readonly cell: string }[]): string => listText(of.map((s) => s.cell));
const lost = (taken: readonly Conflict[]): readonly string[] =>
  taken.map((c) => `read back: ${c.cell} shows ${c.found}: ${conflictText(c)}`);

/**
 * What had no answer or was refused, and yet is in sync, was carried out after all. What was only to be
 * made sure and is right by a read that can be trusted needs no sending any more.
 */
const confirmed = (
  steps: readonly StepTried[],
  wrong: readonly { readonly cell: string }[],
  fresh: boolean,
): readonly StepTried[] => {
  const isWrong = new Set(wrong.map((w) => w.cell));
  return steps
    .filter((s) => s.attempts > 0 || !fresh || isWrong.has(s.cell))
    .map((s) => (isOpen(s) && !isWrong.has(s.cell) ? { ...s, result: 'done' } : s));
};

/** Reading decides: an attempt had no answer, or one succeeded and the next, for which an old read was the reason, was refused. */
const isOpen = ({ result, landed }: StepTried): boolean => result === 'unknown' || landed === true;

/** Where no read follows: what landed once and was refused when it was sent again may be what EC2 has. */
const undecided = (steps: readonly StepTried[]): readonly StepTried[] =>
  steps.map((s) => (s.result === 'failed' && s.landed === true ? { ...s, result: 'unknown' } : s));

/** A refusal stays a refusal, and a bug a bug; everything else may have been a slip, or another caller's late request. */
function worthSending(step: Step, steps: readonly StepTried[]): boolean {
  const own = steps.find((s) => s.cell === step.cell);
  return own?.result !== 'failed' && own?.fault !== 'bug';
}

function joined(before: readonly StepTried[], after: readonly StepTried[]): readonly StepTried[] {
  const merged = before.map((was) => {
    const is = after.find((s) => s.cell === was.cell);
    if (is === undefined) return was;
    if (is.result === 'unsent') {
      const { code, message, fault } = is;
      const result = was.result === 'done' ? ('unsent' as const) : was.result;
      // Of one that had succeeded the record must name what kept it from being sent again.
      const told = fault === undefined && was.result !== 'done' ? {} : defined({ code, message, fault });
      return { ...was, result, ...told };
    }
    return {
      ...is,
      // As in execute.ts: after an attempt without an answer a refusal does not prove that nothing happened.
      result: is.result === 'failed' && was.result === 'unknown' ? 'unknown' : is.result,
      from: was.from,
      attempts: was.attempts + is.attempts,
      unanswered: was.unanswered + is.unanswered,
      ...defined({ sentAtMs: was.sentAtMs ?? is.sentAtMs }),
      ...(is.result === 'failed' && (was.result === 'done' || was.landed)
        ? { landed: true as const }
        : undefined),
    };
  });
  return [...merged, ...after.filter((s) => !before.some((was) => was.cell === s.cell))];
}

/** The members that the switch works with: those of the item and those that EC2 shows now. */
export const withMembersSeen = (vip: Vip, seen: Observation): Vip => ({
  ...vip,
  members: { ...vip.members, ...membersSeen(vip, seen, vip.members) },
});
