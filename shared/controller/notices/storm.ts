// A storm is what a node that flaps makes of a VIP. It is announced once, by the caller whose write damped the node.
//
// Invariant: no storm is announced twice, whatever others write meanwhile and however late a caller goes on. What counts is what
// its own write found and left behind, and the dates of the transitions; never what the item says later.
// Limit: a caller that dies between that write and the announcement announces nothing, nor does one that cannot tell that the
// write was its own; the alarm reports the storm all the same.
import { toleratedFault } from '../../fault.ts';
import { defined } from '../../optional.ts';
import type { EventPublisher } from '../../switch/switch-vip.ts';
import type { EpochMs } from '../../time.ts';
import {
  beginsStorm,
  countedTransitions,
  type Flapping,
  flappingOf,
  isSameTransition,
  recentTransition,
  type Transition,
} from '../../vip/flapping.ts';
import type { Vip } from '../../vip/vip.ts';
import type { RecordableClaim } from '../next-action.ts';

/** A write of the caller's own. */
export interface OwnWrite {
  /** The item as it was read for it: others may have written in between, where it was a write without a condition on `rev`. */
  readonly before: Vip;
  /** Exactly as the write left it. */
  readonly after: Vip;
}

/** What an answer says beside what became of the claim. */
export interface Noted {
  /** The storm that this claim's own write began. */
  readonly storm?: Flapping;
  /** Why what the claim says and what was recorded of its node cannot both be true. */
  readonly contradiction?: string;
}

/**
 * The storm that this claim's own write began, for the answer; nothing where its transition was in the item before, or its node is
 * calm, or the storm had begun without it.
 *
 * No write that takes the lease blindly begins one: it is refused where it could (`transitionsMax` in vip/store.ts). Nor does a
 * late claim, which counts as no transition.
 */
export function stormBegun(
  { claim: { node }, nodeState }: RecordableClaim,
  { before, after }: OwnWrite,
  now: EpochMs,
): Pick<Noted, 'storm'> {
  const added = recentTransition(nodeState);
  if (added === undefined || includes(before, node, added) || !includes(after, node, added)) return {};
  const counted = countedTransitions(after, node);
  // More than are kept: the oldest of before made room for this one.
  if (!beginsStorm(added, [...countedTransitions(before, node), ...counted])) return {};
  return defined({ storm: flappingOf(node, counted, now) });
}

const includes = (vip: Vip, node: string, transition: Transition): boolean =>
  (vip.transitions?.[node] ?? []).some((known) => isSameTransition(known, transition));

/**
 * A bus that does not take it costs nothing else: delivered again the claim would begin no storm. The alarm and the log report the
 * storm all the same. A mistake of ours is thrown.
 */
export const announceStorm = (bus: EventPublisher, vip: string, storm: Flapping): Promise<void> =>
  bus.flapping(vip, storm).catch((error: unknown) => void toleratedFault(error));
