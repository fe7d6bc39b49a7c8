// The doctor on the VIP's own routes: each leads to the owner, or to where the next failover may take it from.

import { staysText, usersHere } from '../network/labels.ts';
import { type RouteSeen, type TableSeen, tablesOf } from '../network/observation.ts';
import { routeCell } from '../network/step.ts';
import { awsCommand, ownCommand, type Place } from '../place.ts';
import { destinationOption } from '../registry/ip-range.ts';
import { isMoving, type NetworkFacts, ownEnis, untagCommand } from './facts.ts';
import { type Finding, fault, type Particulars } from './finding.ts';

/** Before the first failover there is nothing to point to. */
export function routeFindings(facts: NetworkFacts): readonly Finding[] {
  const { vip, seen } = facts;
  const own = ownEnis(facts);
  return tablesOf(vip, seen).flatMap((table) =>
    vip.addresses.flatMap((address) => judged({ facts, own, table, address, route: table.routes[address] })),
  );
}

interface Cell {
  readonly facts: NetworkFacts;
  /** ENIs of the VIP. */
  readonly own: ReadonlySet<string>;
  readonly table: TableSeen;
  readonly address: string;
  readonly route: RouteSeen | undefined;
}

function judged(cell: Cell): readonly Finding[] {
  const { facts, own, table, address, route } = cell;
  const { vip } = facts;
  const about = { vips: [vip.name], subject: routeCell(table.table, address) };
  if (route === undefined || route.propagated)
    return vip.owner === undefined ? [] : [fault('route-missing', { ...about, ...missing(cell) })];
  if (route.state === 'active' && !own.has(route.target)) return [foreign(cell, about)];
  const owner = vip.owner === undefined ? undefined : vip.members[vip.owner]?.eni;
  if (owner !== undefined && route.target === owner && route.state === 'blackhole')
    return [
      fault('route-blackhole', {
        ...about,
        found: `points to ${owner} of ${vip.owner}, and EC2 calls it a blackhole`,
        expected: 'an active route: the ENI is attached and its instance runs',
        remedy: {
          sentence: `see what ${owner} lacks: ${awsCommand(`ec2 describe-network-interfaces --network-interface-ids ${owner}`, facts.place)}`,
        },
      }),
    ];
  if (owner === undefined || route.target === owner || isMoving(facts)) return [];
  const gone = route.state === 'blackhole' ? ', which is gone or attached to nothing' : '';
  return [
    fault('route-drift', {
      ...about,
      found: `points to ${route.target}${gone}; the owner is ${vip.owner}`,
      expected: `a route to ${owner}; reconcile should have made it within a minute`,
      remedy: routeCommand('replace-route', cell, owner),
    }),
  ];
}

function missing(cell: Cell): Pick<Particulars, 'found' | 'expected' | 'remedy'> {
  const { vip } = cell.facts;
  const eni = vip.members[vip.owner!]?.eni ?? 'ENI';
  return {
    found: cell.route === undefined ? 'no route' : `only a propagated route, to ${cell.route.target}`,
    expected: `a route to ${eni}; reconcile should have made it within a minute`,
    remedy: routeCommand('create-route', cell, eni),
  };
}

const routeCommand = (verb: string, { facts, table, address }: Cell, eni: string) => ({
  command: awsCommand(
    `ec2 ${verb} --route-table-id ${table.table} ${destinationOption(address)} ${address} --network-interface-id ${eni}`,
    facts.place,
  ),
  remark: `then look why reconcile did not: ${ownCommand(`timeline ${facts.vip.name}`, facts.place)}`,
});

function foreign(
  { facts, table, route }: Cell,
  about: { readonly vips: readonly string[]; readonly subject: string },
): Finding {
  const { vip, place, others = [] } = facts;
  const { target } = route!;
  const label = table.label ?? '';
  const users = usersHere('table', { ...table, label }, others);
  const away =
    users.length === 0 ? `take the label away: ${untagCommand(table.table, facts)}` : staysText(label, users);
  const check = target.startsWith('tgw-')
    ? 'transit-gateway'
    : target.startsWith('pcx-')
      ? 'peering'
      : 'route-foreign';
  return fault(check, {
    ...about,
    found: `points to ${target}, ${foreigner(target)}; it is left alone`,
    expected: 'a route to the owner’s ENI',
    remedy: {
      command: ownCommand(`vip adopt ${vip.name}`, place),
      remark: `if it may be replaced; else ${away}`,
    },
  });
}

const foreigner = (target: string): string =>
  target.startsWith('tgw-')
    ? 'a transit gateway, which vipshift does not move routes to'
    : target.startsWith('pcx-')
      ? 'a peering, which does not carry the VIP'
      : 'which is none of this VIP’s nodes';

export const deleteRoute = (table: string, address: string, place: Place): string =>
  awsCommand(`ec2 delete-route --route-table-id ${table} ${destinationOption(address)} ${address}`, place);
