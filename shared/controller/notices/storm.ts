// A storm is what a node that flaps makes of a VIP. It is announced once, by the caller whose write damped the node.
//
// Limit: a caller that dies between that write and the announcement announces nothing; the alarm reports the storm all the same.
import { toleratedFault } from '../../fault.ts';
import { defined } from '../../optional.ts';
import type { EventPublisher } from '../../switch/switch-vip.ts';
import type { EpochMs } from '../../time.ts';
import {
  byAge,
  countedTransitions,
  type Flapping,
  flappingOf,
  isSameTransition,
  recentTransition,
  type Transition,
} from '../../vip/flapping.ts';
import type { Vip } from '../../vip/vip.ts';
import type { RecordableClaim } from '../next-action.ts';

/** The item after a write. Not `isOwn`: as it was read after the reply was lost, so that others may have written, too. */
export interface Written {
  readonly vip: Vip;
  readonly isOwn: boolean;
}

/** Each write raises `rev` by one. */
export const writtenAfter = (before: Vip, vip: Vip): Written => ({ vip, isOwn: vip.rev === before.rev + 1 });

/** What an answer says beside what became of the claim. */
export interface Noted {
  /** The storm that this claim's own write began. */
  readonly storm?: Flapping;
  /** Why what the claim says and what was recorded of its node cannot both be true. */
  readonly contradiction?: string;
}

/**
 * The storm that this claim's own write began, for the answer; nothing where its transition was in the item `before`, its node is
 * calm, or was damped without it. Of an item that others have written since, its later transitions do not count: the caller
 * whose write added the last of them announces the storm.
 */
export function stormBegun(
  { claim: { node }, nodeState }: RecordableClaim,
  { vip: written, isOwn }: Written,
  now: EpochMs,
  before?: Vip,
): Pick<Noted, 'storm'> {
  const added = recentTransition(nodeState);
  if (added === undefined || includes(before, node, added) || !includes(written, node, added)) return {};
  const all = countedTransitions(written, node).filter((one) => isOwn || byAge(one, added) >= 0);
  const others = all.filter((known) => !isSameTransition(known, added));
  if (flappingOf(node, others, now) !== undefined) return {};
  return defined({ storm: flappingOf(node, all, now) });
}

const includes = (vip: Vip | undefined, node: string, transition: Transition): boolean =>
  (vip?.transitions?.[node] ?? []).some((known) => isSameTransition(known, transition));

/**
 * A bus that does not take it costs nothing else: delivered again the claim would begin no storm. The alarm and the log report the
 * storm all the same. A mistake of ours is thrown.
 */
export const announceStorm = (bus: EventPublisher, vip: string, storm: Flapping): Promise<void> =>
  bus.flapping(vip, storm).catch((error: unknown) => void toleratedFault(error));
