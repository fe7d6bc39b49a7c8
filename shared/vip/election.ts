// The election: from the newest claim of every member to the node that should own the VIP. Pure; every row of the
// answer names its reason, which is recorded as data.
//
// A node that flaps is damped: it is passed over while another member can have the VIP (flapping.ts). So is one that is
// drained or about to go, before that and whatever damping says (docs/decisions/0039, 0047).
//
// Invariant: with no candidate among the claims the VIP stays where it is (guarantee 8), and where there is one and the
// newest two transitions are 2 s or more apart, the order of arrival does not matter (guarantee 2).
// Limit: two transitions on two nodes inside one second are ordered by node clocks within that second.

import { type Texts, textOf } from '../keyed.ts';
import { type DurationMs, type EpochMs, seconds } from '../time.ts';
import { DRIFT_MAX } from './boot-clock.ts';
import { STAMP_MS, type VrrpState } from './claim.ts';
import { isDamped } from './flapping.ts';
import { isSilent, NEVER_IN_TIME } from './liveness.ts';
import { lowerAdvertAt, type NodeState, transitionAt } from './node-state.ts';
import { type Override, outgoingOf, type Vip, withoutOutgoingMembers } from './vip.ts';

/** A lower-advert may be told this much later than it was heard: the shim lets one through in 10 s at the worst. */
export const ADVERT_DOUBT_MS = 3000;
/** A MASTER that spoke this long after the owner went silent takes over, though it may be silent itself. */
export const OUTLIVES_MS = 90_000;
/** Two masters are a split brain when the older is heard this long after the newer one's transition. */
export const SPLIT_AFTER_MS = 2000;

/** Why the election names the node that it names. */
export type ElectionReason =
  | { readonly key: 'frozen' }
  | { readonly key: 'pinned' }
  | { readonly key: 'newest-master'; readonly node: string }
  | { readonly key: 'in-doubt'; readonly node: string; readonly other: string }
  | { readonly key: 'outranks'; readonly node: string; readonly other: string }
  | { readonly key: 'damped'; readonly node: string; readonly other: string }
  | { readonly key: 'drained'; readonly node: string; readonly other: string }
  | { readonly key: 'leaving'; readonly node: string; readonly other: string; readonly cause: string }
  | { readonly key: 'no-candidate' }
  | { readonly key: 'unowned'; readonly node: string }
  | {
      readonly key: 'owner-withdrew';
      readonly node: string;
      readonly owner: string;
      readonly state: VrrpState;
    }
  | { readonly key: 'owner-silent'; readonly node: string; readonly owner: string };

export const electionTexts: Texts<ElectionReason> = {
  frozen: () => 'frozen by order',
  pinned: () => 'pinned by order',
  'newest-master': ({ node }) => `newest MASTER is ${node}`,
  'in-doubt': ({ node, other }) =>
    `${node} has it, and is as new a MASTER as ${other}, as far as can be told`,
  outranks: ({ node, other }) => `${node} outranks ${other} and received its advert after it became MASTER`,
  damped: ({ node, other }) => `${other} flaps and is damped; the VIP rests at ${node}`,
  drained: ({ node, other }) => `${other} is drained; the VIP goes to ${node}`,
  leaving: ({ node, other, cause }) => `${other} is about to go (${cause}); the VIP goes to ${node}`,
  'no-candidate': () => 'no candidate: the VIP stays where it is',
  unowned: ({ node }) => `${node} is the newest MASTER and no node owns the VIP`,
  'owner-withdrew': ({ node, owner, state }) => `${owner} reported ${state}; the newest MASTER is ${node}`,
  'owner-silent': ({ node, owner }) => `${node} reported long after ${owner} went silent`,
};

export const electionText = (reason: ElectionReason): string => textOf(electionTexts, reason) ?? reason.key;

/** Why a node may not be pinned or forced. */
export type Unfit =
  | { readonly key: 'no-member'; readonly node: string }
  | { readonly key: 'never-heard'; readonly node: string }
  | { readonly key: 'withdrawn'; readonly node: string; readonly state: VrrpState }
  | { readonly key: 'silent'; readonly node: string }
  /** These two only while another node can have the VIP. */
  | { readonly key: 'drained'; readonly node: string }
  | { readonly key: 'leaving'; readonly node: string };

const unfitTexts: Texts<Unfit> = {
  'no-member': ({ node }) => `${node} is not a member`,
  'never-heard': ({ node }) => `${node} never reported`,
  withdrawn: ({ node, state }) => `the last report of ${node} is ${state}`,
  silent: ({ node }) => `${node} is silent`,
  drained: ({ node }) => `${node} is drained`,
  leaving: ({ node }) => `${node} is about to go`,
};

export const unfitText = (reason: Unfit): string => textOf(unfitTexts, reason) ?? reason.key;

export interface Election {
  readonly owner: string | undefined;
  readonly reason: ElectionReason;
  /** Members heard saying MASTER at the same time; empty in health. */
  readonly splitBrain: readonly string[];
  /** A live pin whose node is not fit: suspended, to be alarmed. */
  readonly suspendedPin?: Unfit;
}

type Elected = Omit<Election, 'splitBrain'>;

interface Candidate {
  readonly node: string;
  readonly nodeState: NodeState;
  readonly at: EpochMs;
}

export const isLiveOrder = (order: Override | undefined, now: EpochMs): boolean =>
  order !== undefined && now < order.untilMs;

const withdrawn = new Set(['FAULT', 'STOP', 'DELETED']);

/** Undefined when the node is fit. */
export function unfit(vip: Vip, node: string): Unfit | undefined {
  if (vip.members[node] === undefined) return { key: 'no-member', node };
  const nodeState = vip.claims[node];
  if (nodeState === undefined) return { key: 'never-heard', node };
  if (withdrawn.has(nodeState.state)) return { key: 'withdrawn', node, state: nodeState.state };
  if (isSilent(vip, nodeState)) return { key: 'silent', node };
  return undefined;
}

export function elect(vip: Vip, now: EpochMs): Election {
  const masters = mastersOf(vip);
  const heard = masters.filter((c) => !isSilent(vip, c.nodeState));
  const splitBrain = splitBrainOf(heard);
  if (isLiveOrder(vip.freeze, now)) return { owner: vip.owner, reason: { key: 'frozen' }, splitBrain };
  return { ...pastOutgoing(vip, asIfAllStay(vip, masters, heard, now), heard, now), splitBrain };
}

/** As if no node were drained or about to go. */
function asIfAllStay(
  vip: Vip,
  masters: readonly Candidate[],
  heard: readonly Candidate[],
  now: EpochMs,
): Elected {
  // Stryker disable next-line ConditionalExpression: no order is a live one; the comparison is for the compiler
  if (vip.pin !== undefined && isLiveOrder(vip.pin, now)) {
    const suspendedPin = unfit(vip, vip.pin.node);
    if (suspendedPin === undefined) return { owner: vip.pin.node, reason: { key: 'pinned' } };
    return { ...pastDamped(vip, among(vip, masters, heard), heard, now), suspendedPin };
  }
  return pastDamped(vip, among(vip, masters, heard), heard, now);
}

/**
 * Another place for the VIP, where the elected node is drained or about to go and there is one: the same election among the members
 * that are not, and with hold `both` the best standby of them. Otherwise it keeps it: it is the last.
 */
function pastOutgoing(vip: Vip, elected: Elected, heard: readonly Candidate[], now: EpochMs): Elected {
  const { owner: other, reason } = elected;
  // Stryker disable next-line ConditionalExpression: no node is never on its way out; the comparison is for the compiler
  if (other === undefined) return elected;
  const why = outgoingOf(vip, other, now);
  if (why === undefined) return elected;
  const rest = withoutOutgoingMembers(vip, now);
  const masters = heard.filter(({ node }) => rest.members[node] !== undefined);
  const place = masters.length > 0 ? mastersChoice(rest, masters, now) : standbyOf(rest, now);
  if (place === undefined) return elected;
  const suspended = reason.key === 'pinned' ? { suspendedPin: { key: why.key, node: other } } : {};
  return { ...elected, ...suspended, owner: place, reason: { ...why, node: place, other } };
}

const mastersChoice = (vip: Vip, masters: readonly Candidate[], now: EpochMs): string | undefined =>
  pastDamped(vip, among(vip, masters, masters), masters, now).owner;

/** The owner if it is one; a calm one before one that flaps: an order counts for more than damping. */
function standbyOf(vip: Vip, now: EpochMs): string | undefined {
  if (vip.hold !== 'both') return undefined;
  const fit = Object.keys(vip.members).filter((node) => unfit(vip, node) === undefined);
  const calm = fit.filter((node) => !isDamped(vip, node, now));
  return restingPlace(vip, calm, fit) ?? bestOf(vip, fit);
}

function among(vip: Vip, masters: readonly Candidate[], heard: readonly Candidate[]): Elected {
  const [newest] = heard;
  if (newest === undefined) return unheard(vip, masters);
  const winner = heard.find((c) => c.node === vip.owner && isAsNew(c, newest)) ?? newest;
  const rightful = heard
    .filter(
      (c) =>
        c.nodeState.priority > winner.nodeState.priority && heardLowerSince(c.nodeState, winner.nodeState),
    )
    .sort(byPriority)[0];
  if (rightful === undefined && winner !== newest)
    return { owner: winner.node, reason: { key: 'in-doubt', node: winner.node, other: newest.node } };
  if (rightful === undefined)
    return { owner: winner.node, reason: { key: 'newest-master', node: winner.node } };
  return {
    owner: rightful.node,
    reason: { key: 'outranks', node: rightful.node, other: winner.node },
  };
}

/**
 * Whether no one can tell which of two masters came later, though both go on (docs/decisions/0046). Without a claim that was sent
 * soon after a transition, what dates it is a second wide, drifts with the node's clock, and gets tighter with each assertion.
 */
function isAsNew(owner: Candidate, newest: Candidate): boolean {
  if (owner.nodeState.young && newest.nodeState.young) return false;
  const ageMs = Math.max(0, newest.nodeState.seenMs - newest.at);
  const doubtMs = 2 * STAMP_MS + ageMs * DRIFT_MAX;
  return newest.at - owner.at < doubtMs && owner.nodeState.seenMs >= newest.nodeState.hiMs;
}

/**
 * A node that damping prefers has reported this recently, measured against the damped one's last report: a master asserts every
 * 10 s, others every 60 s. So a dead node keeps the VIP no longer than this, whatever silence says.
 */
export const REPORTED_WITHIN: Readonly<Record<'MASTER' | 'BACKUP', DurationMs>> = {
  MASTER: seconds(35),
  BACKUP: seconds(75),
};

/** Another place for the VIP, where the elected node is damped and there is one. */
function pastDamped(vip: Vip, elected: Elected, heard: readonly Candidate[], now: EpochMs): Elected {
  const damped = heard.find(({ node }) => node === elected.owner);
  if (damped === undefined || !isDamped(vip, damped.node, now)) return elected;
  const others = Object.keys(vip.members).filter((node) => isPlaceBeside(vip, node, damped));
  const calm = others.filter((node) => !isDamped(vip, node, now));
  const masters = heard.filter(({ node }) => calm.includes(node));
  const node = masters.length > 0 ? among(vip, masters, masters).owner! : restingPlace(vip, calm, others);
  if (node === undefined) return elected;
  return { owner: node, reason: { key: 'damped', node, other: damped.node } };
}

/** A heard member that may have the VIP in place of the damped one: with hold `master` only one that says MASTER. */
function isPlaceBeside(vip: Vip, node: string, damped: Candidate): boolean {
  if (node === damped.node || unfit(vip, node) !== undefined) return false;
  const nodeState = vip.claims[node]!;
  const isMaster = nodeState.state === 'MASTER';
  if (vip.hold === 'master' && !isMaster) return false;
  return damped.nodeState.seenMs - nodeState.seenMs < REPORTED_WITHIN[isMaster ? 'MASTER' : 'BACKUP'];
}

/** The owner if it is calm, then the calm standby of the highest priority; where every one is damped the owner. */
function restingPlace(vip: Vip, calm: readonly string[], others: readonly string[]): string | undefined {
  const isOwner = (node: string) => node === vip.owner;
  return calm.find(isOwner) ?? bestOf(vip, calm) ?? others.find(isOwner);
}

/** By priority, of nodes that have reported. */
function bestOf({ claims }: Vip, nodes: readonly string[]): string | undefined {
  const priority = (node: string) => claims[node]!.priority;
  // Stryker disable next-line EqualityOperator: two nodes never have the same id
  return [...nodes].sort((a, b) => priority(b) - priority(a) || (a < b ? -1 : 1))[0];
}

/** No candidate: the owner stays, unless it withdrew itself or another MASTER long outlived its last word. */
function unheard(vip: Vip, masters: readonly Candidate[]): Elected {
  const stays = { owner: vip.owner, reason: { key: 'no-candidate' } } as const;
  // A word that came too late moves nothing, also when it is the only one: who lives says it again within 10 s.
  const [other] = masters.filter((c) => c.node !== vip.owner && c.nodeState.slot !== NEVER_IN_TIME);
  if (other === undefined) return stays;
  const { node } = other;
  // Stryker disable next-line ConditionalExpression: nothing is known of no node; the comparison is for the compiler
  const own = vip.owner === undefined ? undefined : vip.claims[vip.owner];
  // Stryker disable next-line ConditionalExpression: a node without an id is not a member; the comparison is for the compiler
  const member = vip.owner !== undefined && vip.members[vip.owner] !== undefined;
  if (own === undefined || !member) {
    return { owner: node, reason: { key: 'unowned', node } };
  }
  if (own.state !== 'MASTER') {
    return { owner: node, reason: { key: 'owner-withdrew', node, owner: vip.owner!, state: own.state } };
  }
  if (other.nodeState.seenMs - own.seenMs >= OUTLIVES_MS) {
    return { owner: node, reason: { key: 'owner-silent', node, owner: vip.owner! } };
  }
  return stays;
}

/** Members whose node state is MASTER, newest transition first. */
function mastersOf(vip: Vip): readonly Candidate[] {
  const masters: Candidate[] = [];
  for (const node of Object.keys(vip.claims)) {
    const nodeState = vip.claims[node]!;
    if (nodeState.state !== 'MASTER' || vip.members[node] === undefined) continue;
    masters.push({ node, nodeState: nodeState, at: transitionAt(nodeState) });
  }
  return masters.sort((a, b) => b.at - a.at || byPriority(a, b));
}

const byPriority = (a: Candidate, b: Candidate): number =>
  // Stryker disable next-line EqualityOperator: two nodes never have the same id
  b.nodeState.priority - a.nodeState.priority || (a.node < b.node ? -1 : 1);

const heardLowerSince = (nodeState: NodeState, winner: NodeState): boolean => {
  const advertAt = lowerAdvertAt(nodeState);
  // Stryker disable next-line ConditionalExpression: what is not there is not greater; the comparison is for the compiler
  return advertAt !== undefined && advertAt - ADVERT_DOUBT_MS > winner.hiMs;
};

/** `masters` is newest first: everyone heard after a newer one's transition shares the guilt with it. */
function splitBrainOf(masters: readonly Candidate[]): readonly string[] {
  const split = new Set<string>();
  for (const [i, newer] of masters.entries()) {
    for (const older of masters.slice(i + 1)) {
      if (older.nodeState.seenMs < newer.at + SPLIT_AFTER_MS) continue;
      split.add(newer.node).add(older.node);
    }
  }
  return [...split].sort();
}
