// What looks odd and keeps nothing from working: the doctor has no word about it.
import { describe, expect, test } from 'vitest';
import { look } from './look.ts';
import { ACCOUNT, BUS_ARN, VPC } from './names.ts';
import { rightWorld, type World } from './world.ts';

const anyone = { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' };
const endpoint = (world: World, Statement: object, service = 'events') =>
  void world.endpoints.push({
    ...{ VpcEndpointId: 'vpce-1', VpcId: VPC, ServiceName: `com.amazonaws.eu-central-1.${service}` },
    ...({ VpcEndpointType: 'Interface', State: 'Available', PrivateDnsEnabled: true } as const),
    PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement }),
    Groups: [{ GroupId: 'sg-nodes' }],
  });
const opened = (world: World) =>
  void world.groups[0]!.IpPermissions!.push({
    ...{ IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: '10.0.0.0/16' }] },
  });
const deniedOnBus = (world: World, statement: object) => {
  const policy = JSON.parse(world.bus!.Policy) as { Statement: object[] };
  world.bus!.Policy = JSON.stringify({
    ...policy,
    Statement: [...policy.Statement, { ...anyone, Effect: 'Deny', Resource: BUS_ARN, ...statement }],
  });
};

const rows: readonly (readonly [what: string, change: (world: World) => void])[] = [
  ['an endpoint with AWS’s own policy', (world) => endpoint(world, anyone)],
  [
    'an endpoint for the account alone',
    (world) => endpoint(world, { ...anyone, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } }),
  ],
  [
    'an endpoint for principals and things of the account alone',
    (world) =>
      endpoint(world, {
        ...anyone,
        Condition: {
          StringEquals: {
            'aws:PrincipalAccount': ACCOUNT,
            'aws:ResourceAccount': ACCOUNT,
            'aws:SourceVpc': VPC,
          },
        },
      }),
  ],
  [
    'an endpoint for an organisation, which is not known here',
    (world) => endpoint(world, { ...anyone, Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } } }),
  ],
  [
    'an endpoint that denies another role',
    (world) =>
      endpoint(world, [
        anyone,
        { ...anyone, Effect: 'Deny', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/other` } },
      ]),
  ],
  [
    'an endpoint for STS that lets its question through',
    (world) => endpoint(world, { ...anyone, Action: 'sts:*' }, 'sts'),
  ],
  [
    'an endpoint of another service, of which the policy is its own business',
    (world) => endpoint(world, { ...anyone, Effect: 'Deny' }, 's3'),
  ],
  [
    'a bus that denies another role everything',
    (world) => deniedOnBus(world, { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/other` } }),
  ],
  ['a port that is opened twice', opened],
];

describe('nothing is found', () => {
  test.each(rows)('%s', async (_what, change) => {
    const world = rightWorld();
    change(world);
    const { findings } = await look(world, { port: [{ protocol: 'tcp', port: 443 }] });
    expect(findings).toEqual([]);
  });
});
