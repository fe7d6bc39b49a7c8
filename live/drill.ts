// Drill: breaks the owner, waits until the other node has the VIP, collects what was seen, repairs the node, and waits until everything is calm.
//
// Invariant: a drill begins with both nodes healthy, no lease held and no epoch open, so that no drill measures another's aftermath; every wait
// is bounded, and an error names what it waited for.
import { setTimeout as delay } from 'node:timers/promises';
import type { Vip } from '../shared/vip/vip.ts';
import type { Machines } from './machines.ts';
import type { DrillKind } from './options.ts';
import { type NodeName, otherOf } from './plan.ts';
import type { Registry } from './registry.ts';
import { type Parts, partsOf } from './report/outage-phases.ts';

export interface DrillContext {
  readonly registry: Registry;
  readonly machines: Machines;
  readonly instanceIds: Readonly<Record<NodeName, string>>;
  /** Of the probe's table. */
  readonly cell: string;
  readonly pauseMs: number;
  readonly signal: AbortSignal;
}

export interface Drill {
  readonly kind: DrillKind;
  readonly from: NodeName;
  readonly to: NodeName;
  readonly epoch: number | undefined;
  readonly outcome: string;
  readonly parts: Parts;
}

const SWITCH_MAX_MS = 90_000;
const CALM_MAX_MS = 60_000;
const LOOK_MS = 100;
/** Enough for the probe to have been answered before and after. */
const MARGIN_MS = 500;

const isSettled = (vip: Vip): boolean => vip.lease === undefined && Object.keys(vip.open).length === 0;

export async function drill(context: DrillContext, kind: DrillKind): Promise<Drill> {
  const { registry, machines, instanceIds, cell, signal } = context;
  const { from, before } = await calm(context);
  const to = otherOf(from);
  const hitMs = await machines.hit(from, kind);
  const owns = (vip: Vip) => vip.owner === instanceIds[to] && isSettled(vip);
  const after = await waitForVip(context, {
    what: `node ${to} to own the VIP`,
    isMet: owns,
    withinMs: SWITCH_MAX_MS,
  });
  await delay(MARGIN_MS, undefined, { signal });
  const failovers = await registry.failovers(before.epoch + 1, after.epoch);
  const there = failovers.filter((one) => one.to === instanceIds[to]);
  const failover = there.find(({ outcome }) => outcome === 'switched') ?? there[0];
  const stretches = await machines.answers(hitMs - MARGIN_MS);
  await machines.repair(from, kind);
  return {
    kind,
    from,
    to,
    epoch: failover?.epoch,
    outcome: failover?.outcome ?? 'not in the record',
    parts: partsOf({ hitMs, successor: to, failover, cell, stretches }),
  };
}

/** Both nodes have said what they are, one of them owns the VIP, and nothing has moved for the pause. */
export async function calm(
  context: DrillContext,
): Promise<{ readonly from: NodeName; readonly before: Vip }> {
  const { registry, instanceIds, pauseMs, signal } = context;
  const nodes = ['a', 'b'] as const;
  const ownerOf = (vip: Vip) => nodes.find((node) => instanceIds[node] === vip.owner);
  const stateOf = (vip: Vip, node: NodeName) => vip.claims[instanceIds[node]]?.state;
  const isCalm = (vip: Vip) => {
    const owner = ownerOf(vip);
    return (
      owner !== undefined &&
      isSettled(vip) &&
      stateOf(vip, owner) === 'MASTER' &&
      stateOf(vip, otherOf(owner)) === 'BACKUP'
    );
  };
  const what = 'one node to be master and owner, and the other to be backup';
  for (let attempt = 1; ; attempt++) {
    const first = await waitForVip(context, { what, isMet: isCalm, withinMs: CALM_MAX_MS });
    await delay(pauseMs, undefined, { signal });
    const before = await registry.vip();
    if (isCalm(before) && before.epoch === first.epoch) return { from: ownerOf(before)!, before };
    if (attempt === CALM_ATTEMPTS)
      throw new Error(`the VIP does not settle: epoch ${before.epoch}, owner ${before.owner}`);
  }
}

const CALM_ATTEMPTS = 5;

interface AwaitedVip {
  /** For the error: what is waited for. */
  readonly what: string;
  readonly isMet: (vip: Vip) => boolean;
  readonly withinMs: number;
}

async function waitForVip(
  { registry, signal }: DrillContext,
  { what, isMet, withinMs }: AwaitedVip,
): Promise<Vip> {
  const end = Date.now() + withinMs;
  for (;;) {
    const vip = await registry.vip();
    if (isMet(vip)) return vip;
    if (Date.now() > end) throw new Error(`waited ${withinMs / 1000} s for ${what}; ${statesOf(vip)}`);
    await delay(LOOK_MS, undefined, { signal });
  }
}

const statesOf = (vip: Vip): string =>
  [
    `owner ${vip.owner ?? 'none'}`,
    ...Object.entries(vip.claims).map(([node, { state }]) => `${node} ${state}`),
  ].join(', ');
