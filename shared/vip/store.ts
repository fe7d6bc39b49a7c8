import type { EpochMs } from '../time.ts';
import { FLAPS_MIN, FLAPS_STORED_MAX, recentTransition, withStored } from './flapping.ts';
import { isLive, type Lease } from './lease.ts';
import { withReport } from './liveness.ts';
import { merge, type NodeState } from './node-state.ts';
import { isNews, onlyRefreshes, type Vip, withLease } from './vip.ts';

/** The item after `claimWrite`, or undefined when its conditions do not hold: the contract that every store keeps. */
export function afterClaimWrite(vip: Vip, claimWrite: ClaimWrite, now: EpochMs): Vip | undefined {
  const { node, nodeState, window, lease } = claimWrite;
  const known = vip.claims[node];
  if (vip.removedAtMs !== undefined || vip.members[node] === undefined) return undefined;
  if (
    claimWrite.as === 'news'
      ? !isNews(known, nodeState)
      : known === undefined || !onlyRefreshes(known, nodeState)
  ) {
    return undefined;
  }
  const stored = vip.transitions ?? {};
  if (claimWrite.as === 'news' && (stored[node]?.length ?? 0) >= transitionsMax(claimWrite)) return undefined;
  const added = claimWrite.as === 'news' ? recentTransition(nodeState) : undefined;
  const transitions = withStored(stored, node, added);
  const recorded = {
    ...vip,
    rev: vip.rev + 1,
    claims: { ...vip.claims, [node]: merge(known, nodeState) },
    ...withReport(vip, window, nodeState),
    ...(transitions === stored ? {} : { transitions }),
  };
  if (lease === undefined) return recorded;
  if (isLive(vip.lease, now)) return undefined;
  return withLease(recorded, lease);
}

/**
 * With as many transitions of the node stored a write is refused: the lease is not taken blindly for a node that this one may
 * damp, and no more are added than a later write can remove.
 */
export const transitionsMax = ({ lease }: ClaimWrite): number =>
  lease === undefined ? FLAPS_STORED_MAX : FLAPS_MIN - 1;

/** What a claim asks of the store in one conditional write. */
export interface ClaimWrite {
  readonly vip: string;
  readonly node: string;
  /** As the claim alone gives it. */
  readonly nodeState: NodeState;
  /** The evidence window of the claim. */
  readonly window: number;
  /** `news`: the node state replaces an older one, or is the node's first. `refresh`: it only refreshes the recorded one. */
  readonly as: 'news' | 'refresh';
  /** Absent: record only. Goes with `news` only. */
  readonly lease?: Omit<Lease, 'epoch'>;
}

/**
 * - `recorded`: the write happened, and the lease was taken if it was asked for; `vip` is the item after it.
 * - `refused`: nothing was written; `vip` is the item as it is, or undefined when there is none.
 */
export type ClaimWriteResult =
  | { readonly answer: 'recorded'; readonly vip: Vip }
  | { readonly answer: 'refused'; readonly vip: Vip | undefined };

/** Writes are checked and done at once. After a lost reply every method throws a Fault of kind `unknown`. */
export interface VipStore {
  /** Strongly consistent. Undefined when the name was never registered. */
  read(name: string): Promise<Vip | undefined>;
  /** Every item, tombstones included; not consistent. Pages until the end. */
  list(): Promise<readonly Vip[]>;
  /**
   * Records a claim without reading first, in one conditional write: refused unless the VIP is in the registry, the
   * node is a member, the node state is what `as` says, and, with a lease, no other one is live at `now`. `news` adds the
   * transition to those of its node, and is refused when `transitionsMax` of them are stored.
   */
  recordClaim(claimWrite: ClaimWrite, now: EpochMs): Promise<ClaimWriteResult>;
  /**
   * Replaces `before` by `after` if nothing changed since `before` was read (its `rev`), and raises `rev`.
   * Undefined when something did: nothing was written. Attributes that this version does not know stay.
   */
  write(before: Vip | undefined, after: Vip): Promise<Vip | undefined>;
  /**
   * Prolongs a lease that is still held under this epoch and holder, and gives the item as it then is; undefined when
   * it is not held. Raises `rev`: a caller that read the lease as run out must not take it after that. Never shortens: a
   * renewal that lands late must not take back what a later one gave (then nothing changes).
   */
  renew(name: string, lease: Lease, expiresAtMs: EpochMs): Promise<Vip | undefined>;
}

export interface ItemChange {
  readonly name: string;
  /** The item as the caller has read it. */
  readonly from: Vip | undefined;
  /** Writes that another one may be quicker than, before it is given up. */
  readonly racesMax: number;
}

export interface Changed {
  /** `lost`: others were quicker `racesMax` times. */
  readonly is: 'written' | 'unchanged' | 'lost';
  /** As it is stored now; undefined where there is none. */
  readonly item: Vip | undefined;
}

/**
 * The one loop that changes an item where no lease is needed: decide on what it says, write on condition that it is
 * unchanged, and decide again where another writer was quicker. `change` may throw to refuse; undefined, or the very item that it
 * was given, is not written. A lost reply is thrown: the caller's next read settles it, so `change` must be idempotent.
 */
export async function compareAndSet(
  vips: VipStore,
  { name, from, racesMax }: ItemChange,
  change: (was: Vip | undefined) => Vip | undefined,
): Promise<Changed> {
  let item = from;
  for (let race = 1; race <= racesMax; race++) {
    const is = change(item);
    if (is === undefined || is === item) return { is: 'unchanged', item };
    const written = await vips.write(item, is);
    if (written !== undefined) return { is: 'written', item: written };
    item = await vips.read(name);
  }
  return { is: 'lost', item };
}
