// The status of one VIP: what the item says, what EC2 shows, and how the two agree. Pure, and the same judgement as
// reconcile's, so that what an operator reads is what the controller would do.

import type { Conflict } from '../../network/conflict.ts';
import type { Mislabelled } from '../../network/labels.ts';
import { hostStates, type NodeFacts, type Nodes } from '../../network/node-facts.ts';
import { type Observation, type Stray, tablesOf } from '../../network/observation.ts';
import { nothing, placeText, type Step } from '../../network/step.ts';
import { defined, ifDefined } from '../../optional.ts';
import { type EpochMs, minutes, plus } from '../../time.ts';
import type { FailoverInShort } from '../../timeline/query.ts';
import type { VrrpState } from '../../vip/claim.ts';
import { elect, isLiveOrder } from '../../vip/election.ts';
import { dampedAt, type Flapping } from '../../vip/flapping.ts';
import { type Cause, isLive } from '../../vip/lease.ts';
import { isSilent } from '../../vip/liveness.ts';
import { type Unheard, unheardFor } from '../../vip/unheard.ts';
import type { Declined, Drain, Override, Pin, Vip } from '../../vip/vip.ts';
import { drainOf } from '../../vip/vip.ts';
import { assess } from '../assess.ts';
import { isAtRisk } from '../warned.ts';
import { type LastFailover, lastFailoverFrom, type Since, sinceFrom } from './ownership.ts';
import { type Health, reasonsOf } from './reasons.ts';
import { type StandbyStatus, standbysOf } from './standby.ts';

export type { Health } from './reasons.ts';

export interface ClaimStatus {
  readonly node: string;
  readonly state: VrrpState;
  readonly priority: number;
  /** Since the node itself last vouched for it. */
  readonly ageMs: number;
  readonly silent: boolean;
  readonly member: boolean;
  /** By which ways it has reported its last transition; absent: by the bus alone. */
  readonly ways?: 'direct' | 'both';
  /** Set while the node is drained. */
  readonly drained?: Drain;
  /** Maintenance for which the node is not drained, by an operator's word. */
  readonly declined?: Declined;
  /** Why the node is about to go, as AWS told it; set until it stays. */
  readonly leaving?: string;
  /** AWS recommends to rebalance it: nothing moves for that. */
  readonly atRisk?: true;
  /** Set while the node is damped because it flaps: when that ends, unless it changes its state again. */
  readonly dampedUntilMs?: EpochMs;
}

export interface RouteStatus {
  readonly table: string;
  readonly address: string;
  readonly target: string;
  /** The member whose ENI that is. */
  readonly node?: string;
  readonly blackhole: boolean;
  /** Points to the node that should have it: the elected one, which is the owner in health. */
  readonly right: boolean;
}

export interface EipStatus {
  readonly eip: string;
  readonly publicAddress: string;
  readonly target: string;
  readonly node?: string;
  readonly right: boolean;
}

export interface VipStatus {
  readonly vip: string;
  readonly health: Health;
  /** What is wrong, the worst first; `in sync` where nothing is. */
  readonly why: string;
  /** The same, each by itself; empty in health. */
  readonly reasons: readonly string[];
  readonly owner?: string;
  /** Since when the owner has it, as far as the newest outcome tells. */
  readonly since?: Since;
  /** Whom the claims elect, when that is not the owner. */
  readonly elected?: string;
  readonly epoch: number;
  readonly lastFailover?: LastFailover;
  /** Every member but the owner. */
  readonly standbys: readonly StandbyStatus[];
  /** When reconcile last confirmed what it saw; absent where it never did, or where that is not known. */
  readonly reconciledAtMs?: EpochMs;
  /** It has not for longer than it waits while nothing changes. */
  readonly isReconcileLate?: boolean;
  readonly lease?: { readonly cause: Cause; readonly expiresAtMs: EpochMs; readonly live: boolean };
  /** When the last call of the failover under way goes out, where EC2's request budget does not last for all at once. */
  readonly dueAtMs?: EpochMs;
  readonly pin?: Pin;
  readonly suspendedPin?: string;
  readonly freeze?: Override;
  readonly claims: readonly ClaimStatus[];
  readonly routes: readonly RouteStatus[];
  readonly eips: readonly EipStatus[];
  readonly drift: readonly Step[];
  readonly conflicts: readonly Conflict[];
  readonly strays: readonly Stray[];
  /** What a failover leaves although its tag, or its route, looks as if it should move. */
  readonly mislabelled: readonly Mislabelled[];
  readonly splitBrain: readonly string[];
  /** Members that flap and are damped. */
  readonly flapping: readonly Flapping[];
  /** No claim of any member was accepted for minutes, also while the VIP is frozen. */
  readonly unheard?: Unheard;
  /** What EC2 says of the members and of nodes with a claim, by id; without names where it was not asked. */
  readonly nodes: Readonly<Record<string, NodeFacts>>;
  readonly atMs: EpochMs;
}

/** What besides the item and EC2's answer about routes goes into a status. */
export interface StatusFacts {
  readonly mislabelled?: readonly Mislabelled[];
  /** Undefined where EC2 was not asked for the instances, or did not tell. */
  readonly instances?: Nodes | undefined;
  readonly last?: FailoverInShort | undefined;
  readonly dueAtMs?: EpochMs | undefined;
  readonly reconciledAtMs?: EpochMs | undefined;
  /** Why there is no observation. */
  readonly unseen?: string;
}

/** Reconcile confirms what has not changed every half an hour (view-cache.ts), and runs every minute. */
export const RECONCILE_LATE = minutes(35);

/** `seen`: undefined where EC2 did not answer; then nothing is said of routes and EIPs. */
export function statusOf(
  vip: Vip,
  seen: Observation | undefined,
  now: EpochMs,
  facts: StatusFacts = {},
): VipStatus {
  const { mislabelled = [], instances, last, dueAtMs, reconciledAtMs } = facts;
  const assessment = seen === undefined ? undefined : assess(vip, seen, now);
  const election = elect(vip, now);
  const live = isLive(vip.lease, now);
  const freeze = isLiveOrder(vip.freeze, now) ? vip.freeze : undefined;
  const unheard = unheardFor(vip, now);
  const { splitBrain, owner: elected } = election;
  const standbys = standbysOf(vip, { seen, hosts: hostStates(instances) }, now);
  const reasons = reasonsOf({
    ...{ vip, seen, assessment, freeze, splitBrain, unheard, mislabelled, standbys },
    lease: live ? vip.lease : undefined,
    unseen: facts.unseen,
  });
  const texts = reasons.map(({ text }) => text);
  return {
    vip: vip.name,
    health: reasons[0]?.health ?? 'well',
    why:
      texts.length === 0
        ? 'in sync'
        : `${texts[0]}${texts.length === 1 ? '' : `; and ${texts.length - 1} more`}`,
    reasons: texts,
    ...defined({ owner: vip.owner, since: sinceFrom(vip.owner, last) }),
    ...(elected === undefined || elected === vip.owner ? {} : { elected }),
    epoch: vip.epoch,
    ...defined({ lastFailover: ifDefined(last, lastFailoverFrom) }),
    standbys,
    ...defined({
      reconciledAtMs,
      isReconcileLate: ifDefined(reconciledAtMs, (at) => now >= plus(at, RECONCILE_LATE)),
      lease: ifDefined(vip.lease, ({ cause, expiresAtMs }) => ({ cause, expiresAtMs, live })),
      dueAtMs: live ? dueAtMs : undefined,
      pin: isLiveOrder(vip.pin, now) ? vip.pin : undefined,
      suspendedPin: assessment?.suspendedPin,
      freeze,
    }),
    claims: claimsOf(vip, now),
    routes: seen === undefined ? [] : routesOf(vip, seen, elected),
    eips: seen === undefined ? [] : eipsOf(vip, seen, elected),
    drift: assessment?.drift ?? [],
    conflicts: assessment?.conflicts ?? [],
    strays: assessment?.strays ?? [],
    mislabelled,
    splitBrain,
    flapping: assessment?.flapping ?? [],
    ...defined({ unheard }),
    nodes: nodesOf(vip, instances),
    atMs: now,
  };
}

/** Nothing is wrong with it: what a script may rely on. A VIP that moves now is looked at again. */
export const isWell = ({ health, mislabelled }: VipStatus): boolean =>
  (health === 'well' || health === 'moving') && mislabelled.length === 0;

function nodesOf(vip: Vip, instances: Nodes | undefined): VipStatus['nodes'] {
  const nodes = new Set([...Object.keys(vip.members), ...Object.keys(vip.claims)]);
  const facts = [...nodes].sort().map((node) => {
    const zone = vip.members[node]?.zone || undefined;
    return [node, { node, ...defined({ zone }), ...instances?.get(node) }] as const;
  });
  return Object.fromEntries(facts);
}

function claimsOf(vip: Vip, now: EpochMs): readonly ClaimStatus[] {
  const nodes = [...new Set([...Object.keys(vip.claims), ...Object.keys(vip.members)])].sort();
  return nodes.flatMap((node) => {
    const nodeState = vip.claims[node];
    if (nodeState === undefined) return [];
    const { state, priority, seenMs, leaving, ways } = nodeState;
    const member = vip.members[node] !== undefined;
    const silent = isSilent(vip, nodeState);
    const damped = defined({ dampedUntilMs: dampedAt(vip, node, now)?.untilMs });
    const declined = vip.declined?.[node];
    const isOver = declined !== undefined && declined.untilMs <= now;
    const drained = defined({
      drained: drainOf(vip, node, now),
      declined: isOver ? undefined : declined,
    });
    const atRisk = isAtRisk(vip, node) ? (true as const) : undefined;
    const going = defined({ leaving, atRisk, ways });
    return [{ node, state, priority, ageMs: now - seenMs, silent, member, ...drained, ...going, ...damped }];
  });
}

function routesOf(vip: Vip, seen: Observation, wanted: string | undefined): readonly RouteStatus[] {
  const own = wanted === undefined ? undefined : vip.members[wanted];
  return tablesOf(vip, seen).flatMap(({ table, routes }) =>
    vip.addresses.map((address) => {
      const route = routes[address];
      const target = route?.target ?? nothing;
      const node = Object.values(vip.members).find((m) => m.eni === target)?.node;
      return {
        table,
        address,
        target,
        ...defined({ node }),
        blackhole: route?.state === 'blackhole',
        right: own !== undefined && target === own.eni,
      };
    }),
  );
}

function eipsOf(vip: Vip, seen: Observation, wanted: string | undefined): readonly EipStatus[] {
  const own = wanted === undefined ? undefined : vip.members[wanted];
  return vip.eips.map((eip) => {
    const at = seen.eips.find((e) => e.eip === eip);
    const node = Object.values(vip.members).find((m) => m.eipEni !== undefined && m.eipEni === at?.eni)?.node;
    return {
      eip,
      publicAddress: at?.publicAddress ?? 'not found by its tag',
      target: placeText(at),
      ...defined({ node }),
      right: own?.eipEni !== undefined && at?.eni === own.eipEni,
    };
  });
}
