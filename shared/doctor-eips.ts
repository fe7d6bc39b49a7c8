// The doctor on Elastic IPs.
import type { Finding } from './doctor.ts';
import { type NetworkFacts, tagCommand } from './doctor-facts.ts';
import { EIP_SUFFIX } from './member.ts';

export function eipFindings({ vip, eips, enis, tag }: NetworkFacts): readonly Finding[] {
  const labels = [vip.name, ...vip.nodeLabels, ...vip.nodeLabels.map((l) => l + EIP_SUFFIX)];
  const found: Finding[] = [];
  for (const { eip, found: at } of eips) {
    if (at === undefined) {
      found.push({
        check: 'eip-gone',
        severity: 'fault',
        subject: eip,
        found: 'no such Elastic IP in this account and Region',
        wanted: 'allocated, or out of the ledger',
        remedy: `vipshift vip set ${vip.name} --eip …`,
      });
      continue;
    }
    if (!labels.includes(at.label ?? '')) {
      found.push({
        check: 'eip-untagged',
        severity: 'fault',
        subject: eip,
        found: at.label === undefined ? 'bears no tag' : `bears the tag ${tag}=${at.label}`,
        wanted: `the tag ${tag}=${vip.name}: without it the controller neither sees nor may move it`,
        remedy: tagCommand(eip, tag, vip.name),
      });
    }
    if (enis.some((e) => e.eni === at.eni && e.primary)) {
      found.push({
        check: 'eip-on-primary',
        severity: 'fault',
        subject: eip,
        found: `lies on ${at.eni}, the primary ENI of its node`,
        wanted: `on the ENI with the label ${vip.nodeLabels[0]}${EIP_SUFFIX}, so that the node’s own address stays`,
        remedy: `aws ec2 associate-address --allocation-id ${eip} --network-interface-id eni-… --allow-reassociation`,
      });
    }
  }
  return found;
}
