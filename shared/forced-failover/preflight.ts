// The preflight of a forced failover: may this VIP go to this node now, and what would that take? Pure, and the whole of
// a dry run. It refuses with every reason at once, so that an operator fixes all of them before asking again.
//
// Limit: it is true of the moment it looked. After an approval it looks again, and what it found has to be so still when the
// order is written into the VIP's item (forced.ts). The switch itself decides again under the lease.

import { type Conflict, unmetCells } from '../network/conflict.ts';
import { membersSeen, type Observation, type TableSeen, tablesOf } from '../network/observation.ts';
import { type Plan, plan } from '../network/plan.ts';
import type { Step } from '../network/step.ts';
import { type Rates, rates } from '../rate-limit/local-bucket.ts';
import { type EpochMs, iso } from '../time.ts';
import { forcedText } from '../timeline/operator-action.ts';
import { isLiveOrder, unfit, unfitText } from '../vip/election.ts';
import { dampedAt, flappingText } from '../vip/flapping.ts';
import type { Vip } from '../vip/vip.ts';
import type { FailoverOrder } from './order.ts';

/** Default quota of a route table (VPC guide, "Quotas"); it can be raised, then a full table is only nearly full. */
export const ROUTES_PER_TABLE = 500;
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

export function preflight(
  vip: Vip | undefined,
  seen: Observation | undefined,
  order: FailoverOrder,
  { now, sizes = rates }: { readonly now: EpochMs; readonly sizes?: Rates | undefined },
): Preflight {
  if (vip === undefined || vip.removedAtMs !== undefined)
    return refused([`VIP ${order.vip} is not in the registry: vipshift vip list`]);
  if (seen === undefined) return refused([`EC2 did not answer: nothing is known of ${order.vip} now`]);
  const members = { ...vip.members, ...membersSeen(vip, seen, vip.members) };
  const known = { ...vip, members };
  const target = membersSeen(vip, seen, vip.members)[order.to];
  const todo: Plan = target === undefined ? { steps: [], conflicts: [] } : plan(known, seen, target, true);
  const reasons = [
    ...orderReasons(known, order, now),
    ...targetReasons(known, seen, order.to, target?.eni),
    ...flappingReasons(known, order.to, now),
    ...headroomReasons(known, seen, todo),
  ];
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

/** Other operators' orders that are in the way: freeze, pin and forced failover are honoured. `execution`: whose own word is none. */
export function operatorsReasons(
  vip: Vip,
  order: FailoverOrder,
  now: EpochMs,
  execution?: string,
): readonly string[] {
  const reasons: string[] = [];
  const { freeze, pin, forced } = vip;
  if (freeze !== undefined && isLiveOrder(freeze, now))
    reasons.push(`frozen until ${iso(freeze.untilMs)} by ${freeze.by}: ${freeze.reason}; vipshift unfreeze`);
  if (pin !== undefined && isLiveOrder(pin, now) && pin.node !== order.to)
    reasons.push(
      `pinned to ${pin.node} until ${iso(pin.untilMs)} by ${pin.by}: ${pin.reason}; vipshift unpin ${vip.name}`,
    );
  if (forced !== undefined && isLiveOrder(forced, now) && forced.execution !== execution)
    reasons.push(
      `${forcedText(vip.name, forced)}; wait for its end, or cancel it: vipshift freeze ${vip.name}`,
    );
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

function targetReasons(
  vip: Vip,
  seen: Observation,
  node: string,
  eni: string | undefined,
): readonly string[] {
  const reasons: string[] = [];
  const why = unfit(vip, node);
  if (why !== undefined) reasons.push(`not fit: ${unfitText(why)}`);
  if (eni === undefined) {
    reasons.push(
      `EC2 shows no ENI of ${node} in use with the label ${vip.nodeLabels.join(' or ')} in ${vip.vpc}`,
    );
  } else if (seen.enis.find((e) => e.eni === eni)?.sourceDestCheck === true) {
    reasons.push(
      `source/destination check is on at ${eni}: EC2 drops what is not addressed to the ENI itself`,
    );
  }
  return reasons;
}

/** The owner would be demoted for a node that may be gone again in a moment. Who has pinned it there means it. */
function flappingReasons(vip: Vip, node: string, now: EpochMs): readonly string[] {
  const flapping = dampedAt(vip, node, now);
  const isPinned = isLiveOrder(vip.pin, now) && vip.pin?.node === node;
  return flapping === undefined || isPinned ? [] : [`${flappingText(flapping)}; or pin it first`];
}

function headroomReasons(vip: Vip, seen: Observation, todo: Plan): readonly string[] {
  const full = tablesOf(vip, seen)
    .filter((table) => (table.total ?? 0) + created(table, todo) > ROUTES_PER_TABLE)
    .map(
      (table) =>
        `${table.table} has ${table.total} of ${ROUTES_PER_TABLE} routes and ${created(table, todo)} are missing: no headroom`,
    );
  return [...unmetCells(todo.conflicts), ...full];
}

const created = (table: TableSeen, todo: Plan): number =>
  todo.steps.filter((s) => s.call === 'CreateRoute' && s.table === table.table && s.from === 'nothing')
    .length;
