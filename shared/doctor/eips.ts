// The doctor on Elastic IPs.

import { awsCommand, ownCommand } from '../place.ts';
import { EIP_SUFFIX } from '../vip/member.ts';
import { type EipFact, type EniFact, isMoving, type NetworkFacts, ownEnis, tagCommand } from './facts.ts';
import { type Finding, fault, type Remedy } from './finding.ts';

/** The entry without `eip`; lists are replaced as a whole. */
const others = (eips: readonly string[], eip: string): string => {
  const left = eips.filter((e) => e !== eip);
  return left.length === 0 ? '--no-eip' : `--eip ${left.join(',')}`;
};

/**
 * To where the owner wants it; reconcile does the same within a minute once such an ENI is labelled. The address is named:
 * without it EC2 takes the ENI's first one, and throws off whatever EIP lies there.
 */
function moveTo(facts: NetworkFacts, eip: string): Remedy {
  const { vip, seen, place: here } = facts;
  const member = vip.owner === undefined ? Object.values(vip.members)[0] : vip.members[vip.owner];
  if (member?.eipEni === undefined)
    return { command: tagCommand('ENI', `${vip.nodeLabels[0]}${EIP_SUFFIX}`, facts) };
  const place = seen.enis
    .find((e) => e.eni === member.eipEni)
    ?.addresses.find((a) => a.eip === undefined || a.eip === eip);
  return place === undefined
    ? {
        command: awsCommand(
          `ec2 assign-private-ip-addresses --network-interface-id ${member.eipEni} --secondary-private-ip-address-count 1`,
          here,
        ),
        remark: `each of its addresses carries another EIP; reconcile then moves ${eip} there`,
      }
    : {
        command: awsCommand(
          `ec2 associate-address --allocation-id ${eip} --network-interface-id ${member.eipEni} --private-ip-address ${place.privateAddress} --allow-reassociation`,
          here,
        ),
      };
}

export function eipFindings(facts: NetworkFacts): readonly Finding[] {
  const { vip, eips, tag, place } = facts;
  const labels = [vip.name, ...vip.nodeLabels, ...vip.nodeLabels.map((l) => l + EIP_SUFFIX)];
  const found: Finding[] = [];
  for (const { eip, found: at } of eips) {
    if (at === undefined) {
      found.push(
        fault('eip-gone', {
          vips: [vip.name],
          subject: eip,
          found: 'no such Elastic IP in this account and Region',
          expected: 'allocated, or out of the registry',
          remedy: { command: ownCommand(`vip set ${vip.name} ${others(vip.eips, eip)}`, place) },
        }),
      );
      continue;
    }
    if (!labels.includes(at.label ?? '')) {
      found.push(
        fault('eip-untagged', {
          vips: [vip.name],
          subject: eip,
          found: at.label === undefined ? 'has no tag' : `has the tag ${tag}=${at.label}`,
          expected: `the tag ${tag}=${vip.name}: without it the controller neither sees nor may move it`,
          remedy: { command: tagCommand(eip, vip.name, facts) },
        }),
      );
    }
    found.push(...placed(facts, eip, at));
  }
  return found;
}

/** Where it is now: at the owner's ENI, or at one of the VIP's, from which the next failover may take it. */
function placed(
  facts: NetworkFacts,
  eip: string,
  { eni }: NonNullable<EipFact['found']>,
): readonly Finding[] {
  const { vip, enis } = facts;
  const about = { vips: [vip.name], subject: eip };
  const there = enis.find((e) => e.eni === eni);
  if (there?.primary === true && there.node !== undefined && vip.members[there.node] !== undefined)
    return [
      fault('eip-on-primary', {
        ...about,
        found: `lies on ${eni}, the primary ENI of its node`,
        expected: `on the ENI with the label ${vip.nodeLabels[0]}${EIP_SUFFIX}, so that the node’s own address stays`,
        remedy: moveTo(facts, eip),
      }),
    ];
  const own = ownEnis(facts);
  if (eni !== undefined && !own.has(eni))
    return [
      fault('eip-foreign', {
        ...about,
        found: `is on ${eni}${whose(there)}, none of this VIP’s ENIs; it is left alone`,
        expected: 'on an ENI of this VIP, or associated with nothing',
        remedy:
          there?.node === undefined
            ? { sentence: whereFixed(facts, eip, there) }
            : { ...moveTo(facts, eip), ...taking(eni) },
      }),
    ];
  const owner = vip.owner === undefined ? undefined : vip.members[vip.owner]?.eipEni;
  if (owner === undefined || eni === owner || isMoving(facts)) return [];
  return [
    fault('eip-drift', {
      ...about,
      found: eni === undefined ? 'is associated with nothing' : `is on ${eni}; the owner is ${vip.owner}`,
      expected: `on ${owner}; reconcile should have moved it within a minute`,
      remedy: moveTo(facts, eip),
    }),
  ];
}

const taking = (eni: string) => ({ remark: `takes it away from ${eni}: ask who uses it first` });

const whose = (eni: EniFact | undefined): string =>
  eni?.node !== undefined
    ? ` of ${eni.node}`
    : eni?.kind === undefined || eni.kind === 'interface'
      ? ''
      : ` of a ${kindText(eni.kind)}`;

const whereFixed = ({ vip, place }: NetworkFacts, eip: string, eni: EniFact | undefined): string =>
  `an Elastic IP of a ${eni?.kind === undefined ? 'service of AWS' : kindText(eni.kind)} cannot be moved: take it out of the registry (${ownCommand(`vip set ${vip.name} ${others(vip.eips, eip)}`, place)}), or replace what holds it`;

/** `nat_gateway` in the API reference, `natGateway` in the SDK. */
const kindText = (kind: string): string =>
  kind
    .replace(/_?([A-Z])/g, ' $1')
    .replaceAll('_', ' ')
    .toLowerCase();
