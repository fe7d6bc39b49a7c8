// What a claim does: it is recorded, and where the election over the record differs from the owner, the VIP is
// switched. A claim that cannot change the owner costs one write, no lease and no EC2 call.
//
// Depth of the plain case (member known, lease free): the conditional write in parallel with the describes, then all mutations.
// Invariant: no claim is lost to a held lease; it is recorded all the same, and the release finds it (guarantee 4).

import { toFault } from '../fault.ts';
import { membersSeen } from '../network/observation.ts';
import { defined } from '../optional.ts';
import { type Ports, type Switched, switchVip, take } from '../switch/switch-vip.ts';
import { plus } from '../time.ts';
import { type Milestone, milestone } from '../timeline/milestone.ts';
import {
  isFromFuture,
  type NodeIdentity,
  notAhead,
  type Rejection,
  sourceMismatch,
} from '../vip/admission.ts';
import { type Claim, isLate, saidAt } from '../vip/claim.ts';
import { isDamped } from '../vip/flapping.ts';
import { type Cause, LEASE_TTL, LOOK_AGAIN } from '../vip/lease.ts';
import { windowOf } from '../vip/liveness.ts';
import type { Members } from '../vip/member.ts';
import { nodeStateFrom } from '../vip/node-state.ts';
import type { Vip } from '../vip/vip.ts';
import { drainCause } from './drained.ts';
import {
  causeOf,
  claimWriteFrom,
  isUrgent,
  type NextAction,
  nextAction,
  type RecordableClaim,
} from './next-action.ts';
import { type NotedLeaving, noteLeaving } from './notices/leaving.ts';
import { announceStorm, type Noted, stormBegun } from './notices/storm.ts';
import { type Look, lookFor } from './prefetch.ts';
import { recordRejection } from './reject-claim.ts';

export type Answer =
  | { readonly answer: 'rejected'; readonly refusal: Rejection }
  | { readonly answer: 'superseded' }
  | { readonly answer: 'probed' }
  /** Recorded; the owner stays, or the lease's holder will see it. */
  | ({ readonly answer: 'recorded'; readonly vip: Vip; readonly news: boolean } & Noted & NotedLeaving)
  | ({ readonly answer: 'switched' } & Switched & Noted & NotedLeaving);

/** Reads and writes that lost a race are repeated this often; the loser of a race has seen another caller's progress. */
const RACES_MAX = 40;

export interface ReceivedClaim {
  readonly claim: Claim;
  /** The event's source, as EventBridge gives it; of a direct call the same, made of who called. */
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
    const version = defined({ shim });
    await ports.timeline.probe({ vip, node, eventId, seq, ...version, sentAtMs: timeMs, atMs: now });
    return { answer: 'probed' };
  }
  const context: ClaimContext = {
    ports,
    told: { claim, nodeState: nodeStateFrom(claim, now), window: windowOf(claim.timeMs) },
    cause: causeOf(claim),
    stages: stagesOf(claim, ports, identity),
  };
  // A late one enters as silent and can hardly move anything: it gets no epoch before that is known.
  const answer = await (isUrgent(claim) && !isLate(claim, now) ? takeAtOnce(context) : recordFirst(context));
  if ('contradiction' in answer) await countContradiction(ports, claim, answer);
  if ('storm' in answer && answer.storm !== undefined)
    await announceStorm(ports.bus, claim.vip, answer.storm);
  return 'vip' in answer ? { ...answer, ...(await noteLeaving(ports, answer.vip, claim)) } : answer;
}

const countContradiction = (
  ports: Ports,
  claim: Claim,
  { contradiction: message = '' }: Noted,
): Promise<void> =>
  recordRejection(ports, { reason: 'contradiction', message, vip: claim.vip, node: claim.node }, claim);

interface ClaimContext {
  readonly ports: Ports;
  readonly told: RecordableClaim;
  readonly cause: Cause;
  readonly stages: readonly Milestone[];
}

/** Lease and describes are asked for at once. */
async function takeAtOnce(context: ClaimContext): Promise<Answer> {
  const { ports, told, cause } = context;
  const look = lookFor(ports, told.claim, 'now');
  const now = ports.clock.now();
  const lease = { holder: ports.nonce(), expiresAtMs: plus(now, LEASE_TTL), cause };
  const item = await ports.vips.recordClaim({ ...claimWriteFrom(told, 'news'), lease }, now).then(
    ({ vip }) => vip,
    (error: unknown) => readAfter(error, context),
  );
  // Also when the write was refused: then its own first try, whose reply was lost, took the lease.
  if (item?.lease?.holder === lease.holder)
    return { answer: 'switched', ...(await switchVip(ports, item, look.at(item), context.stages)) };
  return actOnCurrentItem(context, look, { item, news: false });
}

async function recordFirst(context: ClaimContext): Promise<Answer> {
  const { ports, told } = context;
  const look = lookFor(ports, told.claim, 'later');
  const as = told.claim.kind === 'transition' ? 'news' : 'refresh';
  let news = false;
  const item = await ports.vips.recordClaim(claimWriteFrom(told, as), ports.clock.now()).then(
    (result) => {
      news = as === 'news' && result.answer === 'recorded';
      return result.vip;
    },
    (error: unknown) => readAfter(error, context),
  );
  return actOnCurrentItem(context, look, { item, news });
}

/** What the item is after a write whose reply was lost; every other fault is thrown. */
const readAfter = (error: unknown, { ports, told }: ClaimContext): Promise<Vip | undefined> =>
  toFault(error).kind === 'unknown' ? ports.vips.read(told.claim.vip) : Promise.reject(error);

/** How far a claim has come. */
interface Progress {
  readonly item: Vip | undefined;
  /** Its own write made it the transition that is recorded of the node. */
  readonly news: boolean;
  /** Its own write noted that the transition has come by the second way, too. */
  readonly isSecondCopy?: boolean;
  readonly noted?: Noted;
  readonly membersSeen?: Members;
  /** Reads and writes that another caller was quicker than. */
  readonly races?: number;
}

/** Records the claim if it is not recorded, and switches if that is due and the lease is free. */
async function actOnCurrentItem(context: ClaimContext, look: Look, from: Progress): Promise<Answer> {
  const { ports, told } = context;
  let progress = from;
  if (from.item !== undefined) ports.prefetchMemory.meet(from.item);
  if (from.item !== undefined && isDamped(from.item, told.claim.node, ports.clock.now()))
    ports.prefetchMemory.spare(told.claim, ports.clock.now());
  while ((progress.races ?? 0) < RACES_MAX) {
    const { item, membersSeen: seen, news: isOwnWrite, isSecondCopy } = progress;
    const known = { ...told, isOwnWrite, ...defined({ membersSeen: seen, isSecondCopy }) };
    const action = nextAction(item, known, ports.clock.now());
    const after = await carryOut(context, look, withDoubt(progress, action), action);
    if ('answer' in after) return after;
    progress = after;
  }
  const { node, vip } = told.claim;
  throw new Error(`claim of ${node} for ${vip}: lost ${RACES_MAX} races for the item; deliver again`);
}

/** What the answer will say of the claim, whatever else is done before it. */
function withDoubt(progress: Progress, action: NextAction): Progress {
  if (!('isTransition' in action) || action.contradiction === undefined) return progress;
  // Only a claim that could not be recorded blindly gets here with something to contradict.
  return { ...progress, noted: { ...progress.noted, contradiction: action.contradiction } };
}

async function carryOut(
  context: ClaimContext,
  look: Look,
  progress: Progress,
  action: NextAction,
): Promise<Answer | Progress> {
  const { ports, told, cause, stages } = context;
  switch (action.do) {
    case 'reject':
      if (action.reason === 'unknown-vip') ports.prefetchMemory.refuseVip(told.claim.vip, ports.clock.now());
      return reject(ports, told.claim, { reason: action.reason, message: action.message });
    case 'look-up':
      return { ...progress, membersSeen: await lookUp(context, look, action.item) };
    case 'switch': {
      // In parallel with the lease, as in the plain case; not needed if another caller is quicker.
      const observing = look.at(action.item);
      const ordered = drainCause(action.recorded, ports.clock.now());
      const taken = await take(ports, action.item, action.recorded, ordered ?? cause);
      if (taken === undefined) return lostRace(context, progress);
      // Not `taken`: where the reply was lost others may have written into that.
      const own = { before: action.item, after: action.recorded };
      const noted = { ...progress.noted, ...stormBegun(told, own, ports.clock.now()) };
      return { answer: 'switched', ...(await switchVip(ports, taken, observing, stages)), ...noted };
    }
    case 'record': {
      const written = await record(context, action);
      if (written === undefined) return lostRace(context, progress);
      const own = { before: action.item, after: written };
      const noted = { ...progress.noted, ...stormBegun(told, own, ports.clock.now()) };
      const news = progress.news || action.isTransition;
      const isSecondCopy = progress.isSecondCopy === true || action.isSecondCopy;
      return withItem({ ...progress, noted, news, isSecondCopy }, written);
    }
    case 'wait':
      await ports.clock.wait(LOOK_AGAIN);
      return withItem(progress, await ports.vips.read(told.claim.vip));
    case 'answer':
      return { answer: 'recorded', vip: action.item, news: progress.news, ...progress.noted };
    default:
      throw new TypeError(`no such action: ${JSON.stringify(action satisfies never)}`);
  }
}

/** Throws when the describe fails: no one can tell whether this is a member, so deliver again (guarantee 8). */
async function lookUp({ ports, told: { claim } }: ClaimContext, look: Look, item: Vip): Promise<Members> {
  // A node that was found not to be a member a moment ago is not looked up again: reconcile finds new members every minute.
  if (!ports.prefetchMemory.mayLookUp(claim, ports.clock.now())) return {};
  const seen = membersSeen(item, await look.at(item), item.members);
  if (seen[claim.node] === undefined) ports.prefetchMemory.refuseNode(claim, ports.clock.now());
  return seen;
}

/** The members that were seen belong to the item of before. */
const withItem = ({ membersSeen: _seen, ...rest }: Progress, item: Vip | undefined): Progress => ({
  ...rest,
  item,
});

async function lostRace({ ports, told }: ClaimContext, progress: Progress): Promise<Progress> {
  const races = (progress.races ?? 0) + 1;
  return { ...withItem(progress, await ports.vips.read(told.claim.vip)), races };
}

/** Undefined when another caller was quicker, or when that cannot be told from a lost reply: read again. */
async function record(
  { ports, told }: ClaimContext,
  { item, recorded, as }: Extract<NextAction, { readonly do: 'record' }>,
): Promise<Vip | undefined> {
  try {
    if (as === 'compare') return await ports.vips.write(item, recorded);
    const result = await ports.vips.recordClaim(claimWriteFrom(told, as), ports.clock.now());
    return result.answer === 'recorded' ? result.vip : undefined;
  } catch (error) {
    // Merging twice changes nothing.
    if (toFault(error).kind === 'unknown') return undefined;
    throw error;
  }
}

/**
 * By which way the claim came, and when: the bus stamps whole seconds. The moment of the claim itself comes from the node's clock
 * and is marked so.
 */
const stagesOf = (claim: Claim, ports: Ports, identity: NodeIdentity): readonly Milestone[] => [
  milestone('node-reported', saidAt(claim)),
  milestone(claim.way === 'direct' ? 'direct-accepted' : 'bus-accepted', claim.timeMs),
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
