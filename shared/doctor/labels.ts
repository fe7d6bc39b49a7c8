// The doctor on labels: values of the tag that no VIP uses, and tables that route the VIP without its label.
//
// Invariant: no command here takes a label away; a thing gets the label that was probably meant, where only one is near.

import { LEFT_OUT, type Mislabelled, mislabelledText, type Survey, usersOf } from '../network/labels.ts';
import { ownCommand } from '../place.ts';
import { enisOf } from '../vip/member.ts';
import type { RegistryEntry } from '../vip/vip.ts';
import { type NetworkFacts, ownEnis, type StrayRoute, tagCommand } from './facts.ts';
import { type Finding, fault, type Remedy, warning } from './finding.ts';
import { deleteRoute } from './routes.ts';

export const labelFindings = (facts: NetworkFacts): readonly Finding[] => [
  ...(facts.mislabelled ?? []).map((one) => finding(facts, one)),
  ...leftOver(facts),
];

const checkOf = { table: 'table-mislabelled', eni: 'eni-mislabelled', eip: 'eip-mislabelled' } as const;

const finding = (facts: NetworkFacts, one: Mislabelled): Finding =>
  fault(one.is === 'routed' ? 'table-routed' : checkOf[one.kind], {
    vips: [facts.vip.name],
    subject: one.id,
    found: mislabelledText(one),
    expected: `a label of a VIP, or ${LEFT_OUT} to leave it out`,
    remedy: one.is === 'routed' ? remedyOfRouted(facts, one) : remedyOf(facts, one),
  });

function remedyOf(facts: NetworkFacts, one: Exclude<Mislabelled, { is: 'routed' }>): Remedy {
  const [label, ...others] = one.meant;
  const command = tagCommand(one.id, label !== undefined && others.length === 0 ? label : 'LABEL', facts);
  if (label === undefined)
    return { command, remark: `LABEL: of the VIP that it is for, or ${LEFT_OUT} to leave it out` };
  if (others.length > 0)
    return { command, remark: `LABEL: ${one.meant.join(' or ')}, or ${LEFT_OUT} to leave it out` };
  return { command, remark: `or Value=${LEFT_OUT} to leave it out${alsoFor(facts, one.kind, label)}` };
}

/** What gets a shared label gets every VIP of it. */
function alsoFor({ others = [] }: NetworkFacts, kind: Mislabelled['kind'], label: string): string {
  const users = usersOf(kind, label, others).map((other) => other.name);
  return users.length === 0 ? '' : `; VIP ${users.join(', ')} uses the label, too`;
}

/** Another VIP's label stays on its table. */
function remedyOfRouted(facts: NetworkFacts, one: Extract<Mislabelled, { is: 'routed' }>): Remedy {
  const { vip, place, others = [] } = facts;
  const away = `or take the route away: ${deleteRoute(one.id, one.address, place)}`;
  const users = one.value === undefined ? [] : usersOf('table', one.value, others);
  // The controller would leave a stranger's route in a table that it may change, too.
  if (!ownEnis(facts).has(one.target))
    return {
      command: deleteRoute(one.id, one.address, place),
      remark: `if nothing needs it; else have the VIP take it over: the tag ${one.tag}=${vip.tableLabels[0]}, then ${ownCommand(`vip adopt ${vip.name}`, place)}`,
    };
  const label = vip.tableLabels[0]!;
  if (users.length === 0)
    return {
      command: tagCommand(one.id, label, facts),
      remark: `${away}${alsoFor(facts, 'table', label)}`,
    };
  const labels = [...vip.tableLabels, one.value!].join(',');
  return {
    command: ownCommand(`vip set ${vip.name} --table-label ${labels}`, place),
    remark: `label ${one.value} stays: VIP ${users.map((u) => u.name).join(', ')} uses it; ${away}`,
  };
}

/** Routes to single addresses that none of these VIPs has: each looked at once, however many VIPs there are. */
export function addresslessRoutes(survey: Survey, all: readonly RegistryEntry[]): readonly StrayRoute[] {
  const addresses = new Set(all.flatMap((entry) => entry.addresses));
  return survey.tables.flatMap(({ table, vpc, account, routes }) =>
    Object.entries(routes)
      .filter(([address]) => !addresses.has(address))
      .map(([address, { target }]) => ({ table, vpc, account, address, target })),
  );
}

/** Of those the ones to an ENI of this VIP: what is left of a former address. */
function leftOver({ vip, strayRoutes = [], place }: NetworkFacts): readonly Finding[] {
  const own = new Set([...enisOf(vip.members), ...vip.wrote]);
  return strayRoutes
    .filter((route) => route.vpc === vip.vpc && route.account === vip.account && own.has(route.target))
    .map(
      ({ table, address, target }): Finding =>
        warning('route-left-over', {
          vips: [vip.name],
          subject: `${table} ${address}`,
          found: `points to ${target}, a node of ${vip.name}; no VIP has this address`,
          expected: 'no route that vipshift does not move',
          remedy: {
            command: deleteRoute(table, address, place),
            remark: 'if nothing else needs it',
          },
        }),
    );
}
