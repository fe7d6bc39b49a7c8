// What an execution environment remembers, so that claims that move nothing cost few describes: which VIPs it has met and
// what they are labelled with, which names were refused, and which transition of a node it has had already. Describes have
// one budget for the whole account, and a claim may name whatever it likes.
//
// Invariant: only hints. What is not asked in advance is asked one round trip later; only a node that was found not to be a
// member again and again is refused for ten seconds without a look. Every memory of names has a limit, and the oldest name
// is forgotten first.
import { type DurationMs, type EpochMs, minus, minutes, seconds } from '../time.ts';
import type { Scope } from '../vip/vip.ts';

/** Names that each memory keeps at most. */
export const NAMES_MAX = 1000;
/** For a name that was refused nothing is asked in advance for this long. */
export const REFUSED_FOR: DurationMs = minutes(1);
/** Describes without use that are allowed at once, and how long it takes until one more is allowed. */
export const USELESS_MAX = 3;
export const USELESS_EVERY: DurationMs = seconds(10);

/** What a claim says about itself. */
export interface ClaimName {
  readonly vip: string;
  readonly node: string;
  readonly bootId: string;
  readonly since: number;
}

export interface PrefetchMemory {
  /** The labels of a VIP that was met; undefined for any other name. */
  scopeOf(vip: string): Scope | undefined;
  /** Its item was seen: it is registered. */
  meet(scope: Scope): void;
  /** The VIP is not registered. */
  refuseVip(vip: string, now: EpochMs): void;
  /** EC2 was asked, and shows no ENI of the node with the VIP's label. */
  refuseNode(claim: ClaimName, now: EpochMs): void;
  /** The node flaps: for REFUSED_FOR nothing is asked in advance for its claims, which most likely move nothing. */
  spare(claim: ClaimName, now: EpochMs): void;
  /**
   * Whether the describes for this claim may begin before its item is known; counts it. Not for a transition that came
   * before, nor for a name that was just refused; for a VIP that was not met as often as USELESS_MAX and USELESS_EVERY say.
   */
  mayPrefetch(claim: ClaimName, now: EpochMs): boolean;
  /** Whether EC2 may be asked if this node is a member: not when it was found not to be one too often. */
  mayLookUp(claim: ClaimName, now: EpochMs): boolean;
}

export function prefetchMemory(): PrefetchMemory {
  const met = names<Scope>();
  const refused = names<EpochMs>();
  const transitions = names<string>();
  const ofUnmet = uselessBucket();
  const ofNodes = names<UselessBucket>();
  const isRefused = (name: string, now: EpochMs): boolean => {
    const atMs = refused.get(name);
    return atMs !== undefined && atMs > minus(now, REFUSED_FOR);
  };
  return {
    scopeOf: (vip) => met.get(vip),
    meet(scope) {
      const { name, tableLabels, nodeLabels } = scope;
      met.set(name, { name, tableLabels, nodeLabels });
      refused.delete(name);
    },
    refuseVip(vip, now) {
      met.delete(vip);
      refused.set(vip, now);
    },
    refuseNode({ vip, node }, now) {
      refused.set(pairOf({ vip, node }), now);
      const bucket = ofNodes.get(node) ?? uselessBucket();
      bucket.take(now);
      ofNodes.set(node, bucket);
    },
    spare(claim, now) {
      refused.set(pairOf(claim), now);
    },
    mayPrefetch(claim, now) {
      const transition = `${claim.bootId} ${claim.since}`;
      const came = transitions.get(pairOf(claim)) === transition;
      transitions.set(pairOf(claim), transition);
      if (came || isRefused(claim.vip, now) || isRefused(pairOf(claim), now)) return false;
      return met.get(claim.vip) !== undefined || ofUnmet.take(now);
    },
    mayLookUp: ({ node }, now) => ofNodes.get(node)?.has(now) ?? true,
  };
}

/** Neither a VIP's name nor an instance id has a blank in it. */
const pairOf = ({ vip, node }: Pick<ClaimName, 'vip' | 'node'>): string => `${vip} ${node}`;

interface UselessBucket {
  has(now: EpochMs): boolean;
  /** Takes a token; false when there is none. */
  take(now: EpochMs): boolean;
}

function uselessBucket(): UselessBucket {
  let left = USELESS_MAX;
  let atMs: EpochMs | undefined;
  const refill = (now: EpochMs): void => {
    left = Math.min(USELESS_MAX, left + Math.max(0, now - (atMs ?? now)) / USELESS_EVERY);
    atMs = now;
  };
  const has = (now: EpochMs): boolean => {
    refill(now);
    return left >= 1;
  };
  return {
    has,
    take(now) {
      if (!has(now)) return false;
      left -= 1;
      return true;
    },
  };
}

type Names<T> = Pick<Map<string, T>, 'get' | 'set' | 'delete'>;

/** The names that were set last. */
function names<T>(): Names<T> {
  const kept = new Map<string, T>();
  return {
    get: (name) => kept.get(name),
    delete: (name) => kept.delete(name),
    set(name, value) {
      kept.delete(name);
      kept.set(name, value);
      const [oldest] = kept.keys();
      if (kept.size > NAMES_MAX) kept.delete(oldest!);
      return kept;
    },
  };
}
