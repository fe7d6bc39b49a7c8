// What a claim has to do next, given the VIP's item as it is: one decision, without a request. Pure. handle-claim.ts carries
// it out, and asks again where the item or what is known of the node has changed.
//
// Invariants: a claim of a node that is not a member is never recorded. A claim that can be recorded without a condition on the
// item's `rev` is, so that it cannot lose a race. No lease is taken where nothing would come of it. A node has one caller who
// waits for a lease of another cause: the one that recorded its present transition. And one who waits for the lease that this
// transition has caused, in case that its holder dies: the one that recorded that it came by the second way, too.

import { defined } from '../optional.ts';
import type { EpochMs } from '../time.ts';
import type { CountedReason } from '../vip/admission.ts';
import { contradictionOf } from '../vip/admission.ts';
import type { Claim } from '../vip/claim.ts';
import { elect } from '../vip/election.ts';
import { FLAPS_STORED_MAX } from '../vip/flapping.ts';
import { type Cause, isLive, type Lease } from '../vip/lease.ts';
import type { Members } from '../vip/member.ts';
import { type NodeState, sameTransition } from '../vip/node-state.ts';
import { isBackingOff } from '../vip/retry-backoff.ts';
import type { ClaimWrite } from '../vip/store.ts';
import { isNews, onlyRefreshes, type Vip, withClaim } from '../vip/vip.ts';

/** A claim as it is recorded. */
export interface RecordableClaim {
  readonly claim: Claim;
  readonly nodeState: NodeState;
  /** The evidence window in which it was sent. */
  readonly window: number;
  /** Members that EC2 shows; undefined until someone has looked. */
  readonly membersSeen?: Members;
  /** The write that brought this transition into the item was the caller's own. */
  readonly isOwnWrite?: boolean;
  /** The caller's own write noted that this transition has come by the second way, too. */
  readonly isSecondCopy?: boolean;
}

export const causeOf = (claim: Claim): Cause => ({
  kind: 'claim',
  node: claim.node,
  seq: claim.seq,
  id: claim.eventId,
  why: `${claim.node} said ${claim.state}${claim.kind === 'transition' ? '' : ` (${claim.kind})`}`,
  atMs: claim.timeMs,
});

export const claimWriteFrom = (
  { claim, nodeState, window }: RecordableClaim,
  as: ClaimWrite['as'],
): ClaimWrite => ({
  vip: claim.vip,
  node: claim.node,
  nodeState,
  window,
  as,
});

export type NextAction =
  | {
      readonly do: 'reject';
      readonly reason: Extract<CountedReason, 'unknown-vip' | 'not-a-member'>;
      readonly message: string;
    }
  /** The item does not know the node: EC2 has to say whether it is a member. */
  | { readonly do: 'look-up'; readonly item: Vip }
  /** Take the lease with the claim in the item, and switch. */
  | (Recorded & { readonly do: 'switch' })
  /** Write the claim: `news` and `refresh` without a condition on `rev`, `compare` with one. */
  | (Recorded & { readonly do: 'record'; readonly as: 'news' | 'refresh' | 'compare' })
  /** It is recorded; the lease's holder sees it at the release at the latest. If the holder is dead, take over. */
  | (Recorded & { readonly do: 'wait' })
  | (Recorded & { readonly do: 'answer' });

interface Recorded {
  /** As it is stored. */
  readonly item: Vip;
  /** With the claim in it; `item` itself where it is recorded already. */
  readonly recorded: Vip;
  /** A first report of the node, or of another transition than the one that is stored. */
  readonly isTransition: boolean;
  /** The transition is stored, and has come by the other way until now. */
  readonly isSecondCopy: boolean;
  /** Why the claim and what is stored of its node cannot both be true. */
  readonly contradiction?: string;
}

/** A transition to MASTER most likely moves the VIP. */
export const isUrgent = (claim: Claim): boolean => claim.kind === 'transition' && claim.state === 'MASTER';

export function nextAction(item: Vip | undefined, told: RecordableClaim, now: EpochMs): NextAction {
  const { claim, nodeState, window } = told;
  if (item === undefined || item.removedAtMs !== undefined) {
    const message = `VIP ${JSON.stringify(claim.vip)} is not in the registry; register it, or correct notify.conf`;
    return { do: 'reject', reason: 'unknown-vip', message };
  }
  const membership = withMember(item, told);
  if (membership === 'unknown') return { do: 'look-up', item };
  if (membership === 'none') {
    const message = `no ENI of ${claim.node} has the label ${item.nodeLabels.join(' or ')} in ${item.vpc}`;
    return { do: 'reject', reason: 'not-a-member', message };
  }
  const recorded = withClaim(membership, claim.node, nodeState, window);
  const known = item.claims[claim.node];
  const contradiction = contradictionOf(known, nodeState);
  const is = recorded.claims[claim.node]!;
  const isTransition = known === undefined || !sameTransition(known, is);
  const found: Recorded = {
    item,
    recorded,
    isTransition,
    isSecondCopy: !isTransition && known.ways !== is.ways && sameTransition(is, nodeState),
    ...defined({ contradiction }),
  };
  if (isSwitchDue(recorded, claim, now)) return { ...found, do: 'switch' };
  if (recorded !== item) return { ...found, do: 'record', as: waysToRecord(item, told) };
  if (isLive(item.lease, now) && isPresent(known, told) && waitsFor(item.lease, told))
    return { ...found, do: 'wait' };
  return { ...found, do: 'answer' };
}

/**
 * Whether the item still says what this caller wrote into it. Not so for an older transition of the node, nor for one that
 * was delivered twice: the caller that recorded the present one waits. `seq` is not compared: the node's next
 * assertion raises it.
 */
const isPresent = (known: NodeState | undefined, { nodeState }: RecordableClaim): boolean =>
  known !== undefined && sameTransition(known, nodeState) && known.state === nodeState.state;

/**
 * The first copy of a transition to MASTER waits for any lease; the second one for the lease that the first has caused. An
 * assertion may have come by the other way sooner than the transition itself: then it is the second copy.
 */
const waitsFor = (lease: Lease | undefined, told: RecordableClaim): boolean =>
  (told.isOwnWrite === true && isUrgent(told.claim)) ||
  (told.isSecondCopy === true && told.claim.state === 'MASTER' && isCausedBy(lease, told.claim));

const isCausedBy = (lease: Lease | undefined, { node, since }: Claim): boolean =>
  lease?.cause.kind === 'claim' && lease.cause.node === node && lease.cause.seq === since;

/** The item with the node among its members. */
function withMember(item: Vip, { claim: { node }, membersSeen }: RecordableClaim): Vip | 'unknown' | 'none' {
  if (item.members[node] !== undefined) return item;
  if (membersSeen === undefined) return 'unknown';
  if (membersSeen[node] === undefined) return 'none';
  return { ...item, members: { ...item.members, ...membersSeen } };
}

/** No live lease, and something to do: an epoch left open, a dead holder's lease, or another owner. */
function isSwitchDue(vip: Vip, claim: Claim, now: EpochMs): boolean {
  if (isLive(vip.lease, now)) return false;
  if (vip.lease !== undefined || Object.keys(vip.open).length > 0) return true;
  const election = elect(vip, now);
  if (election.owner === vip.owner) return false;
  return isUrgent(claim) || !isBackingOff(vip.tried, election, now);
}

/** Without a condition on `rev` where the claim of a stored member only overwrites, and leaves room for its next transition. */
function waysToRecord(item: Vip, { claim, nodeState }: RecordableClaim): 'news' | 'refresh' | 'compare' {
  if (item.members[claim.node] === undefined) return 'compare';
  const known = item.claims[claim.node];
  const stored = item.transitions?.[claim.node] ?? [];
  if (isNews(known, nodeState)) return stored.length < FLAPS_STORED_MAX ? 'news' : 'compare';
  return onlyRefreshes(known!, nodeState) ? 'refresh' : 'compare';
}
