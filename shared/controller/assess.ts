import { listText } from '../bounded.ts';
import { membersSeen, type Observation, type Stray, strays } from '../network/observation.ts';
import { plan } from '../network/plan.ts';
import type { Conflict, Step } from '../network/step.ts';
import type { Switched } from '../switch/switch-vip.ts';
import type { EpochMs } from '../time.ts';
import { elect, isLiveOrder } from '../vip/election.ts';
import { STALE_READ } from '../vip/lease.ts';
import type { Unheard } from '../vip/unheard.ts';
import type { Vip } from '../vip/vip.ts';
import { troubleOf } from './health.ts';

export interface ReconcileResult {
  readonly vip: string;
  readonly did: 'nothing' | 'skipped' | 'switched';
  /** Why a lease was asked for, or why not. */
  readonly why: string;
  readonly drift: readonly Step[];
  readonly conflicts: readonly Conflict[];
  readonly strays: readonly Stray[];
  readonly splitBrain: readonly string[];
  readonly suspendedPin?: string;
  /** What would keep a failover from doing what it should, one sentence each. */
  readonly trouble: readonly string[];
  /** No claim of any member was accepted for minutes, and no order says that nothing is to move anyway. */
  readonly unheard?: Unheard;
  readonly switched?: Switched;
}

export type Assessment = Pick<
  ReconcileResult,
  'why' | 'drift' | 'conflicts' | 'strays' | 'splitBrain' | 'suspendedPin' | 'trouble'
> & {
  /** The cause under which a lease is needed; undefined when nothing is to be done. */
  readonly take?: string;
};

export function assess(vip: Vip, seen: Observation, now: EpochMs): Assessment {
  const election = elect(vip, now);
  const frozen = isLiveOrder(vip.freeze, now);
  const target =
    election.owner === undefined ? undefined : membersSeen(vip, seen, vip.members)[election.owner];
  const { steps: drift, conflicts } =
    target === undefined || frozen ? { steps: [], conflicts: [] } : plan(vip, seen, target, true);
  const pin = election.suspendedPin === undefined ? {} : { suspendedPin: election.suspendedPin };
  const unseen = target === undefined && election.owner !== undefined ? { unseen: election.owner } : {};
  const said = {
    drift,
    conflicts,
    strays: strays(vip, seen),
    splitBrain: election.splitBrain,
    trouble: troubleOf(vip, { conflicts, ...pin, ...unseen }),
    ...pin,
  };
  const left = Object.values(vip.open)[0];
  if (left !== undefined) return { ...said, why: 'open epoch', take: `epoch ${left.epoch} was left open` };
  if (vip.lease !== undefined)
    return { ...said, why: 'dead lease', take: `the lease of epoch ${vip.epoch} ran out` };
  if (frozen) return { ...said, why: 'frozen by order' };
  if (election.owner === undefined) return { ...said, why: election.why };
  if (target === undefined) {
    return { ...said, why: `EC2 shows no labelled ENI of the elected node ${election.owner}` };
  }
  if (election.owner !== vip.owner)
    return { ...said, why: election.why, take: `missed claim: ${election.why}` };
  // A read this soon after a mutation may be older than it: look again in a minute rather than undo it in vain.
  const fresh = seen.beganAtMs >= vip.touchedAtMs + STALE_READ;
  if (drift.length === 0 || !fresh) return { ...said, why: 'as it should be' };
  return { ...said, why: 'drift', take: `drift at ${listText(drift.map((s) => s.cell))}` };
}
