// The doctor on route tables: which should have the label and do not, which do and should not, and what they say.
//
// A table without the tag is a fault, because a forgotten one is not noticed until a failover; one that must not
// carry the VIP has the value LEFT_OUT, or another VIP's label.

import { LEFT_OUT, staysText, usersHere, usersOf } from '../network/labels.ts';
import { strays, tablesOf } from '../network/observation.ts';
import { routeCell } from '../network/step.ts';
import { destinationOption } from '../registry/ip-range.ts';
import { enisOf } from '../vip/member.ts';
import { type NetworkFacts, ownCommand, type TableFact, tagCommand, untagCommand } from './facts.ts';
import { type Finding, fault, type Remedy } from './finding.ts';

export const tableFindings = (facts: NetworkFacts): readonly Finding[] => [
  ...facts.tables.filter((t) => t.label === undefined).flatMap((table) => unlabelled(facts, table)),
  ...elsewhere(facts),
  ...routes(facts),
];

function unlabelled({ vip, tag }: NetworkFacts, table: TableFact): readonly Finding[] {
  const either: Remedy = {
    command: tagCommand(table.table, tag, vip.tableLabels[0]!),
    remark: `or Value=${LEFT_OUT} to leave it out`,
  };
  const found: Finding[] = [];
  if (table.subnets.length > 0) {
    found.push(
      fault('table-unlabelled', {
        vips: [vip.name],
        subject: table.table,
        found: `serves ${table.subnets.join(', ')} and has no label: clients there reach no VIP`,
        expected: `the tag ${tag}=${vip.tableLabels[0]}, or ${LEFT_OUT} to leave it out`,
        remedy: either,
      }),
    );
  }
  if (table.main && table.implicitSubnets.length > 0) {
    found.push(
      fault('main-table-unlabelled', {
        vips: [vip.name],
        subject: table.table,
        found: `the main table serves ${table.implicitSubnets.join(', ')}, which have no table of their own, and has no label: clients there reach no VIP`,
        expected: `the tag ${tag}=${vip.tableLabels[0]}, or ${LEFT_OUT} to leave it out`,
        remedy: either,
      }),
    );
  }
  return found;
}

/** What is another VIP's by the same label is where it belongs. */
const elsewhere = (facts: NetworkFacts): readonly Finding[] =>
  strays(facts.vip, facts.seen).flatMap(({ id, kind, why }): readonly Finding[] => {
    if (kind === 'crowded') return [crowded(facts, why)];
    if (isAtHome(facts, id)) return [];
    return [
      fault(kind === 'edge' ? 'gateway-table' : 'table-elsewhere', {
        vips: [facts.vip.name],
        subject: id,
        found: `has the label of ${facts.vip.name}, but ${why}`,
        expected: 'no label: the controller leaves it alone',
        remedy: { command: untagCommand(id, facts.tag) },
      }),
    ];
  });

function isAtHome({ seen, others = [] }: NetworkFacts, id: string): boolean {
  const table = seen.tables.find((t) => t.table === id && !t.edge);
  if (table !== undefined)
    return usersHere('table', { ...table, label: table.label ?? '' }, others).length > 0;
  const eni = seen.enis.find((e) => e.eni === id);
  return eni !== undefined && usersHere('eni', eni, others).length > 0;
}

function crowded({ vip, others = [] }: NetworkFacts, why: string): Finding {
  const stays = vip.nodeLabels.flatMap((label) => {
    const users = usersOf('eni', label, others);
    return users.length === 0 ? [] : staysText(label, users);
  });
  return fault('too-many-nodes', {
    vips: [vip.name],
    subject: vip.name,
    found: `its node label ${why}`,
    expected: 'no more nodes than a VIP may have',
    remedy:
      stays.length === 0
        ? { sentence: 'remove the tag from ENIs of nodes that must not serve it' }
        : {
            sentence: `give ${vip.name} a node label of its own (--node-label) and its nodes’ ENIs that tag; ${stays.join('; ')}`,
          },
  });
}

/** Before the first failover there is nothing to point to. */
function routes({ vip, seen, tag, others = [] }: NetworkFacts): readonly Finding[] {
  const own = new Set([...enisOf(vip.members), ...vip.wrote]);
  const found: Finding[] = [];
  for (const { table, routes: there, ...place } of tablesOf(vip, seen)) {
    const label = place.label ?? '';
    const users = usersHere('table', { ...place, label }, others);
    const away =
      users.length === 0 ? `take the label away: ${untagCommand(table, tag)}` : staysText(label, users);
    for (const address of vip.addresses) {
      const route = there[address];
      const cell = routeCell(table, address);
      const family = destinationOption(address);
      if (route === undefined) {
        if (vip.owner === undefined) continue;
        const eni = vip.members[vip.owner]?.eni ?? 'ENI';
        found.push(
          fault('route-missing', {
            vips: [vip.name],
            subject: cell,
            found: 'no route',
            expected: `a route to ${eni}; reconcile should have made it within a minute`,
            remedy: {
              command: `aws ec2 create-route --route-table-id ${table} ${family} ${address} --network-interface-id ${eni}`,
              remark: `then look why reconcile did not: ${ownCommand(`timeline ${vip.name}`, tag)}`,
            },
          }),
        );
      } else if (route.state === 'active' && !route.propagated && !own.has(route.target)) {
        const gateway = /^(tgw|pcx)-/.test(route.target);
        found.push(
          fault(
            gateway ? (route.target.startsWith('tgw') ? 'transit-gateway' : 'peering') : 'route-foreign',
            {
              vips: [vip.name],
              subject: cell,
              found: `points to ${route.target}, ${foreigner(route.target)}; it is left alone`,
              expected: 'a route to the owner’s ENI',
              remedy: {
                command: ownCommand(`vip adopt ${vip.name}`, tag),
                remark: `if it may be replaced; else ${away}`,
              },
            },
          ),
        );
      }
    }
  }
  return found;
}

const foreigner = (target: string): string =>
  target.startsWith('tgw-')
    ? 'a transit gateway, which vipshift does not move routes to'
    : target.startsWith('pcx-')
      ? 'a peering, which does not carry the VIP'
      : 'which is none of this VIP’s nodes';
