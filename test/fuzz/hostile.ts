// Hostile events, and calls of the function URL, through the parser and the real failover over memory. Whatever is no claim of a member about itself, in time and not superseded, has to
// be turned away for a stated reason; nothing may crash, and nothing may move.
import { type Parsed, parseClaimEvent } from '../../shared/aws/events/claim-event.ts';
import { parseDirectCall } from '../../shared/aws/events/direct-call.ts';
import { handleClaim } from '../../shared/controller/handle-claim.ts';
import { recordRejection } from '../../shared/controller/reject-claim.ts';
import { FUTURE_MAX, type NodeIdentity, type RejectReason } from '../../shared/vip/admission.ts';
import { type World, world } from '../support/world.ts';
import { hostileCall } from './calls.ts';
import { type Draws, drawAll, type Input } from './draw.ts';
import { hostileEvent, MEMBERS, NOW, ROLE, sourceOf } from './events.ts';

type End = RejectReason | 'honest' | 'probed';
/** How many events ended how. */
export type EventEnds = Partial<Record<End, number>>;

/** A claim that a member makes about itself: no lie, and no business of this test. */
function isHonest({ claim, source }: Parsed & { ok: true }): boolean {
  const isItself = MEMBERS.some((member) => member === claim.node && source === sourceOf(member));
  const isInTime = claim.timeMs <= NOW + FUTURE_MAX && !claim.superseded;
  return isItself && isInTime && claim.vip === 'web' && claim.kind !== 'probe';
}

/** That cannot come from JSON, nor be recorded. The parser has to stand it all the same. */
const holdsBigInt = (value: unknown): boolean =>
  typeof value === 'bigint' ||
  (typeof value === 'object' && value !== null && Object.values(value).some(holdsBigInt));

async function endOf({ ports }: World, event: unknown, { parse, identity }: Given): Promise<End> {
  const parsed = parse(event);
  if (!parsed.ok) {
    const example = holdsBigInt(event) ? 'holds a BigInt' : event;
    await recordRejection(ports, { ...parsed, ...parsed.rejection }, example);
    return parsed.rejection.reason;
  }
  if (isHonest(parsed)) return 'honest';
  const answer = await handleClaim(ports, parsed, identity);
  switch (answer.answer) {
    case 'rejected':
      return answer.refusal.reason;
    case 'superseded':
    case 'probed':
      return answer.answer;
    case 'recorded':
    case 'switched':
      throw new Error(`${answer.answer}, expected it to be turned away`);
  }
}

interface Given {
  readonly parse: (event: unknown) => Parsed;
  readonly identity: NodeIdentity;
}

/** What must not change, whatever comes. */
const still = ({ vips, ec2, timeline }: World): string =>
  JSON.stringify([[...vips.items], ec2.effects.length, timeline.entries.length]);

function freshWorld() {
  const w = world(MEMBERS);
  w.clock.set(NOW);
  return { w, before: still(w) };
}

const byRole: NodeIdentity = { mode: 'source', roleId: ROLE };

export const fuzzEvents = (draws: Draws, identity: NodeIdentity = byRole): Promise<EventEnds> =>
  fuzzClaims('events', draws, { parse: parseClaimEvent, identity });

export const fuzzCalls = (draws: Draws, identity: NodeIdentity = byRole): Promise<EventEnds> =>
  fuzzClaims('calls', draws, { parse: parseDirectCall, identity });

async function fuzzClaims(input: Input, draws: Draws, given: Given): Promise<EventEnds> {
  const ends: EventEnds = {};
  let { w, before } = freshWorld();
  await drawAll(input, draws, input === 'calls' ? hostileCall : hostileEvent, async (event) => {
    try {
      const end = await endOf(w, event, given);
      ends[end] = (ends[end] ?? 0) + 1;
      if (still(w) !== before) throw new Error(`${end}, and it moved something: ${still(w)}`);
      if ('polluted' in {}) throw new Error('a prototype was polluted');
    } catch (error) {
      // A smaller event is tried on what this one found.
      ({ w, before } = freshWorld());
      Reflect.deleteProperty(Object.prototype, 'polluted');
      throw error;
    }
  });
  return ends;
}
