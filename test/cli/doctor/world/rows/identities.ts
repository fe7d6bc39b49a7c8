// Rows of the nodes’ role, and of addresses.

import { BUS_ARN, nodes, V4, V6 } from '../names.ts';
import type { Row } from './row.ts';

const statement = (Effect: string, Action: string, Resource = '*') =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect, Action, Resource }] });
export const identities: readonly Row[] = [
  {
    what: 'a role that may not PutEvents',
    check: 'role-put-events',
    seed: (world) => {
      world.attached = [];
    },
  },
  {
    what: 'a role that may do anything',
    check: 'role-wide',
    byHand: true,
    seed: (world) => {
      world.inline.all = statement('Allow', '*');
    },
  },
  {
    what: 'a role with an explicit Deny',
    check: 'role-put-events',
    seed: (world) => {
      world.inline.no = statement('Deny', 'events:*');
    },
  },
  {
    what: 'a role with an explicit Deny in a policy that has more',
    check: 'role-put-events',
    seed: (world) => {
      const { Statement } = JSON.parse(statement('Deny', 'events:PutEvents', BUS_ARN)) as {
        Statement: object[];
      };
      const more = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };
      world.inline.mixed = JSON.stringify({ Version: '2012-10-17', Statement: [...Statement, more] });
    },
  },
  {
    what: 'a node without a role',
    check: 'role-put-events',
    byHand: true,
    seed: (world) => {
      world.profileOf[nodes.b] = undefined;
    },
  },
  {
    what: 'a role of the account that may invoke every function',
    check: 'failover-invokers',
    byHand: true,
    seed: (world) => {
      world.otherRoles['arn:aws:iam::111122223333:role/ci'] = statement('Allow', 'lambda:Invoke*');
    },
  },
  {
    what: 'a trust policy that is open to the account',
    check: 'role-trust',
    seed: (world) => {
      world.role.AssumeRolePolicyDocument = JSON.stringify({
        Statement: {
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::111122223333:root' },
          Action: 'sts:AssumeRole',
        },
      });
    },
  },
  {
    what: 'a trust policy without EC2',
    check: 'role-trust',
    seed: (world) => {
      world.role.AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [] });
    },
  },
  {
    what: 'a role that was made again',
    check: 'role-id',
    seed: (world) => {
      world.role.RoleId = 'AROANEWANEWANEWANEW1';
    },
  },
];

export const addresses: readonly Row[] = [
  {
    what: 'an address inside the VPC’s CIDR',
    check: 'inside-cidr',
    byHand: true,
    seed: (world) => {
      world.vips[0] = { ...world.vips[0]!, addresses: [V4, V6, '10.0.77.7/32'] };
    },
  },
  {
    what: 'a secondary CIDR over the VIP',
    check: 'inside-secondary-cidr',
    byHand: true,
    seed: (world) =>
      Object.assign(world.vpcs[0]!, {
        CidrBlockAssociationSet: [{ CidrBlock: '192.168.255.0/24', CidrBlockState: { State: 'associated' } }],
      }),
  },
  {
    what: 'a prefix list with an entry inside the CIDR',
    check: 'prefix-list',
    seed: (world) => {
      world.prefixLists['pl-01234567'] = ['10.0.8.0/24', '192.168.200.0/24'];
      world.vips[0] = { ...world.vips[0]!, addresses: [V4, V6, 'pl-01234567'] };
    },
  },
  {
    what: 'a prefix list that is deleted',
    check: 'prefix-list',
    byHand: true,
    seed: (world) => {
      world.vips[0] = { ...world.vips[0]!, addresses: [V4, V6, 'pl-01234567'] };
    },
  },
];
