// Rows of tags: values, keys, and things that should not have them.

import { EIP, TAG } from '../names.ts';
import { type Row, retag, table } from './row.ts';

/** With another key where one is named. */
type Tagging = string | undefined | readonly [key: string, value: string];

function tagged(what: string, id: string, tagging: Tagging, check: string): Row {
  const [key, value] = typeof tagging === 'object' ? tagging : [TAG, tagging];
  return { what, check, seed: (world) => retag(world, id, value, key) };
}

export const tags: readonly Row[] = [
  tagged('a table tagged with a blank at the end', 'rtb-clients-a', 'web ', 'table-mislabelled'),
  tagged('a table tagged in the wrong case', 'rtb-clients-a', 'Web', 'table-mislabelled'),
  tagged('a table tagged with letters swapped', 'rtb-clients-a', 'wbe', 'table-mislabelled'),
  tagged(
    'a table with the key in the wrong case',
    'rtb-clients-a',
    ['vipshift:Dev', 'web'],
    'table-mislabelled',
  ),
  tagged('a table with the key without a stage', 'rtb-clients-a', ['vipshift', 'web'], 'table-mislabelled'),
  tagged('a table with the key with a dash', 'rtb-clients-a', ['vipshift-dev', 'web'], 'table-mislabelled'),
  tagged(
    'a table with a key that begins in capitals',
    'rtb-clients-a',
    ['Vipshift:dev', 'web'],
    'table-mislabelled',
  ),
  tagged('a service ENI tagged with a blank', 'eni-service-b', 'web ', 'eni-mislabelled'),
  tagged('an EIP ENI tagged in capitals', 'eni-eip-b', 'web:EIP', 'eni-mislabelled'),
  tagged('a service ENI with a mistyped key', 'eni-service-b', ['vipshift', 'web'], 'eni-mislabelled'),
  tagged('an EIP tagged in the wrong case', EIP, 'Web', 'eip-mislabelled'),
  tagged('an EIP with a mistyped key', EIP, ['vipshift:DEV', 'web'], 'eip-mislabelled'),
  tagged('an EIP without a tag', EIP, undefined, 'eip-untagged'),
  tagged('a client’s table without a tag', 'rtb-clients-b', undefined, 'table-unlabelled'),
  tagged('a service ENI without a tag', 'eni-service-b', undefined, 'eni-unlabelled'),
  tagged('the EIP ENI of the standby without a tag', 'eni-eip-b', undefined, 'eip-eni-untagged'),
  {
    what: 'an EIP with the label that no VIP lists',
    check: 'eip-unused',
    seed: (world) =>
      void world.addresses.push({ AllocationId: 'eipalloc-0more', Tags: [{ Key: TAG, Value: 'web' }] }),
  },
  {
    what: 'the tag on a subnet',
    check: 'tag-unread',
    seed: (world) => {
      world.otherTags['subnet-clients-a'] = ['subnet', 'web'];
    },
  },
  {
    what: 'a table with an unused label in another VPC',
    check: 'table-mislabelled',
    seed: (world) =>
      void world.tables.push({
        ...table(world, 'rtb-data-a'),
        RouteTableId: 'rtb-far',
        VpcId: 'vpc-far',
        Associations: [],
        Tags: [{ Key: TAG, Value: 'old' }],
      }),
  },
];
