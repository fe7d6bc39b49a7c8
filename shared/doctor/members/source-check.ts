// The doctor on EC2's source/destination check: on at an ENI it drops what is not addressed to, or sent from, the ENI itself.

import { awsCommand, type Place } from '../../place.ts';
import type { NetworkFacts } from '../facts.ts';
import { type Finding, fault, type Remedy } from '../finding.ts';

const checkOff = (eni: string, place: Place): Remedy => ({
  command: awsCommand(
    `ec2 modify-network-interface-attribute --network-interface-id ${eni} --no-source-dest-check`,
    place,
  ),
});

/** At a node's service ENI. */
export const checkOn = ({ vip, place }: NetworkFacts, eni: string): Finding =>
  fault('source-dest-check', {
    vips: [vip.name],
    subject: eni,
    found: 'source/destination check is on: EC2 drops what is addressed to the VIP',
    expected: 'off',
    remedy: checkOff(eni, place),
  });

/** At its primary ENI, where that is another one. */
export function egressCheckFindings({ vip, enis, place }: NetworkFacts, node: string): readonly Finding[] {
  const primary = enis.find((e) => e.node === node && e.primary);
  if (primary === undefined || !primary.sourceDestCheck) return [];
  if (vip.nodeLabels.includes(primary.label ?? '')) return [];
  return [
    fault('source-dest-check-egress', {
      vips: [vip.name],
      subject: primary.eni,
      found: `source/destination check is on at the primary ENI of ${node}, by which replies from the VIP leave`,
      expected: 'off (or a rule on the node that sends replies from the VIP out by the service ENI)',
      remedy: checkOff(primary.eni, place),
    }),
  ];
}
