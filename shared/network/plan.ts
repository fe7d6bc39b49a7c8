// The plan: the difference between what EC2 says and what should be, as EC2 calls. Pure.
//
// Invariants: planning after applying yields no step. No step touches a table, EIP or ENI outside the VIP's scope, or
// takes a route or an EIP from a live target of someone else; those become conflicts and are left alone (guarantee 7).

import { textHash } from '../text-hash.ts';
import { enisOf, type Member } from '../vip/member.ts';
import type { Vip } from '../vip/vip.ts';
import { type Conflict, type ConflictReason, conflict } from './conflict.ts';
import { type EipSeen, type EniSeen, type Observation, type RouteSeen, tablesOf } from './observation.ts';
import {
  type CheckStep,
  checkCell,
  type EipStep,
  nothing,
  placeText,
  type RouteStep,
  routeCell,
  type Step,
} from './step.ts';

export interface Plan {
  readonly steps: readonly Step[];
  readonly conflicts: readonly Conflict[];
}

/** A step, and whether its cell differs from what the step sets. One that does not is only to be made sure. */
interface Planned<Kind extends Step> {
  readonly step: Kind;
  readonly differs: boolean;
}
interface Part<Kind extends Step> {
  readonly planned: readonly Planned<Kind>[];
  readonly conflicts: readonly Conflict[];
}

/**
 * What it takes to move `vip` to `target`. With `trusted` false the observation may be out of date, so that every cell
 * is set again, even if it seems right; a repeated ReplaceRoute is harmless (EC2 has no token to make it so).
 */
export function plan(vip: Vip, seen: Observation, target: Member, trusted: boolean): Plan {
  const own = new Set([...enisOf(vip.members), target.eni, target.eipEni ?? target.eni, ...vip.wrote]);
  const move: Move = { vip, seen, target, trusted, own };
  const parts: readonly Part<Step>[] = [planEips(move), planRoutes(move)];
  // EIPs first: few, and what Internet clients wait for. Checks last: nearly always right already.
  const planned: readonly Planned<Step>[] = [
    ...parts.flatMap((p) => p.planned),
    ...planChecks(vip, seen, target).map((step) => ({ step, differs: true })),
  ];
  // Cells that are only confirmed come after cells that differ: the request budget may not last for both.
  const inOrder = trusted
    ? planned
    : [...planned.filter((p) => p.differs), ...planned.filter((p) => !p.differs)];
  return {
    steps: inOrder.map((p) => p.step),
    conflicts: parts.flatMap((p) => p.conflicts),
  };
}

interface Move {
  readonly vip: Vip;
  readonly seen: Observation;
  readonly target: Member;
  readonly trusted: boolean;
  /** ENIs of this VIP: routes and EIPs may be taken from these. */
  readonly own: ReadonlySet<string>;
}

function planRoutes({ vip, seen, target, trusted, own }: Move): Part<RouteStep> {
  const planned: Planned<RouteStep>[] = [];
  const conflicts: Conflict[] = [];
  const tables = tablesOf(vip, seen);
  if (tables.length === 0 && vip.addresses.length > 0) {
    const reason = { key: 'no-table', vpc: vip.vpc, labels: vip.tableLabels } as const;
    conflicts.push(conflict('route tables', nothing, reason));
  }
  for (const destination of vip.addresses) {
    for (const table of tables) {
      const route = table.routes[destination];
      const cell = routeCell(table.table, destination);
      const base = { cell, from: route?.target ?? nothing, eni: target.eni, table: table.table, destination };
      const differs = route?.target !== target.eni;
      if (route === undefined) planned.push({ step: { ...base, call: 'CreateRoute' }, differs });
      else if (isForeign(route, own)) {
        conflicts.push(conflict(cell, route.target, { key: 'foreign-route' }));
      } else if (differs || !trusted || route.propagated) {
        const call = route.propagated ? 'CreateRoute' : 'ReplaceRoute';
        planned.push({ step: { ...base, call }, differs });
      }
    }
  }
  // In the order of the VIP's labels: tables with its first label move first.
  const rank = new Map(tables.map((t) => [t.table, vip.tableLabels.indexOf(t.label ?? '')]));
  planned.sort((a, b) => rank.get(a.step.table)! - rank.get(b.step.table)!);
  return { planned, conflicts };
}

const isForeign = (route: RouteSeen, own: ReadonlySet<string>): boolean =>
  route.state === 'active' && !route.propagated && !own.has(route.target);

/** Each EIP of the VIP keeps the private address it has on the target, or gets the first one that is free. */
function planEips({ vip, seen, target, trusted, own }: Move): Part<EipStep> {
  const planned: Planned<EipStep>[] = [];
  const conflicts: Conflict[] = [];
  const eni = seen.enis.find((e) => e.eni === target.eipEni);
  const kept = new Map(vip.eips.flatMap((eip) => keptAddress(seen, eip, eni)));
  const taken = new Set(kept.values());
  for (const eip of vip.eips) {
    const at = seen.eips.find((e) => e.eip === eip);
    const problem = eipProblem(at, eni, target, own);
    const privateAddress =
      problem === undefined ? (kept.get(eip) ?? freeAddress(eni!, firstChoice(at!, seen), taken)) : undefined;
    const from = placeText(at);
    if (problem !== undefined) conflicts.push(conflict(eip, from, problem));
    else if (privateAddress === undefined) conflicts.push(conflict(eip, from, noPlaceOn(eni!)));
    else if (!kept.has(eip) || !trusted) {
      taken.add(privateAddress);
      const base = { call: 'AssociateAddress', cell: eip, from } as const;
      planned.push({
        step: { ...base, eni: eni!.eni, eip, privateAddress },
        differs: at!.eni !== eni!.eni,
      });
    }
  }
  return { planned, conflicts };
}

function keptAddress(seen: Observation, eip: string, eni: EniSeen | undefined): [string, string][] {
  const at = seen.eips.find((e) => e.eip === eip);
  return at?.eni !== undefined && at.eni === eni?.eni && at.privateAddress !== undefined
    ? [[eip, at.privateAddress]]
    : [];
}

/**
 * Where the search for a free private address begins. Several VIPs may share the ENI and move at the same moment without
 * seeing each other, and AssociateAddress displaces the EIP that was there first. So an EIP takes the same place that it
 * has on its present ENI, and one without an ENI takes a place that depends on its id.
 */
function firstChoice(at: EipSeen, seen: Observation): number {
  const before = seen.enis.find((e) => e.eni === at.eni)?.addresses;
  const place = before?.findIndex((a) => a.privateAddress === at.privateAddress) ?? -1;
  return place === -1 ? textHash(at.eip) : place;
}

function freeAddress({ addresses }: EniSeen, first: number, taken: ReadonlySet<string>): string | undefined {
  const inOrder = addresses.map((_, n) => addresses[(first + n) % addresses.length]!);
  return inOrder.find((a) => a.eip === undefined && !taken.has(a.privateAddress))?.privateAddress;
}

const noPlaceOn = ({ eni, addresses }: EniSeen): ConflictReason => ({
  key: addresses.length === 0 ? 'no-address' : 'no-free-address',
  eni,
});

function eipProblem(
  at: EipSeen | undefined,
  eni: EniSeen | undefined,
  target: Member,
  own: ReadonlySet<string>,
): ConflictReason | undefined {
  const { node, eipEni } = target;
  if (at === undefined) return { key: 'no-eip' };
  if (at.eni !== undefined && !own.has(at.eni)) return { key: 'foreign-eip' };
  if (eipEni === undefined) return { key: 'no-eip-eni', node };
  return eni === undefined ? { key: 'eni-gone', eni: eipEni, node } : undefined;
}

function planChecks(vip: Vip, seen: Observation, target: Member): readonly CheckStep[] {
  const service = new Set([target.eni, ...Object.values(vip.members).map((m) => m.eni)]);
  return seen.enis
    .filter((e) => service.has(e.eni) && e.sourceDestCheck)
    .map((e) => ({
      call: 'ModifyNetworkInterfaceAttribute',
      cell: checkCell(e.eni),
      from: 'on',
      eni: e.eni,
    }));
}
