// What is read from EC2, through the real SDK from an EC2 that filters as it is asked and gives one thing a page: every list to its
// last page, and every field that a decision rests on, in each of its forms.
import { afterEach, describe, expect, it } from 'vitest';
import type { Ec2Access } from '../../shared/aws/ec2/access.ts';
import { enisNamed, routesTo, tagAll } from '../../shared/aws/ec2/adopt.ts';
import { awsEc2 } from '../../shared/aws/ec2/ec2.ts';
import { aclsOf, groupsOf, listsOf } from '../../shared/aws/ec2/filter-facts.ts';
import { describeNetwork, once, profilesOf } from '../../shared/aws/ec2/network-facts.ts';
import { surveyed } from '../../shared/aws/ec2/survey.ts';
import { eipsFound, vpcSeen } from '../../shared/aws/ec2/vpc.ts';
import { tagKey } from '../../shared/aws/tag-key.ts';
import { systemClock, systemNow } from '../../shared/aws/wire.ts';
import { minutes, plus } from '../../shared/time.ts';
import { newVip } from '../../shared/vip/vip.ts';
import { ec2Lists, type List, type Thing, tags } from '../support/aws/ec2.ts';
import {
  type Answer,
  type Endpoint,
  ec2Reply,
  listed,
  refused,
  startEndpoint,
  type Tree,
} from '../support/aws/endpoint.ts';
import { entry, memberOf, START } from '../support/world.ts';

const STAGE = 'dev';
const TAG = tagKey(STAGE);
const OWNER = '111122223333';
const { signal } = new AbortController();

let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.stop());

type Calls = Readonly<Record<string, (call: Parameters<Parameters<typeof startEndpoint>[0]>[0]) => Answer>>;

/** `instead`: what some actions answer otherwise. */
async function region(
  things: Readonly<Partial<Record<List, readonly Thing[]>>>,
  instead: Calls = {},
): Promise<Ec2Access> {
  const answer = ec2Lists(things);
  endpoint = await startEndpoint((call) => (instead[call.action] ?? answer)(call));
  const { reader, writer } = endpoint.clients;
  return { reader, writer, tag: TAG, clock: systemClock(plus(systemNow(), minutes(10)), signal), signal };
}

/** A thing with the tag, in a VPC. */
const labelled = (label: string | undefined, vpc: string, is: { readonly [name: string]: Tree }): Thing => ({
  by: { 'vpc-id': vpc, ...(label === undefined ? {} : { 'tag-key': TAG, [`tag:${TAG}`]: label }) },
  is: {
    vpcId: vpc,
    ownerId: OWNER,
    tagSet: tags({ Name: 'n', ...(label === undefined ? {} : { [TAG]: label }) }),
    ...is,
  },
});
const table = (
  id: string,
  label: string | undefined,
  is: { readonly [name: string]: Tree } = {},
  vpc = 'vpc-1',
) => labelled(label, vpc, { routeTableId: id, ...is });
const eni = (
  id: string,
  label: string | undefined,
  is: { readonly [name: string]: Tree } = {},
  vpc = 'vpc-1',
): Thing => {
  const thing = labelled(label, vpc, { networkInterfaceId: id, ...is });
  const node = (is.attachment as { instanceId?: string } | undefined)?.instanceId ?? [];
  return { ...thing, by: { ...thing.by, 'network-interface-id': id, 'attachment.instance-id': node } };
};
const eip = (id: string, label: string | undefined, is: { readonly [name: string]: Tree } = {}): Thing =>
  labelled(label, 'none', { allocationId: id, ...is });

const scope = { name: 'web', tableLabels: ['web', 'shared'], nodeLabels: ['nodes'] };
const attached = (instanceId: string, deviceIndex = 1): Tree => ({ instanceId, deviceIndex });

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

  it('of a survey, which also has every table of each VPC and what is tagged for no one', async () => {
    const near = table('rtb-8', undefined, { tagSet: tags({ 'VIPSHIFT: dev': 'wbe' }) }, 'vpc-2');
    const access = await region({
      ...labelledThings,
      DescribeRouteTables: [...labelledThings.DescribeRouteTables, near, table('rtb-9', 'web', {}, 'vpc-3')],
    });
    const entries = ['vpc-1', 'vpc-2'].map((vpc) => ({ ...entry, ...scope, vpc, name: `in-${vpc}` }));
    const { survey, observations } = await surveyed(access, entries);
    expect(survey.tables.map((t) => [t.table, t.label]).sort()).toEqual([
      ...['rtb-1', 'rtb-2', 'rtb-3'].map((id) => [id, 'web']),
      ...[
        ['rtb-4', 'shared'],
        ['rtb-5', 'nodes'],
        ['rtb-6', undefined],
        ['rtb-7', 'db'],
        ['rtb-8', undefined],
      ],
    ]);
    expect(survey.tables.find((t) => t.table === 'rtb-8')!.nearKey).toEqual({
      key: 'VIPSHIFT: dev',
      value: 'wbe',
    });
    expect(survey.enis.map((e) => [e.eni, e.label]).sort()).toHaveLength(6);
    expect(survey.eips.map((e) => e.eip).sort()).toHaveLength(5);
    expect(idsOf(observations.get('in-vpc-1')!).slice(0, 2)).toEqual([[...own[0]!, 'rtb-9'], own[1]]);
  });
});

describe('a route table', () => {
  const [V4, V6, LIST] = ['192.0.2.1/32', '2001:db8::1/128', 'pl-0123456789abcdef0'];
  const routesSeen = async (routeSet: Tree, more: { readonly [name: string]: Tree } = {}) => {
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

describe('a VPC', () => {
  const vpcIs = (more: { readonly [name: string]: Tree }): Calls => ({
    DescribeVpcs: (call) =>
      call.parameters['VpcId.1'] === 'vpc-1'
        ? ec2Reply(call, { vpcSet: [{ vpcId: 'vpc-1', ownerId: OWNER, cidrBlock: '10.0.0.0/16', ...more }] })
        : refused(call, 'InvalidVpcID.NotFound'),
  });
  const block = (cidrBlock: string, state: string): Tree => ({ cidrBlock, cidrBlockState: { state } });
  const six = (ipv6CidrBlock: string, state: string): Tree => ({
    ipv6CidrBlock,
    ipv6CidrBlockState: { state },
  });

  it('has its first CIDR first, then all others that are not gone: one that is being taken away still counts', async () => {
    const states = ['associating', 'associated', 'disassociating', 'disassociated', 'failing', 'failed'];
    const access = await region(
      {},
      vpcIs({
        cidrBlockAssociationSet: [
          block('10.0.0.0/16', 'associated'),
          ...states.map((s, n) => block(`10.${n + 1}.0.0/16`, s)),
        ],
        ipv6CidrBlockAssociationSet: states.map((s, n) => six(`2001:db8:${n}::/56`, s)),
      }),
    );
    expect(await vpcSeen(access, 'vpc-1')).toEqual({
      ...{ vpc: 'vpc-1', account: OWNER },
      cidrs: [
        ...['10.0.0.0/16', '10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16', '10.5.0.0/16'],
        ...['2001:db8:0::/56', '2001:db8:1::/56', '2001:db8:2::/56', '2001:db8:4::/56'],
      ],
    });
    expect(await vpcSeen(access, 'vpc-0')).toBeUndefined();
  });

  it('that cannot be looked up is a fault, and not one that is not there', async () => {
    const access = await region({}, { DescribeVpcs: (call) => refused(call, 'UnauthorizedOperation') });
    await expect(vpcSeen(access, 'vpc-1')).rejects.toMatchObject({ kind: 'denied' });
  });

  it('prefix lists: the entries of every page, undefined for one that is not there, a fault for one that is denied', async () => {
    const entryOf = (list: string, cidr: string): Thing => ({ by: { 'prefix-list-id': list }, is: { cidr } });
    const things = {
      GetManagedPrefixListEntries: ['192.0.2.0/28', '192.0.2.16/28', '192.0.2.32/28'].map((c) =>
        entryOf('pl-1', c),
      ),
    };
    const answer = ec2Lists(things);
    let denied = false;
    const access = await region(things, {
      GetManagedPrefixListEntries: (call) =>
        denied
          ? refused(call, 'UnauthorizedOperation')
          : call.parameters.PrefixListId === 'pl-0'
            ? refused(call, 'InvalidPrefixListID.NotFound')
            : answer(call),
    });
    expect([...(await listsOf(access, ['pl-1', 'pl-0']))]).toEqual([
      ['pl-1', ['192.0.2.0/28', '192.0.2.16/28', '192.0.2.32/28']],
      ['pl-0', undefined],
    ]);
    denied = true;
    await expect(listsOf(access, ['pl-1'])).rejects.toMatchObject({ kind: 'denied' });
  });

  it('Elastic IPs: by allocation or public address, in the order asked', async () => {
    const access = await region({
      DescribeAddresses: [
        eip('eipalloc-1', undefined, { publicIp: '203.0.113.1' }),
        eip('eipalloc-2', 'web', { publicIp: '203.0.113.2', networkInterfaceId: 'eni-1' }),
      ],
    });
    const [one, two] = [
      { eip: 'eipalloc-1', publicAddress: '203.0.113.1' },
      { eip: 'eipalloc-2', publicAddress: '203.0.113.2', label: 'web', eni: 'eni-1' },
    ];
    expect(await eipsFound(access, ['203.0.113.2', 'eipalloc-0', 'eipalloc-1', 'eipalloc-2'], TAG)).toEqual([
      two,
      undefined,
      one,
      two,
    ]);
  });
});

describe('packet filters', () => {
  it('security groups: every form of a rule, prefix lists resolved, to the last page', async () => {
    const permission = { ipProtocol: 'tcp', fromPort: 80, toPort: 443 };
    const group = (groupId: string, ipPermissions: Tree): Thing => ({
      by: { 'group-id': groupId },
      is: { groupId, ipPermissions },
    });
    const access = await region({
      DescribeSecurityGroups: [
        group('sg-1', [
          {
            ...permission,
            ipRanges: [{ cidrIp: '10.0.0.0/8' }, { cidrIp: '192.168.0.0/16' }],
            ipv6Ranges: [{ cidrIpv6: '2001:db8::/32' }],
            prefixListIds: [{ prefixListId: 'pl-1' }, { prefixListId: 'pl-0' }],
            groups: [{ groupId: 'sg-9' }],
          },
        ]),
        group('sg-2', [
          { ipProtocol: '112', ipRanges: [{ cidrIp: '0.0.0.0/0' }] },
          { ipProtocol: 'icmp', fromPort: -1, toPort: -1 },
          { ipProtocol: 'icmpv6' },
          { ipProtocol: '-1' },
        ]),
        group('sg-3', []),
        group('sg-other', [{ ipProtocol: '-1', ipRanges: [{ cidrIp: '0.0.0.0/0' }] }]),
      ],
      GetManagedPrefixListEntries: [{ by: { 'prefix-list-id': 'pl-1' }, is: { cidr: '172.16.0.0/12' } }],
    });
    const none = { cidrs: [], groups: [] };
    expect(await groupsOf(access, ['sg-1', 'sg-2', 'sg-3'])).toEqual([
      {
        group: 'sg-1',
        ingress: [
          {
            ...{ protocol: '6', fromPort: 80, toPort: 443, groups: ['sg-9'] },
            cidrs: ['10.0.0.0/8', '192.168.0.0/16', '2001:db8::/32', '172.16.0.0/12'],
          },
        ],
      },
      {
        group: 'sg-2',
        ingress: [
          { ...none, protocol: '112', cidrs: ['0.0.0.0/0'] },
          { ...none, protocol: '1', fromPort: -1, toPort: -1 },
          { ...none, protocol: '58' },
          { ...none, protocol: '-1' },
        ],
      },
      { group: 'sg-3', ingress: [] },
    ]);
    expect(await groupsOf(access, [])).toEqual([]);
  });

  it('network ACLs: allow and deny, in and out, of both families, to the last page', async () => {
    const acl = (networkAclId: string, entrySet: Tree, vpc = 'vpc-1'): Thing => ({
      by: { 'vpc-id': vpc },
      is: { networkAclId, associationSet: [{ subnetId: `subnet-of-${networkAclId}` }], entrySet },
    });
    const access = await region({
      DescribeNetworkAcls: [
        acl('acl-1', [
          { protocol: '112', ruleNumber: 100, ruleAction: 'allow', egress: false, cidrBlock: '10.0.0.0/8' },
          { protocol: '-1', ruleNumber: 90, ruleAction: 'deny', egress: true, ipv6CidrBlock: '::/0' },
        ]),
        acl('acl-2', []),
        acl('acl-3', [], 'vpc-2'),
        acl('acl-4', []),
      ],
    });
    const rule = { groups: [] };
    expect(await aclsOf(access, 'vpc-1')).toEqual([
      {
        ...{ acl: 'acl-1', subnets: ['subnet-of-acl-1'] },
        rules: [
          { ...rule, protocol: '112', number: 100, allow: true, egress: false, cidrs: ['10.0.0.0/8'] },
          { ...rule, protocol: '-1', number: 90, allow: false, egress: true, cidrs: ['::/0'] },
        ],
      },
      { acl: 'acl-2', subnets: ['subnet-of-acl-2'], rules: [] },
      { acl: 'acl-4', subnets: ['subnet-of-acl-4'], rules: [] },
    ]);
  });
});

describe('the doctor’s network', () => {
  const inVpc = (is: Tree): Thing => ({ by: { 'vpc-id': 'vpc-1' }, is });
  const things = {
    DescribeRouteTables: [
      table('rtb-main', undefined, {
        associationSet: [{ main: true }],
        routeSet: [{ destinationCidrBlock: '10.0.0.0/16', gatewayId: 'local' }],
      }),
      table('rtb-1', 'web', {
        associationSet: [
          { subnetId: 'subnet-2', main: false },
          { subnetId: 'subnet-1', main: false },
        ],
        routeSet: [
          { destinationCidrBlock: '10.9.0.0/16', transitGatewayId: 'tgw-1' },
          { destinationIpv6CidrBlock: '2001:db8::/32', vpcPeeringConnectionId: 'pcx-1' },
          { destinationCidrBlock: '0.0.0.0/0', natGatewayId: 'nat-1' },
          { destinationCidrBlock: '10.8.0.0/16', networkInterfaceId: 'eni-x' },
          { destinationCidrBlock: '10.7.0.0/16', gatewayId: 'vgw-1' },
          { destinationCidrBlock: '10.6.0.0/16', coreNetworkArn: 'arn' },
          { destinationPrefixListId: 'pl-1', gatewayId: 'vpce-1' },
        ],
      }),
    ],
    DescribeSubnets: ['subnet-1', 'subnet-2', 'subnet-4', 'subnet-3'].map((subnetId) => inVpc({ subnetId })),
    DescribeNetworkInterfaces: [
      eni('eni-1', 'web', {
        attachment: attached('i-a'),
        sourceDestCheck: false,
        subnetId: 'subnet-1',
        privateIpAddress: '10.0.0.1',
        groupSet: [{ groupId: 'sg-2' }, { groupId: 'sg-1' }],
      }),
      eni('eni-2', undefined, { attachment: attached('i-a', 0), sourceDestCheck: true }),
      eni('eni-3', 'web:eip', {}),
      eni('eni-4', undefined, { attachment: attached('i-claims') }),
      eni('eni-5', undefined, { attachment: attached('i-seen') }),
      eni('eni-6', undefined, { attachment: attached('i-stranger') }),
    ],
    DescribeAddresses: [eip('eipalloc-1', 'web', { publicIp: '203.0.113.1', networkInterfaceId: 'eni-3' })],
    DescribeNetworkAcls: [inVpc({ networkAclId: 'acl-1' })],
    DescribeSecurityGroups: ['sg-1', 'sg-2'].map((groupId) => ({
      by: { 'group-id': groupId },
      is: { groupId },
    })),
    DescribeTransitGatewayVpcAttachments: [
      'available',
      'pending',
      'deleted',
      'deleting',
      'failed',
      'rejected',
      'modifying',
    ].map((state) => inVpc({ transitGatewayAttachmentId: `tgw-attach-${state}`, state })),
    DescribeVpcPeeringConnections: [
      ...(['active', 'provisioning', 'deleted', 'rejected', 'pending-acceptance'].map((code) => ({
        by: { 'requester-vpc-info.vpc-id': 'vpc-1' },
        is: { vpcPeeringConnectionId: `pcx-${code}`, status: { code } },
      })) as readonly Thing[]),
      {
        by: { 'accepter-vpc-info.vpc-id': 'vpc-1' },
        is: { vpcPeeringConnectionId: 'pcx-theirs', status: { code: 'active' } },
      },
    ],
    GetManagedPrefixListEntries: [{ by: { 'prefix-list-id': 'pl-01234567' }, is: { cidr: '192.0.2.0/28' } }],
  };
  const vpc: Calls = {
    DescribeVpcs: (call) =>
      ec2Reply(call, { vpcSet: [{ vpcId: 'vpc-1', ownerId: OWNER, cidrBlock: '10.0.0.0/16' }] }),
  };
  const claims = { 'i-claims': {} } as never;
  const vip = {
    ...newVip({ ...entry, addresses: ['192.0.2.1/32', 'pl-01234567'], eips: ['eipalloc-1', 'eipalloc-0'] }),
    ...{ members: { 'i-a': memberOf('i-a') }, claims },
  };
  const seenEni = {
    ...{ eni: 'eni-5', label: 'web', vpc: 'vpc-1', account: OWNER, zone: 'z', node: 'i-seen' },
    primary: false,
    sourceDestCheck: false,
    addresses: [],
  };
  const seen = {
    source: 'ec2',
    beganAtMs: START,
    endedAtMs: START,
    tables: [],
    enis: [seenEni],
    eips: [],
  } as const;
  const query = { vip, seen, tag: TAG, caller: OWNER };

  it('has every fact, from every page, and nothing of what is gone', async () => {
    const { facts, unchecked } = await describeNetwork(await region(things, vpc), query);
    expect(unchecked).toEqual([]);
    const { vip: _vip, seen: _seen, enis, tables, ...rest } = facts;
    expect(rest).toEqual({
      ...{ tag: TAG, caller: OWNER, vpc: { vpc: 'vpc-1', account: OWNER, cidrs: ['10.0.0.0/16'] } },
      groups: ['sg-1', 'sg-2'].map((group) => ({ group, ingress: [] })),
      acls: [{ acl: 'acl-1', subnets: [], rules: [] }],
      eips: [
        {
          eip: 'eipalloc-1',
          found: { eip: 'eipalloc-1', publicAddress: '203.0.113.1', label: 'web', eni: 'eni-3' },
        },
        { eip: 'eipalloc-0' },
      ],
      prefixLists: new Map([['pl-01234567', ['192.0.2.0/28']]]),
      transitGateways: ['tgw-attach-available', 'tgw-attach-pending', 'tgw-attach-modifying'],
      peerings: ['pcx-active', 'pcx-provisioning', 'pcx-theirs'],
    });
    const bare = { primary: false, sourceDestCheck: true, subnet: '', address: '', groups: [] };
    expect(enis.toSorted((a, b) => (a.eni < b.eni ? -1 : 1))).toEqual([
      {
        ...bare,
        eni: 'eni-1',
        node: 'i-a',
        label: 'web',
        sourceDestCheck: false,
        subnet: 'subnet-1',
        address: '10.0.0.1',
        groups: ['sg-2', 'sg-1'],
      },
      { ...bare, eni: 'eni-2', node: 'i-a', primary: true },
      { ...bare, eni: 'eni-3', label: 'web:eip' },
      { ...bare, eni: 'eni-4', node: 'i-claims' },
      { ...bare, eni: 'eni-5', node: 'i-seen' },
    ]);
    expect(tables).toEqual([
      { table: 'rtb-main', main: true, subnets: [], implicitSubnets: ['subnet-3', 'subnet-4'], outward: [] },
      {
        ...{
          table: 'rtb-1',
          main: false,
          label: 'web',
          subnets: ['subnet-1', 'subnet-2'],
          implicitSubnets: [],
        },
        outward: [
          { destination: '10.9.0.0/16', target: 'tgw-1' },
          { destination: '2001:db8::/32', target: 'pcx-1' },
          { destination: '0.0.0.0/0', target: 'nat-1' },
          { destination: '10.8.0.0/16', target: 'eni-x' },
          { destination: '10.7.0.0/16', target: 'vgw-1' },
          { destination: '10.6.0.0/16', target: 'another target' },
        ],
      },
    ]);
  });

  it.each([
    ['DescribeRouteTables', 'route tables'],
    ['DescribeNetworkInterfaces', 'ENIs'],
    ['DescribeSubnets', 'route tables'],
    ['DescribeNetworkAcls', 'network ACLs'],
    ['DescribeAddresses', 'Elastic IPs'],
    ['DescribeSecurityGroups', 'security groups'],
    ['DescribeTransitGatewayVpcAttachments', 'transit gateways'],
    ['DescribeVpcPeeringConnections', 'peerings'],
    ['GetManagedPrefixListEntries', 'prefix lists'],
  ])('says what it could not look up where %s is denied, and looks up the rest', async (action, what) => {
    const access = await region(things, {
      ...vpc,
      [action]: (call) => refused(call, 'UnauthorizedOperation'),
    });
    const { unchecked } = await describeNetwork(access, query);
    expect(unchecked).toEqual([{ what, why: expect.stringContaining('UnauthorizedOperation') }]);
  });

  it('fails where the VPC itself cannot be looked up, and says where there is none', async () => {
    const denied = await region(things, { DescribeVpcs: (call) => refused(call, 'UnauthorizedOperation') });
    await expect(describeNetwork(denied, query)).rejects.toMatchObject({ kind: 'denied' });
    await endpoint!.stop();
    const none = await region(things, { DescribeVpcs: (call) => refused(call, 'InvalidVpcID.NotFound') });
    const { unchecked, facts } = await describeNetwork(none, query);
    expect(unchecked).toEqual([{ what: 'vpc-1', why: 'there is no such VPC' }]);
    expect(facts.vpc.cidrs).toEqual([]);
  });

  it('asks once for what many VIPs have in common, also where the answer was no', async () => {
    const access = await region(things, {
      ...vpc,
      DescribeNetworkAcls: (call) => refused(call, 'UnauthorizedOperation'),
    });
    const remember = once();
    for (const name of ['web', 'db']) {
      const { unchecked } = await describeNetwork(access, { ...query, vip: { ...vip, name } }, remember);
      expect(unchecked).toHaveLength(1);
    }
    const asked = endpoint!.calls.map(({ action }) => action);
    const times = (action: string) => asked.filter((one) => one === action).length;
    expect([times('DescribeVpcs'), times('DescribeNetworkAcls'), times('DescribeAddresses')]).toEqual([
      1, 1, 2,
    ]);
  });

  it('instances: the profile of each that is there, of every page and every reservation', async () => {
    const instance = (instanceId: string, more: { readonly [name: string]: Tree } = {}): Tree => ({
      instanceId,
      ...more,
    });
    const reservation = (...instances: readonly { readonly instanceId: string }[]): Thing => ({
      by: { 'instance-id': instances.map(({ instanceId }) => instanceId) },
      is: { instancesSet: instances as unknown as Tree },
    });
    const profile = (arn: string) => ({ iamInstanceProfile: { arn } });
    const access = await region({
      DescribeInstances: [
        reservation(instance('i-1', profile('arn:p/1')) as never, instance('i-2') as never),
        reservation(instance('i-3', profile('arn:p/3')) as never),
        reservation(instance('i-4', profile('arn:p/4')) as never),
        reservation(instance('i-5') as never),
      ],
    });
    expect(await profilesOf(access, ['i-1', 'i-2', 'i-3', 'i-4', 'i-0'])).toEqual([
      { node: 'i-1', profile: 'arn:p/1' },
      { node: 'i-2' },
      { node: 'i-3', profile: 'arn:p/3' },
      { node: 'i-4', profile: 'arn:p/4' },
    ]);
  });

  it('instances: 200 at a time, which is all that a filter of EC2 takes', async () => {
    const nodes = Array.from({ length: 401 }, (_, n) => `i-${n}`);
    const access = await region(
      {},
      {
        DescribeInstances(call) {
          const asked = listed(call, 'Filter.1.Value');
          if (asked.length > 200) return refused(call, 'FilterLimitExceeded');
          return ec2Reply(call, {
            reservationSet: [{ instancesSet: asked.map((instanceId) => ({ instanceId })) }],
          });
        },
      },
    );
    expect((await profilesOf(access, nodes)).map(({ node }) => node)).toEqual(nodes);
    expect(await profilesOf(access, [])).toEqual([]);
  });
});
