// What a claim does: it is recorded, and where the election over the record differs from the owner, the VIP is
// switched. A claim that cannot change the owner costs one write, no lease and no EC2 call.
//
// Depth of the plain case (member known, lease free): the conditional write beside the describes, then all mutations.
// Invariant: no claim is lost to a held lease; it is recorded beside it, and the release finds it (guarantee 4).

import { toFault } from '../fault.ts';
import { membersSeen } from '../network/observation.ts';
import { type Ports, type Switched, switchVip, take } from '../switch/switch-vip.ts';
import { type Clock, plus } from '../time.ts';
import { type Milestone, milestone } from '../timeline/milestone.ts';
import type { Timeline } from '../timeline/timeline.ts';
import {
  type CountedReason,
  contradictionOf,
  isFromFuture,
  type NodeIdentity,
  notAhead,
  type Rejection,
  sourceMismatch,
} from '../vip/admission.ts';
import { type Claim, isLate, saidAt } from '../vip/claim.ts';
import { elect } from '../vip/election.ts';
import { type Cause, isLive, LEASE_TTL, LOOK_AGAIN } from '../vip/lease.ts';
import { windowOf } from '../vip/liveness.ts';
import { type NodeState, nodeStateFrom, sameTransition } from '../vip/node-state.ts';
import { isBackingOff } from '../vip/retry-backoff.ts';
import type { ClaimWrite } from '../vip/store.ts';
import { isNews, onlyRefreshes, type Vip, withClaim } from '../vip/vip.ts';
import { type Look, lookFor } from './prefetch.ts';

export type Answer =
  | { readonly answer: 'rejected'; readonly refusal: Rejection }
  | { readonly answer: 'superseded' }
  | { readonly answer: 'probed' }
  /** Recorded; the owner stays, or whoever holds the lease will see it. */
  | ({ readonly answer: 'recorded'; readonly vip: Vip; readonly news: boolean } & Doubt)
  | ({ readonly answer: 'switched' } & Switched & Doubt);

export interface Doubt {
  /** Why what the claim says and what was recorded of its node cannot both be true. */
  readonly contradiction?: string;
}

/** Reads and writes that lost a race are repeated this often; the loser of a race has seen somebody else's progress. */
const RACES_MAX = 40;

export interface ReceivedClaim {
  readonly claim: Claim;
  /** The event's source, as EventBridge gives it. */
  readonly source: string;
}

/** Throws only when delivering the claim again is worth while. */
export async function handleClaim(
  ports: Ports,
  heard: ReceivedClaim,
  identity: NodeIdentity,
): Promise<Answer> {
  const now = ports.clock.now();
  const claim = notAhead(heard.claim, now);
  const refusal = sourceMismatch(heard.source, claim, identity) ?? isFromFuture(heard.claim, now);
  if (refusal !== undefined) return reject(ports, claim, refusal);
  if (claim.superseded) return superseded(ports, claim);
  if (claim.kind === 'probe') {
    const { vip, node, eventId, seq, timeMs, shim } = claim;
    const version = shim === undefined ? {} : { shim };
    await ports.timeline.probe({ vip, node, eventId, seq, ...version, sentAtMs: timeMs, atMs: now });
    return { answer: 'probed' };
  }
  const told = { claim, stint: nodeStateFrom(claim, now), slot: windowOf(claim.timeMs) };
  const errand: ClaimContext = {
    wire: ports,
    ...told,
    cause: causeOf(claim),
    stages: stagesOf(claim, ports, identity),
  };
  // A late one enters as silent and can hardly move anything: it gets no epoch before that is known.
  const answer = await (urgent(claim) && !isLate(claim, now) ? takeAtOnce(errand) : recordFirst(errand));
  if ('contradiction' in answer) await countContradiction(ports, claim, answer);
  return answer;
}

const countContradiction = (
  ports: Ports,
  claim: Claim,
  { contradiction: message = '' }: Doubt,
): Promise<void> =>
  recordRejection(ports, { reason: 'contradiction', message, vip: claim.vip, node: claim.node }, claim);

interface ClaimContext {
  readonly wire: Ports;
  readonly claim: Claim;
  readonly stint: NodeState;
  readonly slot: number;
  readonly cause: Cause;
  readonly stages: readonly Milestone[];
}

/** A transition to MASTER most likely moves the VIP: lease and describes are asked for at once. */
const urgent = (claim: Claim): boolean => claim.kind === 'transition' && claim.state === 'MASTER';

async function takeAtOnce(errand: ClaimContext): Promise<Answer> {
  const { wire: ports, claim, cause } = errand;
  const look = lookFor(ports, claim.vip);
  const now = ports.clock.now();
  const lease = { holder: ports.nonce(), expiresAtMs: plus(now, LEASE_TTL), cause };
  const item = await ports.vips.recordClaim({ ...claimWriteFrom(errand, 'news'), lease }, now).then(
    (told) => told.vip,
    (error: unknown) =>
      toFault(error).kind === 'unknown' ? ports.vips.read(claim.vip) : Promise.reject(error),
  );
  // Also when the write was refused: then its own first try, whose reply was lost, took the lease.
  if (item?.lease?.holder === lease.holder) {
    return { answer: 'switched', ...(await switchVip(ports, item, look.at(item), errand.stages)) };
  }
  return actOnCurrentItem(errand, item, look);
}

const claimWriteFrom = (
  { claim, stint: nodeState, slot }: ClaimContext,
  as: ClaimWrite['as'],
): ClaimWrite => ({
  vip: claim.vip,
  node: claim.node,
  stint: nodeState,
  slot,
  as,
});

async function recordFirst(errand: ClaimContext): Promise<Answer> {
  const { wire: ports, claim } = errand;
  const look = lookFor(ports, claim.vip, 'later');
  const as = claim.kind === 'transition' ? 'news' : 'refresh';
  let news = false;
  const item = await ports.vips.recordClaim(claimWriteFrom(errand, as), ports.clock.now()).then(
    (told) => {
      news = as === 'news' && told.answer === 'recorded';
      return told.vip;
    },
    (error: unknown) =>
      toFault(error).kind === 'unknown' ? ports.vips.read(claim.vip) : Promise.reject(error),
  );
  return actOnCurrentItem(errand, item, look, news);
}

/** From the item as it is: records the claim if it is not, and switches if that is due and the lease is to be had. */
async function actOnCurrentItem(
  errand: ClaimContext,
  found: Vip | undefined,
  look: Look,
  told = false,
): Promise<Answer> {
  const { wire: ports, claim, stint: nodeState, slot } = errand;
  let item = found;
  let news = told;
  let doubt: Doubt = {};
  for (let race = 1; race <= RACES_MAX; ) {
    if (item === undefined || item.removedAtMs !== undefined) {
      const message = `VIP ${JSON.stringify(claim.vip)} is not in the ledger; register it, or mend notify.conf`;
      return reject(ports, claim, { reason: 'unknown-vip', message });
    }
    const member = await asMember(item, claim.node, look);
    if (member === undefined) {
      const message = `no ENI of ${claim.node} bears the label ${item.nodeLabels.join(' or ')} in ${item.vpc}`;
      return reject(ports, claim, { reason: 'not-a-member', message });
    }
    const next = withClaim(member, claim.node, nodeState, slot);
    const known = member.claims[claim.node];
    news ||= known === undefined || !sameTransition(known, next.claims[claim.node]!);
    const contradiction = contradictionOf(known, nodeState);
    // Only a word that could not be recorded blindly gets here with something to contradict.
    if (contradiction !== undefined) doubt = { contradiction };
    if (isDue(next, ports, claim)) {
      // Beside the lease, as in the plain case; in vain when somebody else is quicker.
      const observing = look.at(item);
      const taken = await take(ports, item, next, errand.cause);
      if (taken !== undefined) {
        return { answer: 'switched', ...(await switchVip(ports, taken, observing, errand.stages)), ...doubt };
      }
    } else if (next !== item) {
      const written = await record(errand, item, next);
      if (written !== undefined) {
        item = written;
        continue;
      }
    } else if (isLive(item.lease, ports.clock.now()) && urgent(claim)) {
      // Its holder sees this claim at the release at the latest; should it be dead, this invocation takes over.
      await ports.clock.wait(LOOK_AGAIN);
      item = await ports.vips.read(claim.vip);
      continue;
    } else return { answer: 'recorded', vip: item, news, ...doubt };
    race += 1;
    item = await ports.vips.read(claim.vip);
  }
  throw new Error(
    `claim of ${claim.node} for ${claim.vip}: lost ${RACES_MAX} races for the item; deliver again`,
  );
}

/** No live lease, and something is to be done: an epoch left open, a dead holder's lease, or another owner. */
function isDue(vip: Vip, ports: Ports, claim: Claim): boolean {
  const now = ports.clock.now();
  if (isLive(vip.lease, now)) return false;
  if (vip.lease !== undefined || Object.keys(vip.open).length > 0) return true;
  const election = elect(vip, now);
  if (election.owner === vip.owner) return false;
  return urgent(claim) || !isBackingOff(vip.tried, election, now);
}

/** Without a condition on `rev` where the claim only overwrites: such a write cannot lose a race. */
async function record(errand: ClaimContext, item: Vip, next: Vip): Promise<Vip | undefined> {
  const { wire: ports, claim, stint: nodeState } = errand;
  const known = item.claims[claim.node];
  const news = isNews(known, nodeState);
  const blind = item.members[claim.node] !== undefined && (news || onlyRefreshes(known!, nodeState));
  try {
    if (!blind) return await ports.vips.write(item, next);
    const told = await ports.vips.recordClaim(
      claimWriteFrom(errand, news ? 'news' : 'refresh'),
      ports.clock.now(),
    );
    return told.answer === 'recorded' ? told.vip : undefined;
  } catch (error) {
    // Read again and look whether it is there: merging twice changes nothing.
    if (toFault(error).kind === 'unknown') return undefined;
    throw error;
  }
}

/** The item with the node among its members, as known or as EC2 shows it; undefined when it is none. */
async function asMember(item: Vip, node: string, look: Look): Promise<Vip | undefined> {
  if (item.members[node] !== undefined) return item;
  // A describe that fails is thrown: nobody can tell whether this is a member, so deliver again (guarantee 8).
  const members = membersSeen(item, await look.at(item), item.members);
  if (members[node] === undefined) return undefined;
  return { ...item, members: { ...item.members, ...members } };
}

const causeOf = (claim: Claim): Cause => ({
  kind: 'claim',
  node: claim.node,
  seq: claim.seq,
  id: claim.eventId,
  why: `${claim.node} said ${claim.state}${claim.kind === 'transition' ? '' : ` (${claim.kind})`}`,
  atMs: claim.timeMs,
});

/** The bus stamps whole seconds; the moment of the claim itself comes from the node's clock and is marked so. */
const stagesOf = (claim: Claim, ports: Ports, identity: NodeIdentity): readonly Milestone[] => [
  milestone('node-reported', saidAt(claim)),
  milestone('bus-accepted', claim.timeMs),
  milestone('claim-began', ports.clock.now()),
  ...(identity.mode === 'none' ? [milestone('unvouched', ports.clock.now())] : []),
];

async function reject(ports: Ports, claim: Claim, refusal: Rejection): Promise<Answer> {
  await recordRejection(ports, { ...refusal, vip: claim.vip, node: claim.node }, claim);
  return { answer: 'rejected', refusal };
}

async function superseded(ports: Ports, claim: Claim): Promise<Answer> {
  const message = 'a newer claim of the same VIP waited behind it on the node';
  await reject(ports, claim, { reason: 'superseded', message });
  return { answer: 'superseded' };
}

/** Counts what was turned away. `example` is kept as it came. */
export const recordRejection = (
  to: { readonly timeline: Timeline; readonly clock: Clock },
  refused: {
    readonly reason: CountedReason;
    readonly message: string;
    readonly vip: string;
    readonly node: string;
  },
  example: unknown,
): Promise<void> =>
  to.timeline.reject({ ...refused, example: JSON.stringify(example) ?? 'undefined', atMs: to.clock.now() });
