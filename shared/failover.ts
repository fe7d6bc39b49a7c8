// What a claim does: it is recorded, and where the election over the record differs from the owner, the VIP is
// switched. A claim that cannot change the owner costs one write, no lease and no EC2 call.
//
// Depth of the plain case (member known, lease free): the conditional write beside the describes, then all mutations.
// Invariant: no claim is lost to a held lease; it is recorded beside it, and the release finds it (guarantee 4).
import { type Claim, isLate, type Stint, saidAt, sameStint, slotOf, stintOf } from './claim.ts';
import { elect } from './election.ts';
import { faultOf } from './fault.ts';
import { type Cause, isLive, LEASE_TTL, LOOK_AGAIN } from './lease.ts';
import { membersSeen, type Observation } from './observation.ts';
import {
  contradictionOf,
  fromTheFuture,
  impostor,
  type NodeIdentity,
  notAhead,
  type Refusal,
  turnAway,
} from './rejection.ts';
import { type Switched, switchVip, take, type Wire } from './switch.ts';
import { type DurationMs, plus, seconds } from './time.ts';
import type { Stage } from './timeline.ts';
import { isPausing } from './tried.ts';
import {
  defaultScope,
  isNews,
  onlyRefreshes,
  type Scope,
  sameScope,
  type Telling,
  type Vip,
  withClaim,
} from './vip.ts';

export type Answer =
  | { readonly answer: 'rejected'; readonly refusal: Refusal }
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

/** Whoever has waited for a lease looks again: what it saw before may have become somebody else's since. */
const LOOK_FRESH: DurationMs = seconds(2);

export interface Heard {
  readonly claim: Claim;
  /** The event's source, as EventBridge gives it. */
  readonly source: string;
}

/** Throws only when delivering the claim again is worth while. */
export async function failover(wire: Wire, heard: Heard, identity: NodeIdentity): Promise<Answer> {
  const now = wire.clock.now();
  const claim = notAhead(heard.claim, now);
  const refusal = impostor(heard.source, claim, identity) ?? fromTheFuture(heard.claim, now);
  if (refusal !== undefined) return reject(wire, claim, refusal);
  if (claim.superseded) return superseded(wire, claim);
  if (claim.kind === 'probe') {
    const { vip, node, eventId, seq, timeMs, shim } = claim;
    const version = shim === undefined ? {} : { shim };
    await wire.timeline.probe({ vip, node, eventId, seq, ...version, sentAtMs: timeMs, atMs: now });
    return { answer: 'probed' };
  }
  const told = { claim, stint: stintOf(claim, now), slot: slotOf(claim.timeMs) };
  const errand: Errand = { wire, ...told, cause: causeOf(claim), stages: stagesOf(claim, wire, identity) };
  // A late one enters as silent and can hardly move anything: it gets no epoch before that is known.
  const answer = await (urgent(claim) && !isLate(claim, now) ? takeAtOnce(errand) : recordFirst(errand));
  if ('contradiction' in answer) await countContradiction(wire, claim, answer);
  return answer;
}

const countContradiction = (
  wire: Wire,
  claim: Claim,
  { contradiction: message = '' }: Doubt,
): Promise<void> =>
  turnAway(wire, { reason: 'contradiction', message, vip: claim.vip, node: claim.node }, claim);

interface Errand {
  readonly wire: Wire;
  readonly claim: Claim;
  readonly stint: Stint;
  readonly slot: number;
  readonly cause: Cause;
  readonly stages: readonly Stage[];
}

/** A transition to MASTER most likely moves the VIP: lease and describes are asked for at once. */
const urgent = (claim: Claim): boolean => claim.kind === 'transition' && claim.state === 'MASTER';

async function takeAtOnce(errand: Errand): Promise<Answer> {
  const { wire, claim, cause } = errand;
  const look = lookFor(wire, claim.vip);
  const now = wire.clock.now();
  const lease = { holder: wire.nonce(), expiresAtMs: plus(now, LEASE_TTL), cause };
  const item = await wire.vips.tell({ ...words(errand, 'news'), lease }, now).then(
    (told) => told.vip,
    (error: unknown) =>
      faultOf(error).kind === 'unknown' ? wire.vips.read(claim.vip) : Promise.reject(error),
  );
  // Also when the write was refused: then its own first try, whose reply was lost, took the lease.
  if (item?.lease?.holder === lease.holder) {
    return { answer: 'switched', ...(await switchVip(wire, item, look.at(item), errand.stages)) };
  }
  return settle(errand, item, look);
}

const words = ({ claim, stint, slot }: Errand, as: Telling['as']): Telling => ({
  vip: claim.vip,
  node: claim.node,
  stint,
  slot,
  as,
});

async function recordFirst(errand: Errand): Promise<Answer> {
  const { wire, claim } = errand;
  const look = lookFor(wire, claim.vip, 'later');
  const as = claim.kind === 'transition' ? 'news' : 'refresh';
  let news = false;
  const item = await wire.vips.tell(words(errand, as), wire.clock.now()).then(
    (told) => {
      news = as === 'news' && told.answer === 'recorded';
      return told.vip;
    },
    (error: unknown) =>
      faultOf(error).kind === 'unknown' ? wire.vips.read(claim.vip) : Promise.reject(error),
  );
  return settle(errand, item, look, news);
}

/** From the item as it is: records the claim if it is not, and switches if that is due and the lease is to be had. */
async function settle(errand: Errand, found: Vip | undefined, look: Look, told = false): Promise<Answer> {
  const { wire, claim, stint, slot } = errand;
  let item = found;
  let news = told;
  let doubt: Doubt = {};
  for (let race = 1; race <= RACES_MAX; ) {
    if (item === undefined || item.removedAtMs !== undefined) {
      const message = `VIP ${JSON.stringify(claim.vip)} is not in the ledger; register it, or mend notify.conf`;
      return reject(wire, claim, { reason: 'unknown-vip', message });
    }
    const member = await asMember(item, claim.node, look);
    if (member === undefined) {
      const message = `no ENI of ${claim.node} bears the label ${item.nodeLabels.join(' or ')} in ${item.vpc}`;
      return reject(wire, claim, { reason: 'not-a-member', message });
    }
    const next = withClaim(member, claim.node, stint, slot);
    const known = member.claims[claim.node];
    news ||= known === undefined || !sameStint(known, next.claims[claim.node]!);
    const contradiction = contradictionOf(known, stint);
    // Only a word that could not be recorded blindly gets here with something to contradict.
    if (contradiction !== undefined) doubt = { contradiction };
    if (isDue(next, wire, claim)) {
      // Beside the lease, as in the plain case; in vain when somebody else is quicker.
      const observing = look.at(item);
      const taken = await take(wire, item, next, errand.cause);
      if (taken !== undefined) {
        return { answer: 'switched', ...(await switchVip(wire, taken, observing, errand.stages)), ...doubt };
      }
    } else if (next !== item) {
      const written = await record(errand, item, next);
      if (written !== undefined) {
        item = written;
        continue;
      }
    } else if (isLive(item.lease, wire.clock.now()) && urgent(claim)) {
      // Its holder sees this claim at the release at the latest; should it be dead, this invocation takes over.
      await wire.clock.wait(LOOK_AGAIN);
      item = await wire.vips.read(claim.vip);
      continue;
    } else return { answer: 'recorded', vip: item, news, ...doubt };
    race += 1;
    item = await wire.vips.read(claim.vip);
  }
  throw new Error(
    `claim of ${claim.node} for ${claim.vip}: lost ${RACES_MAX} races for the item; deliver again`,
  );
}

/** No live lease, and something is to be done: an epoch left open, a dead holder's lease, or another owner. */
function isDue(vip: Vip, wire: Wire, claim: Claim): boolean {
  const now = wire.clock.now();
  if (isLive(vip.lease, now)) return false;
  if (vip.lease !== undefined || Object.keys(vip.open).length > 0) return true;
  const election = elect(vip, now);
  if (election.owner === vip.owner) return false;
  return urgent(claim) || !isPausing(vip.tried, election, now);
}

/** Without a condition on `rev` where the claim only overwrites: such a write cannot lose a race. */
async function record(errand: Errand, item: Vip, next: Vip): Promise<Vip | undefined> {
  const { wire, claim, stint } = errand;
  const known = item.claims[claim.node];
  const news = isNews(known, stint);
  const blind = item.members[claim.node] !== undefined && (news || onlyRefreshes(known!, stint));
  try {
    if (!blind) return await wire.vips.write(item, next);
    const told = await wire.vips.tell(words(errand, news ? 'news' : 'refresh'), wire.clock.now());
    return told.answer === 'recorded' ? told.vip : undefined;
  } catch (error) {
    // Read again and look whether it is there: merging twice changes nothing.
    if (faultOf(error).kind === 'unknown') return undefined;
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

interface Look {
  /** An observation of this VIP's scope: the one begun in advance if it looked at the right labels. */
  at(item: Scope): Promise<Observation>;
}

/** Looks in advance under the default scope, which is right for every VIP whose labels are its name. */
function lookFor(wire: Wire, name: string, when: 'now' | 'later' = 'now'): Look {
  let scope = wire.scopes.get(name) ?? defaultScope(name);
  let observing: Promise<Observation> | undefined;
  let beganAt = wire.clock.now();
  const begin = () => {
    beganAt = wire.clock.now();
    observing = wire.ec2.observe(scope);
    // Nobody may be waiting for it when it fails.
    observing.catch(() => undefined);
    return observing;
  };
  if (when === 'now') void begin();
  return {
    at(item) {
      const right = sameScope(scope, item);
      scope = { name: item.name, tableLabels: item.tableLabels, nodeLabels: item.nodeLabels };
      wire.scopes.set(name, scope);
      const fresh = wire.clock.now() - beganAt < LOOK_FRESH;
      return right && fresh && observing !== undefined ? observing : begin();
    },
  };
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
const stagesOf = (claim: Claim, wire: Wire, identity: NodeIdentity): readonly Stage[] => [
  { stage: 'node said so (its clock)', atMs: saidAt(claim) },
  { stage: 'bus accepted (whole seconds)', atMs: claim.timeMs },
  { stage: 'controller began', atMs: wire.clock.now() },
  ...(identity.mode === 'none'
    ? [{ stage: 'nobody vouches for the node: NodeIdentity is none', atMs: wire.clock.now() }]
    : []),
];

async function reject(wire: Wire, claim: Claim, refusal: Refusal): Promise<Answer> {
  await turnAway(wire, { ...refusal, vip: claim.vip, node: claim.node }, claim);
  return { answer: 'rejected', refusal };
}

async function superseded(wire: Wire, claim: Claim): Promise<Answer> {
  const message = 'a newer claim of the same VIP waited behind it on the node';
  await reject(wire, claim, { reason: 'superseded', message });
  return { answer: 'superseded' };
}
