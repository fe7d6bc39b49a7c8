// The status of one VIP: what the item says, what EC2 shows, and how the two agree. Pure, and the same judgement as
// reconcile's, so that what an operator reads is what the controller would do.

import type { Conflict } from '../network/conflict.ts';
import { type Mislabelled, mislabelledText } from '../network/labels.ts';
import { type Observation, type Stray, tablesOf } from '../network/observation.ts';
import { nothing, placeText, type Step } from '../network/step.ts';
import { defined, ifDefined } from '../optional.ts';
import type { EpochMs } from '../time.ts';
import type { VrrpState } from '../vip/claim.ts';
import { elect, isLiveOrder } from '../vip/election.ts';
import { dampedAt, type Flapping, flappingText } from '../vip/flapping.ts';
import { type Cause, isLive } from '../vip/lease.ts';
import { isSilent } from '../vip/liveness.ts';
import { type Unheard, unheardFor, unheardText } from '../vip/unheard.ts';
import type { Override, Pin, Vip } from '../vip/vip.ts';
import { assess } from './assess.ts';

export interface ClaimStatus {
  readonly node: string;
  readonly state: VrrpState;
  readonly priority: number;
  /** Since the node itself last vouched for it. */
  readonly ageMs: number;
  readonly silent: boolean;
  readonly member: boolean;
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
  /** Points to the owner. */
  readonly right: boolean;
}

export interface EipStatus {
  readonly eip: string;
  readonly publicAddress: string;
  readonly target: string;
  readonly node?: string;
  readonly right: boolean;
}

export type Health =
  | 'well'
  | 'moving'
  | 'frozen'
  | 'unheard'
  | 'no owner'
  | 'drift'
  | 'conflict'
  | 'split brain'
  | 'unfit'
  | 'flapping'
  | 'mislabelled';

export interface VipStatus {
  readonly vip: string;
  readonly health: Health;
  /** The election's or reconcile's reason; what to check when no node reports; what is mislabelled where nothing else is wrong. */
  readonly why: string;
  readonly owner?: string;
  /** Whom the claims elect, when that is not the owner. */
  readonly elected?: string;
  readonly epoch: number;
  readonly lease?: { readonly cause: Cause; readonly expiresAtMs: EpochMs; readonly live: boolean };
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
  readonly atMs: EpochMs;
}

export function statusOf(
  vip: Vip,
  seen: Observation,
  now: EpochMs,
  mislabelled: readonly Mislabelled[] = [],
): VipStatus {
  const finding = assess(vip, seen, now);
  const { owner: elected } = elect(vip, now);
  const { drift, conflicts, strays, splitBrain, flapping, suspendedPin } = finding;
  const live = isLive(vip.lease, now);
  const frozen = isLiveOrder(vip.freeze, now);
  const unheard = unheardFor(vip, now);
  const signs = { ...finding, live, frozen, owner: vip.owner, mislabelled, unheard: unheard !== undefined };
  const health = healthOf(signs);
  return {
    vip: vip.name,
    health,
    why: reasonOf(health, { vip: vip.name, why: finding.why, mislabelled, flapping, unheard }),
    ...defined({ owner: vip.owner }),
    ...(elected === undefined || elected === vip.owner ? {} : { elected }),
    epoch: vip.epoch,
    ...defined({
      lease: ifDefined(vip.lease, ({ cause, expiresAtMs }) => ({ cause, expiresAtMs, live })),
    }),
    ...(vip.pin !== undefined && isLiveOrder(vip.pin, now) ? { pin: vip.pin } : {}),
    ...defined({ suspendedPin }),
    ...(vip.freeze !== undefined && frozen ? { freeze: vip.freeze } : {}),
    claims: claimsOf(vip, now),
    routes: routesOf(vip, seen),
    eips: eipsOf(vip, seen),
    drift,
    conflicts,
    strays,
    mislabelled,
    splitBrain,
    flapping,
    ...defined({ unheard }),
    atMs: now,
  };
}

interface Reasons {
  readonly vip: string;
  readonly why: string;
  readonly mislabelled: readonly Mislabelled[];
  readonly flapping: readonly Flapping[];
  readonly unheard: Unheard | undefined;
}

function reasonOf(health: Health, { vip, why, mislabelled, flapping, unheard }: Reasons): string {
  if (health === 'flapping') return flapping.map(flappingText).join('; ');
  if (health === 'mislabelled') return mislabelledWhy(mislabelled);
  return health === 'unheard' && unheard !== undefined ? unheardText(vip, unheard) : why;
}

type Signs = ReturnType<typeof assess> & {
  readonly live: boolean;
  readonly frozen: boolean;
  readonly owner: string | undefined;
  readonly unheard: boolean;
  readonly mislabelled: readonly Mislabelled[];
};

/** The worst first: what an operator has to act on. */
function healthOf(signs: Signs): Health {
  // Before what was said: those words are old.
  if (signs.unheard && !signs.live && !signs.frozen) return 'unheard';
  if (signs.splitBrain.length > 0) return 'split brain';
  if (signs.live) return 'moving';
  if (signs.conflicts.length > 0) return 'conflict';
  if (signs.frozen) return 'frozen';
  if (signs.reason.key === 'unseen') return 'unfit';
  if (signs.drift.length > 0 || signs.take !== undefined) return 'drift';
  if (signs.suspendedPin !== undefined) return 'unfit';
  if (signs.flapping.length > 0) return 'flapping';
  if (signs.mislabelled.length > 0) return 'mislabelled';
  return signs.owner === undefined ? 'no owner' : 'well';
}

const mislabelledWhy = ([first, ...others]: readonly Mislabelled[]): string =>
  [mislabelledText(first!), ...(others.length === 0 ? [] : [`and ${others.length} more`])].join('; ');

/** Nothing is wrong with it: what a script may rely on. A VIP that moves now is looked at again. */
export const isWell = ({ health, mislabelled }: VipStatus): boolean =>
  (health === 'well' || health === 'moving') && mislabelled.length === 0;

function claimsOf(vip: Vip, now: EpochMs): readonly ClaimStatus[] {
  const nodes = [...new Set([...Object.keys(vip.claims), ...Object.keys(vip.members)])].sort();
  return nodes.flatMap((node) => {
    const nodeState = vip.claims[node];
    if (nodeState === undefined) return [];
    const { state, priority, seenMs } = nodeState;
    const member = vip.members[node] !== undefined;
    const silent = isSilent(vip.heard, nodeState);
    const damped = defined({ dampedUntilMs: dampedAt(vip, node, now)?.untilMs });
    return [{ node, state, priority, ageMs: now - seenMs, silent, member, ...damped }];
  });
}

/** Members that never reported. */
export const unheard = (vip: Vip): readonly string[] =>
  Object.keys(vip.members).filter((node) => vip.claims[node] === undefined);

function routesOf(vip: Vip, seen: Observation): readonly RouteStatus[] {
  const own = vip.owner === undefined ? undefined : vip.members[vip.owner];
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

function eipsOf(vip: Vip, seen: Observation): readonly EipStatus[] {
  const own = vip.owner === undefined ? undefined : vip.members[vip.owner];
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
