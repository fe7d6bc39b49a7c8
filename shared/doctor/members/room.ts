// The doctor on Elastic IPs that may come to a node: is there a private address for each, and may it be used there?
//
// A private address carries one Elastic IP. VIPs with the same node label share an ENI, so what may land there is counted
// over all of them; AssociateAddress onto a taken address throws off the EIP that is there (API reference).

import { awsCommand } from '../../place.ts';
import { EIP_SUFFIX, type Member } from '../../vip/member.ts';
import type { Vip } from '../../vip/vip.ts';
import type { NetworkFacts } from '../facts.ts';
import { type Finding, fault } from '../finding.ts';

export function roomFindings(facts: NetworkFacts, member: Member): readonly Finding[] {
  const { vip, seen } = facts;
  const eni = seen.enis.find((e) => e.eni === member.eipEni);
  if (vip.eips.length === 0 || eni === undefined) return [];
  const sharing = sharingVips(facts, eni.eni);
  const coming = [...new Set(sharing.flatMap((other) => other.eips))];
  const taken = eni.addresses.filter((a) => a.eip !== undefined && !coming.includes(a.eip)).length;
  const missing = coming.length + taken - eni.addresses.length;
  const about = { vips: sharing.map((other) => other.name), subject: eni.eni };
  const border = borderFindings(facts, member);
  if (eni.addresses.length === 0)
    return [
      ...border,
      fault('eip-no-room', {
        ...about,
        found: `${eni.eni} of ${member.node} has no IPv4 address`,
        expected: 'an ENI in a subnet with IPv4: an Elastic IP is associated with a private IPv4 address',
        remedy: {
          sentence: `give ${member.node} an ENI in an IPv4 subnet, with the tag ${facts.tag}=${vip.nodeLabels[0]}${EIP_SUFFIX}`,
        },
      }),
    ];
  if (missing <= 0) return border;
  return [
    ...border,
    fault('eip-no-room', {
      ...about,
      found: `${eni.eni} of ${member.node} has ${eni.addresses.length} private address${eni.addresses.length === 1 ? '' : 'es'}${taken === 0 ? '' : `, ${taken} with a foreign EIP`}; ${coming.length} EIPs of ${sharing.length === 1 ? 'VIP' : 'VIPs'} ${about.vips.join(', ')} may land there`,
      expected: 'a private address for each',
      remedy: {
        command: awsCommand(
          `ec2 assign-private-ip-addresses --network-interface-id ${eni.eni} --secondary-private-ip-address-count ${missing}`,
          facts.place,
        ),
        remark: `then on ${member.node}: the new address on the interface (docs/reference/nodes.md)`,
      },
    }),
  ];
}

/** This one and those with EIPs that may come to the same ENI. */
const sharingVips = ({ vip, others = [] }: NetworkFacts, eni: string): readonly Vip[] => [
  vip,
  ...others.filter(
    (other) => other.eips.length > 0 && Object.values(other.members).some((m) => m.eipEni === eni),
  ),
];

function borderFindings(
  { vip, eips, borderGroups, place }: NetworkFacts,
  { node, zone }: Member,
): readonly Finding[] {
  const own = borderGroups?.get(zone);
  if (own === undefined) return [];
  return eips.flatMap(({ eip, found }): readonly Finding[] =>
    found?.borderGroup === undefined || found.borderGroup === own
      ? []
      : [
          fault('eip-border-group', {
            vips: [vip.name],
            subject: eip,
            found: `is of the network border group ${found.borderGroup}; ${node} is in ${zone}, of ${own}`,
            expected: 'the same group: AssociateAddress is refused elsewhere',
            remedy: {
              sentence: `allocate one there (${awsCommand(`ec2 allocate-address --network-border-group ${own}`, place)}), or nodes in zones of one group`,
            },
          }),
        ],
  );
}
