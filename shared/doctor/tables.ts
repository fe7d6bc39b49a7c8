// The doctor on route tables: which should have the label and do not, and which do and should not.
//
// A table without the tag is a fault, because a forgotten one is not noticed until a failover; one that must not
// carry the VIP has the value LEFT_OUT, or another VIP's label.

import { LEFT_OUT, staysText, usersHere, usersOf } from '../network/labels.ts';
import { strays } from '../network/observation.ts';
import { awsCommand } from '../place.ts';
import { type NetworkFacts, type TableFact, tagCommand, untagCommand } from './facts.ts';
import { type Finding, fault, type Remedy, warning } from './finding.ts';
import { deleteRoute, routeFindings } from './routes.ts';

export const tableFindings = (facts: NetworkFacts): readonly Finding[] => [
  ...facts.tables.filter((t) => t.label === undefined).flatMap((table) => unlabelled(facts, table)),
  ...unused(facts),
  ...elsewhere(facts),
  ...routeFindings(facts),
];

function unlabelled(facts: NetworkFacts, table: TableFact): readonly Finding[] {
  const { vip, tag } = facts;
  const either: Remedy = {
    command: tagCommand(table.table, vip.tableLabels[0]!, facts),
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

/** The VIP's label on a table by which no packet goes. */
const unused = (facts: NetworkFacts): readonly Finding[] => {
  const { vip, tables, seen, place } = facts;
  return tables
    .filter((t) => vip.tableLabels.includes(t.label ?? '') && !t.main && t.subnets.length === 0)
    .map(({ table, label }) =>
      warning('table-unused', {
        vips: [vip.name],
        subject: table,
        found: `has the label ${label} and serves no subnet`,
        expected: 'a subnet that uses it; clients of the subnet that was meant reach no VIP',
        remedy: {
          // With its routes: a table that is left out and routes the VIP looks forgotten.
          command: [
            tagCommand(table, LEFT_OUT, facts),
            ...vip.addresses
              .filter((address) => seen.tables.find((t) => t.table === table)?.routes[address] !== undefined)
              .map((address) => deleteRoute(table, address, place)),
          ].join(' && '),
          remark: `or, for the subnet that was meant: ${awsCommand(`ec2 associate-route-table --route-table-id ${table} --subnet-id SUBNET`, place)}`,
        },
      }),
    );
};

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
        remedy: { command: untagCommand(id, facts) },
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
