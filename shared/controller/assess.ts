import { listText } from '../bounded.ts';
import { type Texts, textOf } from '../keyed.ts';
import type { Conflict } from '../network/conflict.ts';
import { membersSeen, type Observation, type Stray, strays } from '../network/observation.ts';
import { plan } from '../network/plan.ts';
import type { Step } from '../network/step.ts';
import type { ViewProblem } from '../network/view-cache.ts';
import { defined } from '../optional.ts';
import { unseenText } from '../switch/run-epoch.ts';
import type { Switched } from '../switch/switch-vip.ts';
import type { EpochMs } from '../time.ts';
import {
  type ElectionReason,
  elect,
  electionText,
  electionTexts,
  isLiveOrder,
  unfitText,
} from '../vip/election.ts';
import { dampedMembers, type Flapping } from '../vip/flapping.ts';
import { STALE_READ } from '../vip/lease.ts';
import type { Unheard } from '../vip/unheard.ts';
import type { Vip } from '../vip/vip.ts';
import { drainCause, goesWithTheVip, staysText } from './drained.ts';
import { troubleOf } from './health.ts';

/** What was found about one VIP. */
export type AssessmentReason =
  | ElectionReason
  | { readonly key: 'open-epoch' }
  | { readonly key: 'dead-lease' }
  | { readonly key: 'unseen'; readonly node: string }
  | { readonly key: 'drift' }
  | { readonly key: 'in-sync' };

const texts: Texts<AssessmentReason> = {
  ...electionTexts,
  'open-epoch': () => 'open epoch',
  'dead-lease': () => 'dead lease',
  unseen: ({ node }) => unseenText(node),
  drift: () => 'drift',
  'in-sync': () => 'in sync',
};

export interface ReconcileResult {
  readonly vip: string;
  readonly did: 'nothing' | 'skipped' | 'switched';
  /** Why a lease was asked for, or why not. */
  readonly why: string;
  readonly drift: readonly Step[];
  readonly conflicts: readonly Conflict[];
  readonly strays: readonly Stray[];
  readonly splitBrain: readonly string[];
  /** Members that are damped. */
  readonly flapping: readonly Flapping[];
  readonly suspendedPin?: string;
  /** The owner is drained and keeps the VIP: why. */
  readonly drained?: string;
  /** The owner is about to go and keeps the VIP: why. */
  readonly leaving?: string;
  /** What would keep a failover from doing what it should, one sentence each. */
  readonly trouble: readonly string[];
  /** No claim of any member was accepted for minutes, and no order says that nothing is to move anyway. */
  readonly unheard?: Unheard;
  /** Why a failover would have no view to plan from if the describes did not answer; `trouble` has its sentence. */
  readonly viewProblem?: ViewProblem;
  readonly switched?: Switched;
}

export type Assessment = Pick<
  ReconcileResult,
  | 'why'
  | 'drift'
  | 'conflicts'
  | 'strays'
  | 'splitBrain'
  | 'flapping'
  | 'suspendedPin'
  | 'drained'
  | 'leaving'
  | 'trouble'
> & {
  readonly reason: AssessmentReason;
  /** The cause under which a lease is needed; undefined when nothing is to be done. */
  readonly take?: string;
};

/** What has to be followed, and by whose word. */
const takeText = (vip: Vip, reason: ElectionReason, now: EpochMs): string =>
  drainCause(vip, now)?.why ?? `missed claim: ${electionText(reason)}`;

export function assess(vip: Vip, seen: Observation, now: EpochMs): Assessment {
  const election = elect(vip, now);
  const frozen = isLiveOrder(vip.freeze, now);
  const target =
    election.owner === undefined ? undefined : membersSeen(vip, seen, vip.members)[election.owner];
  const { steps: drift, conflicts } =
    target === undefined || frozen ? { steps: [], conflicts: [] } : plan(vip, seen, target, true);
  const pin = defined({ suspendedPin: election.suspendedPin && unfitText(election.suspendedPin) });
  const unseen = target === undefined && election.owner !== undefined ? { unseen: election.owner } : {};
  const outgoing = defined({ drained: staysText(vip, now), leaving: goesWithTheVip(vip, now) });
  const flapping = dampedMembers(vip, now);
  const said = {
    drift,
    conflicts,
    strays: strays(vip, seen),
    splitBrain: election.splitBrain,
    flapping,
    trouble: troubleOf(vip, { conflicts, flapping, ...pin, ...unseen, ...outgoing }),
    ...pin,
    ...outgoing,
  };
  const because = (reason: AssessmentReason) => ({
    ...said,
    reason,
    why: textOf(texts, reason) ?? reason.key,
  });
  const left = Object.values(vip.open)[0];
  if (left !== undefined)
    return { ...because({ key: 'open-epoch' }), take: `epoch ${left.epoch} was left open` };
  if (vip.lease !== undefined)
    return { ...because({ key: 'dead-lease' }), take: `the lease of epoch ${vip.epoch} ran out` };
  if (frozen) return because({ key: 'frozen' });
  if (election.owner === undefined) return because(election.reason);
  if (target === undefined) return because({ key: 'unseen', node: election.owner });
  if (election.owner !== vip.owner)
    return { ...because(election.reason), take: takeText(vip, election.reason, now) };
  // A read this soon after a mutation may be older than it: check again in a minute rather than undo it for nothing.
  const fresh = seen.beganAtMs >= vip.touchedAtMs + STALE_READ;
  if (drift.length === 0 || !fresh) return because({ key: 'in-sync' });
  return { ...because({ key: 'drift' }), take: `drift at ${listText(drift.map((s) => s.cell))}` };
}
