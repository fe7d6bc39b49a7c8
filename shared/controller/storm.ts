// A storm is what a node that flaps makes of a VIP. It is announced once, by the caller whose write damped the node.
//
// Limit: a caller that dies between that write and the announcement announces nothing; the alarm reports the storm all the same.
import { toleratedFault } from '../fault.ts';
import { defined } from '../optional.ts';
import type { EventPublisher } from '../switch/switch-vip.ts';
import type { EpochMs } from '../time.ts';
import {
  countedTransitions,
  type Flapping,
  flappingOf,
  isSameTransition,
  recentTransition,
  type Transition,
} from '../vip/flapping.ts';
import type { Vip } from '../vip/vip.ts';
import type { RecordableClaim } from './next-action.ts';

/** What an answer says beside what became of the claim. */
export interface Noted {
  /** The storm that this claim's own write began. */
  readonly storm?: Flapping;
  /** Why what the claim says and what was recorded of its node cannot both be true. */
  readonly contradiction?: string;
}

/**
 * The storm that this claim's own write began, for the answer; nothing where its transition was in the item `before`, its node is
 * calm, or was damped without it.
 */
export function stormBegun(
  { claim: { node }, nodeState }: RecordableClaim,
  written: Vip,
  now: EpochMs,
  before?: Vip,
): Pick<Noted, 'storm'> {
  const added = recentTransition(nodeState);
  if (added === undefined || includes(before, node, added) || !includes(written, node, added)) return {};
  const all = countedTransitions(written, node);
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
