// The plan: the difference between what EC2 says and what should be, as EC2 calls. Pure.
//
// Invariants: planning after applying yields no step. No step touches a table, EIP or ENI outside the VIP's scope, or
// takes a route or an EIP from a live target of someone else; those become conflicts and are left alone (guarantee 7).

import { enisOf, type Member } from '../vip/member.ts';
import type { Vip } from '../vip/vip.ts';
import { type EipSeen, type EniSeen, type Observation, type RouteSeen, tablesOf } from './observation.ts';
import { type CheckStep, type Conflict, type EipStep, nothing, type RouteStep, type Step } from './step.ts';

export interface Plan {
  readonly steps: readonly Step[];
  readonly conflicts: readonly Conflict[];
}
const routeCell = (table: string, destination: string): string => `${table} ${destination}`;

/**
 * What it takes to move `vip` to `target`. With `trusted` false the observation may be out of date, so that every cell
 * is set again, even if it seems right; a repeated ReplaceRoute is harmless (EC2 has no token to make it so).
 */
export function plan(vip: Vip, seen: Observation, target: Member, trusted: boolean): Plan {
  const own = new Set([...enisOf(vip.members), target.eni, target.eipEni ?? target.eni, ...vip.wrote]);
  const move: Move = { vip, seen, target, trusted, own };
  const parts = [planEips(move), planRoutes(move)];
  // EIPs first: few, and what Internet clients wait for. Checks last: nearly always right already.
  const steps = [...parts.flatMap((p) => p.steps), ...planChecks(vip, seen, target)];
  // Cells that are only confirmed come after cells that differ: the request budget may not last for both.
  const differs = (step: Step) => !step.from.startsWith(step.eni);
  return {
    steps: trusted ? steps : [...steps.filter(differs), ...steps.filter((step) => !differs(step))],
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

function planRoutes({ vip, seen, target, trusted, own }: Move): Plan {
  const steps: RouteStep[] = [];
  const conflicts: Conflict[] = [];
  const tables = tablesOf(vip, seen);
  if (tables.length === 0 && vip.addresses.length > 0) {
    const why = `no route table in ${vip.vpc} has the label ${vip.tableLabels.join(' or ')}`;
    conflicts.push({ cell: 'route tables', found: nothing, why, kind: 'unmet' });
  }
  for (const destination of vip.addresses) {
    for (const table of tables) {
      const route = table.routes[destination];
      const cell = routeCell(table.table, destination);
      const base = { cell, from: route?.target ?? nothing, eni: target.eni, table: table.table, destination };
      if (route === undefined) steps.push({ ...base, call: 'CreateRoute' });
      else if (isForeign(route, own)) {
        const why = 'the route points to a live target that does not belong to this VIP';
        conflicts.push({ cell, found: route.target, why, kind: 'foreign' });
      } else if (route.target !== target.eni || !trusted || route.propagated) {
        steps.push({ ...base, call: route.propagated ? 'CreateRoute' : 'ReplaceRoute' });
      }
    }
  }
  // In the order of the VIP's labels: tables with its first label move first.
  const rank = new Map(tables.map((t) => [t.table, vip.tableLabels.indexOf(t.label ?? '')]));
  return { steps: steps.sort((a, b) => rank.get(a.table)! - rank.get(b.table)!), conflicts };
}

const isForeign = (route: RouteSeen, own: ReadonlySet<string>): boolean =>
  route.state === 'active' && !route.propagated && !own.has(route.target);

/** Each EIP of the VIP keeps the private address it has on the target, or gets the first one that is free. */
function planEips({ vip, seen, target, trusted, own }: Move): Plan {
  const steps: EipStep[] = [];
  const conflicts: Conflict[] = [];
  const eni = target.eipEni === undefined ? undefined : seen.enis.find((e) => e.eni === target.eipEni);
  const kept = new Map(vip.eips.flatMap((eip) => keptAddress(seen, eip, eni)));
  const taken = new Set(kept.values());
  for (const eip of vip.eips) {
    const at = seen.eips.find((e) => e.eip === eip);
    const problem = eipProblem(at, eni, target, own) ?? undefined;
    const privateAddress =
      problem === undefined
        ? (kept.get(eip) ?? freeAddress(eni, firstChoice(eip, at, seen), taken))
        : undefined;
    const found = at?.eni === undefined ? nothing : `${at.eni} ${at.privateAddress ?? ''}`.trim();
    if (problem !== undefined) conflicts.push({ cell: eip, found, ...problem });
    else if (privateAddress === undefined) {
      const why = `every private address of ${target.eipEni} has a foreign EIP or another EIP of this VIP`;
      conflicts.push({ cell: eip, found, why, kind: 'unmet' });
    } else if (!kept.has(eip) || !trusted) {
      taken.add(privateAddress);
      steps.push({ call: 'AssociateAddress', cell: eip, from: found, eni: eni!.eni, eip, privateAddress });
    }
  }
  return { steps, conflicts };
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
function firstChoice(eip: string, at: EipSeen | undefined, seen: Observation): number {
  const before = seen.enis.find((e) => e.eni === at?.eni)?.addresses;
  const place = before?.findIndex((a) => a.privateAddress === at?.privateAddress) ?? -1;
  return place === -1 ? spread(eip) : place;
}

function freeAddress(
  eni: EniSeen | undefined,
  first: number,
  taken: ReadonlySet<string>,
): string | undefined {
  const addresses = eni?.addresses ?? [];
  const inOrder = addresses.map((_, n) => addresses[(first + n) % addresses.length]!);
  return inOrder.find((a) => a.eip === undefined && !taken.has(a.privateAddress))?.privateAddress;
}

/** FNV-1a: spreads ids that differ in a few letters. */
function spread(id: string): number {
  let hash = 0x811c9dc5;
  for (const letter of id) hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193) >>> 0;
  return hash;
}

function eipProblem(
  at: EipSeen | undefined,
  eni: EniSeen | undefined,
  target: Member,
  own: ReadonlySet<string>,
): Pick<Conflict, 'why' | 'kind'> | undefined {
  if (at === undefined) return { kind: 'unmet', why: 'no such Elastic IP in this account and Region' };
  if (at.eni !== undefined && !own.has(at.eni)) {
    return { kind: 'foreign', why: 'the EIP is on an ENI that does not belong to this VIP' };
  }
  if (target.eipEni === undefined) {
    return {
      kind: 'unmet',
      why: `${target.node} has no labelled ENI for EIPs (its primary ENI is never used)`,
    };
  }
  if (eni === undefined) return { kind: 'unmet', why: `${target.eipEni} of ${target.node} was not found` };
  return undefined;
}

function planChecks(vip: Vip, seen: Observation, target: Member): readonly CheckStep[] {
  const service = new Set([target.eni, ...Object.values(vip.members).map((m) => m.eni)]);
  return seen.enis
    .filter((e) => service.has(e.eni) && e.sourceDestCheck)
    .map((e) => ({
      call: 'ModifyNetworkInterfaceAttribute',
      cell: `${e.eni} check`,
      from: 'on',
      eni: e.eni,
    }));
}
