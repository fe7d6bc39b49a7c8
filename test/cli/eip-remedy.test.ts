// The doctor's remedy for an EIP on a primary ENI names the address: without one EC2 takes the ENI's first, and throws off
// whatever EIP lies there, also another VIP's.
import { expect, test } from 'vitest';
import { eipFindings } from '../../shared/doctor/eips.ts';
import type { NetworkFacts } from '../../shared/doctor/facts.ts';
import type { AddressSeen } from '../../shared/network/observation.ts';
import { epochMs } from '../../shared/time.ts';
import { newVip } from '../../shared/vip/vip.ts';

const place = { vpc: 'vpc-0a', account: '111122223333' };
const labels = { tableLabels: ['web'], nodeLabels: ['web'] };
const entry = {
  name: 'dns',
  addresses: [],
  eips: ['eipalloc-2'],
  ...place,
  ...labels,
  hold: 'both',
} as const;
const member = { node: 'i-a', eni: 'eni-s', eipEni: 'eni-e', zone: 'a' };

function remedy(addresses: readonly AddressSeen[]): string | undefined {
  const at = epochMs(0);
  const eni = { eni: 'eni-e', label: 'web:eip', ...place, zone: 'a', node: 'i-a', primary: false };
  const facts: NetworkFacts = {
    vip: { ...newVip(entry), owner: 'i-a', members: { 'i-a': member } },
    tag: 'vipshift:dev',
    place: { stage: 'dev' },
    vpc: { ...place, cidrs: [] },
    seen: {
      ...{ source: 'ec2', beganAtMs: at, endedAtMs: at, tables: [], eips: [] },
      enis: [{ ...eni, sourceDestCheck: false, addresses }],
    },
    enis: [
      {
        eni: 'eni-p',
        node: 'i-a',
        primary: true,
        sourceDestCheck: false,
        subnet: 's',
        address: '10.0.1.1',
        groups: [],
      },
    ],
    tables: [],
    groups: [],
    acls: [],
    eips: [{ eip: 'eipalloc-2', found: { label: 'dns', eni: 'eni-p' } }],
    prefixLists: new Map(),
  };
  return eipFindings(facts).find((found) => found.check === 'eip-on-primary')?.remedy;
}

test('takes an address that no other EIP has', () => {
  expect(remedy([{ privateAddress: '10.0.1.30', eip: 'eipalloc-1' }, { privateAddress: '10.0.1.31' }])).toBe(
    'aws ec2 associate-address --allocation-id eipalloc-2 --network-interface-id eni-e --private-ip-address 10.0.1.31 --allow-reassociation',
  );
});

test('asks for a further address where each one has another EIP', () => {
  expect(remedy([{ privateAddress: '10.0.1.30', eip: 'eipalloc-1' }])).toMatch(
    /^aws ec2 assign-private-ip-addresses --network-interface-id eni-e --secondary-private-ip-address-count 1 {4}# /,
  );
});
