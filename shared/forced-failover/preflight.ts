// The preflight of a forced failover: may this VIP go to this node now, and what would that take? Pure, and the whole of
// a dry run. It refuses with every reason at once, so that an operator fixes all of them before asking again.
//
// Limit: it is true of the moment it looked. After an approval it looks again, and what it found has to be so still when the
// order is written into the VIP's item (forced.ts). The switch itself decides again under the lease.

import type { Conflict } from '../network/conflict.ts';
import { asNextOwner, ownerProblemText } from '../network/next-owner.ts';
import type { HostStates, Observation } from '../network/observation.ts';
import type { Step } from '../network/step.ts';
import { type Rates, rates } from '../rate-limit/local-bucket.ts';
import { type EpochMs, iso } from '../time.ts';
import { forcedText } from '../timeline/operator-action.ts';
import { isLiveOrder } from '../vip/election.ts';
import { dampedAt, flappingText } from '../vip/flapping.ts';
import type { Vip } from '../vip/vip.ts';
import { drainOf, drainText } from '../vip/vip.ts';
import type { FailoverOrder } from './order.ts';

export interface Preflight {
  readonly outcome: 'fit' | 'refused';
  readonly reasons: readonly string[];
  readonly plan: readonly Pick<Step, 'call' | 'cell' | 'from' | 'eni'>[];
  /** What would be left alone. */
  readonly conflicts: readonly Conflict[];
  /** From the first to the last EC2 call at the least, by EC2's request budget. */
  readonly atLeastMs: number;
  /** The owner, and its priority while it is not demoted. */
  readonly before: { readonly owner?: string; readonly priority?: number };
  /** How many more there are of each list, where the workflow does not carry all of them. */
  readonly left?: { readonly plan: number; readonly conflicts: number; readonly reasons: number };
}

export interface PreflightContext {
  readonly now: EpochMs;
  readonly sizes?: Rates | undefined;
  /** Undefined where EC2 did not tell. */
  readonly hosts?: HostStates | undefined;
}

export function preflight(
  vip: Vip | undefined,
  seen: Observation | undefined,
  order: FailoverOrder,
  { now, sizes, hosts }: PreflightContext,
): Preflight {
  if (vip === undefined || vip.removedAtMs !== undefined)
    return refused([`VIP ${order.vip} is not in the registry`]);
  if (seen === undefined) return refused([`EC2 did not answer: nothing is known of ${order.vip} now`]);
  const reasons = [...orderReasons(vip, order, now), ...flappingReasons(vip, order.to, now)];
  return lookAt(vip, seen, order.to, { reasons, sizes, hosts });
}

export interface LookContext {
  /** What is against it before EC2 is looked at. */
  readonly reasons: readonly string[];
  readonly sizes?: Rates | undefined;
  /** Undefined where EC2 did not tell. */
  readonly hosts?: HostStates | undefined;
}

/** What moving the VIP to this node takes now, and all that is against it. */
export function lookAt(
  vip: Vip,
  seen: Observation,
  to: string,
  { reasons: before, sizes = rates, hosts }: LookContext,
): Preflight {
  const { todo, problems } = asNextOwner(vip, seen, to, hosts);
  const reasons = [...before, ...problems.map(ownerProblemText)];
  return {
    outcome: reasons.length === 0 ? 'fit' : 'refused',
    reasons,
    plan: todo.steps.map(({ call, cell, from, eni }) => ({ call, cell, from, eni })),
    conflicts: todo.conflicts,
    atLeastMs: atLeastMs(todo.steps, sizes),
    before: beforeOf(vip),
  };
}

function beforeOf({ owner, claims }: Vip): Preflight['before'] {
  if (owner === undefined) return {};
  const priority = claims[owner]?.priority;
  return priority === undefined ? { owner } : { owner, priority };
}

/** Each action has a bucket of its own, and they empty side by side. */
function atLeastMs(steps: readonly Step[], sizes: Rates): number {
  const waits = (Object.keys(sizes) as Step['call'][]).map((call) => {
    const { burst, perSecond } = sizes[call];
    const count = steps.filter((step) => step.call === call).length;
    return (Math.max(0, count - burst) / perSecond) * 1000;
  });
  return Math.round(Math.max(...waits));
}

const refused = (reasons: readonly string[]): Preflight => ({
  outcome: 'refused',
  reasons,
  plan: [],
  conflicts: [],
  atLeastMs: 0,
  before: {},
});

/** Other operators' orders that are in the way: freeze, pin, drain and forced failover are honoured. `execution`: whose own word is none. */
export function operatorsReasons(
  vip: Vip,
  order: FailoverOrder,
  now: EpochMs,
  execution?: string,
): readonly string[] {
  const reasons: string[] = [];
  const { freeze, pin, forced } = vip;
  if (freeze !== undefined && isLiveOrder(freeze, now))
    reasons.push(`frozen until ${iso(freeze.untilMs)} by ${freeze.by}: ${freeze.reason}`);
  if (pin !== undefined && isLiveOrder(pin, now) && pin.node !== order.to)
    reasons.push(`pinned to ${pin.node} until ${iso(pin.untilMs)} by ${pin.by}: ${pin.reason}`);
  const drain = drainOf(vip, order.to, now);
  if (drain !== undefined) reasons.push(drainText(order.to, drain));
  if (forced !== undefined && isLiveOrder(forced, now) && forced.execution !== execution)
    reasons.push(`${forcedText(vip.name, forced)}; wait for its end, or cancel it with a freeze`);
  return reasons;
}

function orderReasons(vip: Vip, order: FailoverOrder, now: EpochMs): readonly string[] {
  const reasons = [...operatorsReasons(vip, order, now)];
  if (vip.owner === order.to) reasons.push(`${order.to} is the owner already`);
  if (order.mode === 'routes-only' && vip.hold !== 'both')
    reasons.push(
      `hold is "${vip.hold}", expected "both" for routes-only: ${order.to} does not have the address while it is not master; use via-keepalived`,
    );
  if (order.mode === 'routes-only' && order.pinMinutes === 0)
    reasons.push('routes-only without a pin: reconcile would follow keepalived back within a minute');
  if (order.mode === 'via-keepalived' && vip.owner === undefined)
    reasons.push('no node owns the VIP, so there is no master to demote; use routes-only');
  return reasons;
}

/** The owner would be demoted for a node that may be gone again in a moment. Who has pinned it there means it. */
function flappingReasons(vip: Vip, node: string, now: EpochMs): readonly string[] {
  const flapping = dampedAt(vip, node, now);
  const isPinned = isLiveOrder(vip.pin, now) && vip.pin?.node === node;
  return flapping === undefined || isPinned ? [] : [`${flappingText(flapping)}; or pin it first`];
}
