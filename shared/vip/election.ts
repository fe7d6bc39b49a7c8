// The election: from the newest claim of every member to the node that should own the VIP. Pure; every row of the
// answer names its reason, which is recorded as it is.
//
// Invariant: with no candidate among the claims the VIP stays where it is (guarantee 8), and where there is one and the
// newest two transitions are 2 s or more apart, the order of arrival does not matter (guarantee 2).
// Limit: two transitions on two nodes inside one second are ordered by node clocks within that second.
import type { EpochMs } from '../time.ts';
import { isSilent, NEVER_IN_TIME } from './liveness.ts';
import { lowerAdvertAt, type NodeState, transitionAt } from './node-state.ts';
import type { Override, Vip } from './vip.ts';

/** A lower-advert may be told this much later than it was heard: the shim lets one through in 10 s at the worst. */
export const ADVERT_DOUBT_MS = 3000;
/** A MASTER that spoke this long after the owner went silent takes over, though it may be silent itself. */
export const OUTLIVES_MS = 90_000;
/** Two masters are a split brain when the older is heard this long after the newer one's transition. */
export const SPLIT_AFTER_MS = 2000;

export interface Election {
  readonly owner: string | undefined;
  readonly why: string;
  /** Members heard saying MASTER at the same time; empty in health. */
  readonly splitBrain: readonly string[];
  /** A live pin whose node is not fit: suspended, to be alarmed. */
  readonly suspendedPin?: string;
}

interface Candidate {
  readonly node: string;
  readonly nodeState: NodeState;
  readonly at: EpochMs;
}

export const isLiveOrder = (order: Override | undefined, now: EpochMs): boolean =>
  order !== undefined && now < order.untilMs;

const withdrawn = new Set(['FAULT', 'STOP', 'DELETED']);

/** Why a node may not be pinned or forced; undefined when it is fit. */
export function unfit(vip: Vip, node: string): string | undefined {
  if (vip.members[node] === undefined) return `${node} is no member`;
  const nodeState = vip.claims[node];
  if (nodeState === undefined) return `${node} was never heard`;
  if (withdrawn.has(nodeState.state)) return `last word of ${node} is ${nodeState.state}`;
  if (isSilent(vip.heard, nodeState)) return `${node} is silent`;
  return undefined;
}

export function elect(vip: Vip, now: EpochMs): Election {
  const masters = mastersOf(vip);
  const heard = masters.filter((c) => !isSilent(vip.heard, c.nodeState));
  const splitBrain = splitBrainOf(heard);
  if (isLiveOrder(vip.freeze, now)) return { owner: vip.owner, why: 'frozen by order', splitBrain };
  if (vip.pin !== undefined && isLiveOrder(vip.pin, now)) {
    const reason = unfit(vip, vip.pin.node);
    if (reason === undefined) return { owner: vip.pin.node, why: 'pinned by order', splitBrain };
    return { ...among(vip, masters, heard), splitBrain, suspendedPin: reason };
  }
  return { ...among(vip, masters, heard), splitBrain };
}

function among(
  vip: Vip,
  masters: readonly Candidate[],
  heard: readonly Candidate[],
): Omit<Election, 'splitBrain'> {
  const [winner] = heard;
  if (winner === undefined) return unheard(vip, masters);
  const rightful = heard
    .filter(
      (c) =>
        c.nodeState.priority > winner.nodeState.priority && heardLowerSince(c.nodeState, winner.nodeState),
    )
    .sort(byPriority)[0];
  if (rightful === undefined) return { owner: winner.node, why: `newest MASTER is ${winner.node}` };
  return {
    owner: rightful.node,
    why: `${rightful.node} outranks ${winner.node} and heard its advert after it became MASTER`,
  };
}

/** No candidate: the owner stays, unless it withdrew itself or another MASTER long outlived its last word. */
function unheard(vip: Vip, masters: readonly Candidate[]): Omit<Election, 'splitBrain'> {
  const stays = { owner: vip.owner, why: 'no candidate: the VIP stays where it is' };
  // A word that came too late moves nothing, also when it is the only one: who lives says it again within 10 s.
  const [other] = masters.filter((c) => c.node !== vip.owner && c.nodeState.slot !== NEVER_IN_TIME);
  if (other === undefined) return stays;
  const own = vip.owner === undefined ? undefined : vip.claims[vip.owner];
  const member = vip.owner !== undefined && vip.members[vip.owner] !== undefined;
  if (own === undefined || !member) {
    return { owner: other.node, why: `${other.node} is the newest MASTER and nobody owns the VIP` };
  }
  if (own.state !== 'MASTER') {
    return { owner: other.node, why: `${vip.owner} said ${own.state}; the newest MASTER is ${other.node}` };
  }
  if (other.nodeState.seenMs - own.seenMs >= OUTLIVES_MS) {
    return { owner: other.node, why: `${other.node} spoke long after ${vip.owner} went silent` };
  }
  return stays;
}

/** Members whose stint says MASTER, newest transition first. */
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
  b.nodeState.priority - a.nodeState.priority || (a.node < b.node ? -1 : 1);

const heardLowerSince = (nodeState: NodeState, winner: NodeState): boolean => {
  const advertAt = lowerAdvertAt(nodeState);
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
