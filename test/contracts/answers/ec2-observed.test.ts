// What is observed and adopted, through the real SDK from an EC2 that filters as it is asked and gives one thing a page: every list
// to its last page, and every field that a plan rests on, in each of its forms.
import { afterEach, describe, expect, it } from 'vitest';
import { enisNamed, routesTo, tagAll } from '../../../shared/aws/ec2/adopt.ts';
import { awsEc2 } from '../../../shared/aws/ec2/ec2.ts';
import { surveyed } from '../../../shared/aws/ec2/survey.ts';
import { tags } from '../../support/aws/ec2.ts';
import { type Endpoint, ec2Reply, refused, type Tree } from '../../support/aws/endpoint.ts';
import { attached, eip, eni, type Fields, OWNER, startRegion, TAG, table } from '../../support/aws/region.ts';
import { entry } from '../../support/world.ts';

let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.stop());
async function region(...given: Parameters<typeof startRegion>) {
  const started = await startRegion(...given);
  endpoint = started.endpoint;
  return started.access;
}

const scope = { name: 'web', tableLabels: ['web', 'shared'], nodeLabels: ['nodes'] };

const labelledThings = {
  DescribeRouteTables: [
    ...['rtb-1', 'rtb-2', 'rtb-3'].map((id) => table(id, 'web')),
    ...[table('rtb-4', 'shared'), table('rtb-5', 'nodes'), table('rtb-6', undefined), table('rtb-7', 'db')],
  ],
  DescribeNetworkInterfaces: [
    ...['eni-1', 'eni-2', 'eni-3'].map((id) => eni(id, 'nodes')),
    ...[eni('eni-4', 'nodes:eip'), eni('eni-5', 'web'), eni('eni-6', 'web:eip'), eni('eni-7', undefined)],
  ],
  DescribeAddresses: [
    ...['web', 'nodes', 'nodes:eip', 'shared', 'db'].map((label, n) => eip(`eipalloc-${n}`, label)),
    eip('eipalloc-9', undefined),
  ],
};
const idsOf = (seen: {
  readonly tables: readonly { readonly table: string }[];
  readonly enis: readonly { readonly eni: string }[];
  readonly eips: readonly { readonly eip: string }[];
}) => [
  seen.tables.map((t) => t.table).sort(),
  seen.enis.map((e) => e.eni).sort(),
  seen.eips.map((e) => e.eip).sort(),
];
const own = [
  ['rtb-1', 'rtb-2', 'rtb-3', 'rtb-4'],
  ['eni-1', 'eni-2', 'eni-3', 'eni-4'],
  ['eipalloc-0', 'eipalloc-1', 'eipalloc-2'],
];

const byFirst = ([a = '']: readonly (string | undefined)[], [b = '']: readonly (string | undefined)[]) =>
  a < b ? -1 : 1;

describe('an observation has everything with a label of the VIP, from every page', () => {
  it('of one VIP', async () => {
    const ec2 = awsEc2(await region(labelledThings));
    expect(idsOf(await ec2.observe(scope))).toEqual(own);
  });

  it('of all VIPs at once, each with its own, also where two share a label or name one twice', async () => {
    const ec2 = awsEc2(await region(labelledThings));
    const other = { name: 'db', tableLabels: ['db', 'shared', 'db'], nodeLabels: ['nodes', 'nodes'] };
    const all = await ec2.observeAll([scope, other]);
    expect(idsOf(all.get('web')!)).toEqual(own);
    const eips = ['eipalloc-1', 'eipalloc-2', 'eipalloc-4'];
    expect(idsOf(all.get('db')!)).toEqual([['rtb-4', 'rtb-7'], own[1], eips]);
  });

  it('of a survey, which also has every table of each VPC, and what is tagged for no one or in no VIP’s VPC', async () => {
    const near = table('rtb-8', undefined, { tagSet: tags({ 'VIPSHIFT: dev': 'wbe' }) }, 'vpc-2');
    const access = await region({
      ...labelledThings,
      DescribeRouteTables: [...labelledThings.DescribeRouteTables, near, table('rtb-9', 'web', {}, 'vpc-3')],
    });
    const entries = ['vpc-1', 'vpc-2'].map((vpc) => ({ ...entry, ...scope, vpc, name: `in-${vpc}` }));
    const { survey, observations } = await surveyed(access, entries);
    expect(survey.tables.map((t) => [t.table, t.label]).sort(byFirst)).toEqual([
      ...['rtb-1', 'rtb-2', 'rtb-3'].map((id) => [id, 'web']),
      ...[
        ['rtb-4', 'shared'],
        ['rtb-5', 'nodes'],
        ['rtb-6', undefined],
        ['rtb-7', 'db'],
        ['rtb-8', undefined],
        ['rtb-9', 'web'],
      ],
    ]);
    expect(survey.tables.find((t) => t.table === 'rtb-8')!.nearKey).toEqual({
      key: 'VIPSHIFT: dev',
      value: 'wbe',
    });
    expect(survey.enis).toHaveLength(6);
    expect(survey.eips).toHaveLength(5);
    expect(idsOf(observations.get('in-vpc-1')!).slice(0, 2)).toEqual([[...own[0]!, 'rtb-9'], own[1]]);
  });
});

describe('a route table', () => {
  const [V4, V6, LIST] = ['192.0.2.1/32', '2001:db8::1/128', 'pl-0123456789abcdef0'];
  const routesSeen = async (routeSet: Tree, more: Fields = {}) => {
    const ec2 = awsEc2(await region({ DescribeRouteTables: [table('rtb-1', 'web', { routeSet, ...more })] }));
    return (await ec2.observe(scope)).tables[0]!;
  };

  it.each([
    ['active', 'active'],
    ['blackhole', 'blackhole'],
  ] as const)('whose route is %s is seen so', async (state, wanted) => {
    const seen = await routesSeen([
      { destinationCidrBlock: V4!, networkInterfaceId: 'eni-1', state, origin: 'CreateRoute' },
    ]);
    expect(seen.routes).toEqual({ [V4!]: { target: 'eni-1', state: wanted, propagated: false } });
  });

  it.each([
    ['networkInterfaceId', 'eni-1'],
    ['gatewayId', 'igw-1'],
    ['transitGatewayId', 'tgw-1'],
    ['natGatewayId', 'nat-1'],
    ['vpcPeeringConnectionId', 'pcx-1'],
    ['egressOnlyInternetGatewayId', 'eigw-1'],
    ['localGatewayId', 'lgw-1'],
    ['carrierGatewayId', 'cagw-1'],
    ['coreNetworkArn', 'arn:aws:networkmanager::1:core-network/c'],
    ['instanceId', 'i-1'],
    ['nothingThatIsKnown', 'unknown'],
  ])('whose route leads to a %s names it', async (name, target) => {
    const seen = await routesSeen([{ destinationCidrBlock: V4!, [name]: target, state: 'active' }]);
    expect(seen.routes[V4!]!.target).toBe(target);
  });

  it('has routes of every kind of address, all counted, and neither ranges nor a gateway among its subnets’', async () => {
    const to = { networkInterfaceId: 'eni-1', state: 'active', origin: 'CreateRoute' };
    const seen = await routesSeen(
      [
        { destinationCidrBlock: V4!, ...to },
        { destinationIpv6CidrBlock: V6!, ...to, origin: 'EnableVgwRoutePropagation' },
        { destinationPrefixListId: LIST!, ...to },
        { destinationCidrBlock: '10.0.0.0/16', gatewayId: 'local', state: 'active' },
      ],
      { associationSet: [{ subnetId: 'subnet-1', main: false }] },
    );
    const route = { target: 'eni-1', state: 'active', propagated: false };
    expect(seen).toEqual({
      ...{ table: 'rtb-1', label: 'web', vpc: 'vpc-1', account: OWNER, edge: false, total: 4 },
      routes: { [V4!]: route, [V6!]: { ...route, propagated: true }, [LIST!]: route },
    });
    const edge = await routesSeen([], { associationSet: [{ main: false }, { gatewayId: 'igw-1' }] });
    expect(edge.edge).toBe(true);
  });
});

describe('an ENI and its addresses', () => {
  it('with node, place and check as EC2 says, its primary address first', async () => {
    const access = await region({
      DescribeNetworkInterfaces: [
        eni('eni-1', 'nodes', {
          ...{ availabilityZone: 'eu-central-1a', sourceDestCheck: false, attachment: attached('i-1') },
          privateIpAddressesSet: [
            { privateIpAddress: '10.0.0.6', primary: false, association: { publicIp: '203.0.113.6' } },
            { privateIpAddress: '10.0.0.7', primary: false },
            {
              privateIpAddress: '10.0.0.8',
              association: { allocationId: 'eipalloc-8', publicIp: '203.0.113.8' },
            },
            { privateIpAddress: '10.0.0.5', primary: true },
          ],
        }),
        eni('eni-2', 'nodes', { attachment: attached('i-1', 0), sourceDestCheck: true }),
        eni('eni-3', 'nodes', {}),
      ],
      DescribeAddresses: [
        eip('eipalloc-1', 'web', {
          ...{ publicIp: '203.0.113.7', networkInterfaceId: 'eni-1', privateIpAddress: '10.0.0.7' },
        }),
        // As EC2 shows one that lies nowhere: empty elements.
        eip('eipalloc-2', 'web', { publicIp: '203.0.113.9', networkInterfaceId: '', privateIpAddress: '' }),
      ],
    });
    const { enis, eips } = await awsEc2(access).observe(scope);
    const place = { label: 'nodes', vpc: 'vpc-1', account: OWNER, zone: '', addresses: [] };
    expect(enis).toEqual([
      {
        ...place,
        ...{ eni: 'eni-1', node: 'i-1', zone: 'eu-central-1a', primary: false, sourceDestCheck: false },
        addresses: [
          { privateAddress: '10.0.0.5' },
          // Assigned by AWS: it has no allocation, and must not be thrown off either.
          { privateAddress: '10.0.0.6', eip: '203.0.113.6' },
          { privateAddress: '10.0.0.7', eip: 'eipalloc-1' },
          { privateAddress: '10.0.0.8', eip: 'eipalloc-8' },
        ],
      },
      { ...place, eni: 'eni-2', node: 'i-1', primary: true, sourceDestCheck: true },
      { ...place, eni: 'eni-3', primary: false, sourceDestCheck: true },
    ]);
    expect(eips).toEqual([
      { eip: 'eipalloc-1', publicAddress: '203.0.113.7', eni: 'eni-1', privateAddress: '10.0.0.7' },
      { eip: 'eipalloc-2', publicAddress: '203.0.113.9' },
    ]);
  });
});

describe('what adopting needs', () => {
  it('has every route to the addresses, from every page, with its target, label and kind of table', async () => {
    const [V4, V6, LIST] = ['192.0.2.1/32', '2001:db8::1/128', 'pl-1'];
    const access = await region({
      DescribeRouteTables: [
        table('rtb-3', undefined, {
          routeSet: [{ destinationPrefixListId: LIST!, transitGatewayId: 'tgw-1' }],
        }),
        table('rtb-2', 'web', {
          routeSet: [
            { destinationIpv6CidrBlock: V6!, gatewayId: 'vgw-1' },
            { destinationCidrBlock: V4!, networkInterfaceId: 'eni-1' },
            { destinationCidrBlock: '192.0.2.2/32', networkInterfaceId: 'eni-1' },
          ],
        }),
        table('rtb-1', undefined, {
          routeSet: [{ destinationCidrBlock: V4!, networkInterfaceId: 'eni-9' }],
          associationSet: [{ gatewayId: 'igw-1' }],
        }),
        table('rtb-4', 'web', { routeSet: [{ destinationCidrBlock: V4!, natGatewayId: 'nat-1' }] }, 'vpc-2'),
      ],
    });
    expect(await routesTo(access, 'vpc-1', [V4!, V6!, LIST!], TAG)).toEqual([
      { table: 'rtb-1', address: V4, target: 'eni-9', edge: true },
      { table: 'rtb-2', label: 'web', address: V4, target: 'eni-1', edge: false },
      { table: 'rtb-2', label: 'web', address: V6, target: 'vgw-1', edge: false },
      { table: 'rtb-3', address: LIST, target: 'tgw-1', edge: false },
    ]);
  });

  it('finds ENIs by name in the order asked, and says which there are not', async () => {
    const access = await region({
      DescribeNetworkInterfaces: [
        eni('eni-1', 'nodes', { attachment: attached('i-1') }),
        eni('eni-2', undefined),
      ],
    });
    expect(await enisNamed(access, ['eni-2', 'eni-0', 'eni-1'], TAG)).toEqual([
      { eni: 'eni-2', vpc: 'vpc-1' },
      undefined,
      { eni: 'eni-1', vpc: 'vpc-1', label: 'nodes', node: 'i-1' },
    ]);
    expect(await enisNamed(access, [], TAG)).toEqual([]);
  });

  it('tags one after another, each with its own label, and fails where EC2 refuses one', async () => {
    let refuse = false;
    const access = await region(
      {},
      {
        CreateTags: (call) =>
          refuse ? refused(call, 'UnauthorizedOperation') : ec2Reply(call, { return: true }),
      },
    );
    const labels = new Map([
      ['rtb-1', 'web'],
      ['eni-1', 'nodes'],
    ]);
    await tagAll(access, TAG, labels);
    expect(
      endpoint!.calls.map(({ parameters: p }) => [p['ResourceId.1'], p['Tag.1.Key'], p['Tag.1.Value']]),
    ).toEqual([
      ['rtb-1', TAG, 'web'],
      ['eni-1', TAG, 'nodes'],
    ]);
    refuse = true;
    await expect(tagAll(access, TAG, labels)).rejects.toMatchObject({ kind: 'denied' });
    expect(endpoint!.calls).toHaveLength(3);
  });
});
