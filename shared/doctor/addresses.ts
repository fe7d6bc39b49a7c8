// The doctor on addresses that another host may have: a route broader than the VIP's that leads to a transit gateway, a
// peering or on-premises says that the address lies there. The VIP's own route is longer and wins, so a host with
// that address is not reached any more (VPC guide, "Route priority": the longest prefix first).
//
// Limit: no host is asked whether it has the address; a default route says nothing.

import { listText } from '../bounded.ts';
import { isAddress } from '../network/observation.ts';
import { awsCommand, ownCommand, type Place } from '../place.ts';
import { overlaps, rangeFrom } from '../registry/ip-range.ts';
import { insideRefused, prefixListRefused } from '../registry/validate.ts';
import { eipFindings } from './eips.ts';
import type { NetworkFacts } from './facts.ts';
import { type Finding, fault, warning } from './finding.ts';

export function addressFindings(facts: NetworkFacts): readonly Finding[] {
  const { vip, vpc } = facts;
  const inside = vip.addresses.flatMap((address) =>
    insideRefused(address, vpc).map(
      ({ found, wanted, secondary }): Finding =>
        fault(secondary ? 'inside-secondary-cidr' : 'inside-cidr', {
          vips: [vip.name],
          subject: address,
          found,
          expected: wanted,
          remedy: {
            command: ownCommand(
              `vip set ${vip.name} --address ${without(vip.addresses, address)}`,
              facts.place,
            ),
            remark: 'ADDRESS: one outside every CIDR',
          },
        }),
    ),
  );
  return [...surroundings(facts), ...inside, ...listFindings(facts), ...eipFindings(facts)];
}

/** A list can change without the registry, so what was checked when it was registered is checked again. */
const listFindings = ({ vip, vpc, prefixLists, place }: NetworkFacts): readonly Finding[] =>
  [...prefixLists].flatMap(([list, entries]) =>
    prefixListRefused({ list, entries }, { vpc, others: [], allowPublic: true }).map(
      ({ found, wanted, entry }): Finding =>
        fault('prefix-list', {
          vips: [vip.name],
          subject: list,
          found,
          expected: wanted,
          remedy:
            entry === undefined
              ? {
                  command: ownCommand(`vip set ${vip.name} --address ${without(vip.addresses, list)}`, place),
                  remark: 'ADDRESS: another list, or an address',
                }
              : {
                  command: awsCommand(
                    `ec2 modify-managed-prefix-list --prefix-list-id ${list} --current-version $(${versionOf(list, place)}) --remove-entries Cidr=${entry}`,
                    place,
                  ),
                  remark: 'for everyone who uses the list',
                },
        }),
    ),
  );

/** The version that a change has to name. */
const versionOf = (list: string, place: Place): string =>
  awsCommand(
    `ec2 describe-managed-prefix-lists --prefix-list-ids ${list} --query 'PrefixLists[0].Version' --output text`,
    place,
  );

const without = (addresses: readonly string[], address: string): string =>
  [...addresses.filter((a) => a !== address), 'ADDRESS'].join(',');

/** Set-ups that are refused by name, or in which some clients cannot reach the VIP. */
function surroundings(facts: NetworkFacts): readonly Finding[] {
  const { vip, vpc, caller } = facts;
  const found: Finding[] = [];
  if (caller !== undefined && vpc.account !== caller) {
    found.push(
      fault('shared-vpc', {
        vips: [vip.name],
        subject: vpc.vpc,
        found: `shared by account ${vpc.account}; this is ${caller}`,
        expected: 'a VPC of this account: a participant cannot change route tables',
        remedy: {
          sentence: `run the stack and vipshift with credentials of account ${vpc.account}, which owns the VPC and its tables`,
        },
      }),
    );
  }
  for (const [gateway, routes] of routedBy(facts, 'tgw-'))
    found.push(
      warning('transit-gateway', {
        vips: [vip.name],
        subject: gateway,
        found: `is routed to: ${listText(routes)}`,
        expected: 'no client behind it: routes of transit gateways are not moved',
        remedy: {
          sentence: `for clients behind it: a static route for ${vip.addresses.join(', ')} to this VPC’s attachment, and label the tables of its subnets`,
        },
      }),
    );
  for (const [peering, routes] of routedBy(facts, 'pcx-'))
    found.push(
      warning('peering', {
        vips: [vip.name],
        subject: peering,
        found: `is routed to: ${listText(routes)}`,
        expected: 'no client behind it: a peering does not carry an address outside the CIDR',
        remedy: { sentence: 'for clients behind it: an Elastic IP, an NLB, or a transit gateway' },
      }),
    );
  return found;
}

/** Gateways of a kind that a table of the VPC routes to; one that nothing routes to has no clients behind it. */
function routedBy({ vip, tables }: NetworkFacts, kind: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { table, outward } of tables)
    for (const { destination, target } of outward)
      if (target.startsWith(kind) && !vip.addresses.includes(destination))
        found.set(target, [...(found.get(target) ?? []), `${destination} in ${table}`]);
  return found;
}

export function shadowFindings({ vip, tables, place }: NetworkFacts): readonly Finding[] {
  return vip.addresses.flatMap((address) => {
    const own = rangeFrom(address);
    if (own === undefined) return [];
    const broader = tables.flatMap(({ table, outward }) =>
      outward
        .filter(({ destination }) => {
          // As long as the VIP's own: most routes of a table with many VIPs.
          if (isAddress(destination)) return false;
          const range = rangeFrom(destination);
          return range !== undefined && range.prefix > 0 && range.prefix < own.prefix && overlaps(range, own);
        })
        .map(({ destination, target }) => `${destination} → ${target} in ${table}`),
    );
    if (broader.length === 0) return [];
    return [
      warning('address-elsewhere', {
        vips: [vip.name],
        subject: address,
        found: `lies in what is routed elsewhere: ${broader.sort().join(', ')}`,
        expected: 'an address that no host behind that route has: the VIP’s route is longer and hides it',
        remedy: {
          sentence: `ask the team that assigns addresses there, or use another one: ${ownCommand(`vip set ${vip.name} --address ${without(vip.addresses, address)}`, place)}`,
        },
      }),
    ];
  });
}
