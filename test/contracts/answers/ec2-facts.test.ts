// What registering and the doctor read from EC2, through the real SDK from an EC2 that filters as it is asked and gives one thing a
// page: every list to its last page, every form of what is judged, and what could not be read is told.
import { afterEach, describe, expect, it } from 'vitest';
import { aclsOf, groupFact, groupsIn, listsNamed, listsOf } from '../../../shared/aws/ec2/filter-facts.ts';
import { hostState } from '../../../shared/aws/ec2/instance-status.ts';
import { describeNetwork, once } from '../../../shared/aws/ec2/network-facts.ts';
import { eipsFound, vpcSeen } from '../../../shared/aws/ec2/vpc.ts';
import { hostsOf } from '../../../shared/aws/iam/hosts.ts';
import { newVip } from '../../../shared/vip/vip.ts';
import { ec2Lists, type Thing } from '../../support/aws/ec2.ts';
import { type Endpoint, ec2Reply, listed, refused, type Tree } from '../../support/aws/endpoint.ts';
import {
  attached,
  type Calls,
  eip,
  eni,
  type Fields,
  OWNER,
  startRegion,
  TAG,
  table,
} from '../../support/aws/region.ts';
import { entry, memberOf, START } from '../../support/world.ts';

let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.stop());
async function region(...given: Parameters<typeof startRegion>) {
  const started = await startRegion(...given);
  endpoint = started.endpoint;
  return started.access;
}

describe('a VPC', () => {
  const vpcIs = (more: Fields): Calls => ({
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
      by: { 'vpc-id': groupId === 'sg-other' ? 'vpc-2' : 'vpc-1' },
      is: { groupId, ipPermissions, ipPermissionsEgress: [{ ipProtocol: '-1' }] },
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
    const egress = [{ ...none, protocol: '-1' }];
    const found = await groupsIn(access, 'vpc-1');
    expect(listsNamed(found)).toEqual(['pl-1', 'pl-0']);
    const lists = await listsOf(access, ['pl-1', 'pl-0']);
    expect(found.map((one) => groupFact(one, lists))).toEqual([
      {
        ...{ group: 'sg-1', egress },
        ingress: [
          {
            ...{ protocol: '6', fromPort: 80, toPort: 443, groups: ['sg-9'] },
            cidrs: ['10.0.0.0/8', '192.168.0.0/16', '2001:db8::/32', '172.16.0.0/12'],
          },
        ],
      },
      {
        ...{ group: 'sg-2', egress },
        ingress: [
          { ...none, protocol: '112', cidrs: ['0.0.0.0/0'] },
          { ...none, protocol: '1', fromPort: -1, toPort: -1 },
          { ...none, protocol: '58' },
          { ...none, protocol: '-1' },
        ],
      },
      { group: 'sg-3', ingress: [], egress },
    ]);
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
    DescribeSecurityGroups: ['sg-1', 'sg-2', 'sg-of-no-node'].map((groupId) =>
      inVpc({
        groupId,
        ipPermissions: [{ ipProtocol: '-1', prefixListIds: [{ prefixListId: `pl-${groupId}` }] }],
      }),
    ),
    DescribeVpcEndpoints: [
      ['vpce-1', 'com.amazonaws.eu-central-1.events', 'Interface'],
      ['vpce-2', 'com.amazonaws.eu-central-1.s3', 'Gateway'],
      ['vpce-3', 'com.amazonaws.eu-west-1.events', 'Interface'],
    ].map(([vpcEndpointId, serviceName, vpcEndpointType]) =>
      inVpc({
        ...{ vpcEndpointId, serviceName, vpcEndpointType, state: 'available', privateDnsEnabled: true },
        ...{ groupSet: [{ groupId: 'sg-2' }], networkInterfaceIdSet: ['eni-9'] },
      }),
    ),
    DescribeNatGateways: [
      inVpc({ natGatewayId: 'nat-1', state: 'available', subnetId: 'subnet-9', connectivityType: 'public' }),
      inVpc({ natGatewayId: 'nat-2', state: 'failed', subnetId: 'subnet-9', connectivityType: 'private' }),
    ],
    DescribeTags: [
      ['subnet-1', 'subnet', TAG],
      ['eni-1', 'network-interface', TAG],
      ['i-a', 'instance', TAG],
      ['subnet-2', 'subnet', 'Name'],
    ].map(([resourceId, resourceType, key]) => ({
      by: { key: key! },
      is: { resourceId, resourceType, key, value: 'web' },
    })),
    DescribeAvailabilityZones: [
      { by: {}, is: { zoneName: 'eu-central-1a', groupName: 'g', networkBorderGroup: 'eu-central-1' } },
    ],
    GetManagedPrefixListEntries: [{ by: { 'prefix-list-id': 'pl-01234567' }, is: { cidr: '192.0.2.0/28' } }],
  };
  const vpc: Calls = {
    DescribeVpcs: (call) =>
      ec2Reply(call, { vpcSet: [{ vpcId: 'vpc-1', ownerId: OWNER, cidrBlock: '10.0.0.0/16' }] }),
    DescribeVpcAttribute: (call) =>
      ec2Reply(call, {
        [String(call.parameters.Attribute)]: { value: String(call.parameters.VpcId === 'vpc-1') },
      }),
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
    const { facts, everything, unchecked } = await describeNetwork(await region(things, vpc), query);
    expect(unchecked).toEqual([]);
    const { vip: _vip, seen: _seen, enis, tables, ...rest } = facts;
    expect(rest).toEqual({
      ...{ tag: TAG, caller: OWNER, vpc: { vpc: 'vpc-1', account: OWNER, cidrs: ['10.0.0.0/16'] } },
      groups: ['sg-1', 'sg-2'].map((group) => ({
        group,
        ingress: [{ protocol: '-1', cidrs: [], groups: [] }],
        egress: [],
      })),
      acls: [{ acl: 'acl-1', subnets: [], rules: [] }],
      eips: [
        {
          eip: 'eipalloc-1',
          found: { label: 'web', eni: 'eni-3' },
        },
        { eip: 'eipalloc-0' },
      ],
      prefixLists: new Map([['pl-01234567', ['192.0.2.0/28']]]),
      subnets: new Map(['subnet-1', 'subnet-2', 'subnet-4', 'subnet-3'].map((id) => [id, []])),
      borderGroups: new Map([['eu-central-1a', 'eu-central-1']]),
      way: {
        region: 'eu-central-1',
        endpoints: [
          ...[
            {
              ...{ endpoint: 'vpce-1', service: 'events', state: 'available', privateDns: true },
              ...{ groups: ['sg-2'], enis: ['eni-9'] },
            },
          ],
        ],
        nats: [
          { nat: 'nat-1', state: 'available', subnet: 'subnet-9', isPublic: true },
          { nat: 'nat-2', state: 'failed', subnet: 'subnet-9', isPublic: false },
        ],
        dns: true,
        dnsSupport: true,
      },
    });
    const bare = {
      ...{ primary: false, sourceDestCheck: true, subnet: '', address: '', groups: [] },
      ...{ hasPublic: false, ipv6: [] },
    };
    expect(everything.tagged).toEqual([{ id: 'subnet-1', kind: 'subnet', value: 'web' }]);
    expect(everything.enis.map((one) => one.eni).sort()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `eni-${n}`));
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
          { destination: '10.9.0.0/16', target: 'tgw-1', state: 'active' },
          { destination: '2001:db8::/32', target: 'pcx-1', state: 'active' },
          { destination: '0.0.0.0/0', target: 'nat-1', state: 'active' },
          { destination: '10.8.0.0/16', target: 'eni-x', state: 'active' },
          { destination: '10.7.0.0/16', target: 'vgw-1', state: 'active' },
          { destination: '10.6.0.0/16', target: 'arn', state: 'active' },
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
    ['DescribeVpcEndpoints', 'the way out of the VPC'],
    ['DescribeNatGateways', 'the way out of the VPC'],
    ['DescribeVpcAttribute', 'the way out of the VPC'],
    ['DescribeTags', 'tags'],
    ['DescribeAvailabilityZones', 'zones'],
    ['GetManagedPrefixListEntries', 'prefix lists'],
  ])('says what it could not look up where %s is denied, and looks up the rest', async (action, what) => {
    const access = await region(things, {
      ...vpc,
      [action]: (call) => refused(call, 'UnauthorizedOperation'),
    });
    const { unchecked } = await describeNetwork(access, query);
    expect(unchecked.at(-1)).toEqual({ what, why: expect.stringContaining('UnauthorizedOperation') });
    expect(unchecked.slice(0, -1).map((one) => one.what)).toEqual(
      action === 'GetManagedPrefixListEntries' ? ['prefix lists in security groups'] : [],
    );
  });

  it('fails where the VPC itself cannot be looked up, and says where there is none', async () => {
    const denied = await region(things, { DescribeVpcs: (call) => refused(call, 'UnauthorizedOperation') });
    await expect(describeNetwork(denied, query)).rejects.toMatchObject({ kind: 'denied' });
    await endpoint!.stop();
    const none = await region(things, {
      ...vpc,
      DescribeVpcs: (call) => refused(call, 'InvalidVpcID.NotFound'),
    });
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
      1, 1, 1,
    ]);
  });

  it('instances: the profile of each that is there, of every page and every reservation', async () => {
    const instance = (instanceId: string, more: Fields = {}): Tree => ({
      instanceId,
      instanceState: { name: 'running' },
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
    expect(await hostsOf(access, ['i-1', 'i-2', 'i-3', 'i-4', 'i-0'])).toEqual([
      { node: 'i-1', state: 'running', profile: 'arn:p/1' },
      { node: 'i-2', state: 'running' },
      { node: 'i-3', state: 'running', profile: 'arn:p/3' },
      { node: 'i-4', state: 'running', profile: 'arn:p/4' },
    ]);
  });

  it('the state of an instance, whatever it is; none of one that EC2 does not show', async () => {
    const states: Readonly<Record<string, string>> = {
      'i-1': 'running',
      'i-2': 'stopped',
      'i-3': 'terminated',
    };
    const access = await region(
      {},
      {
        DescribeInstanceStatus(call) {
          const [id = ''] = listed(call, 'InstanceId');
          // EC2 API reference: without IncludeAllInstances only running ones are shown.
          const isAll = call.parameters.IncludeAllInstances === 'true';
          if (id === 'i-gone') return refused(call, 'InvalidInstanceID.NotFound');
          if (id === 'i-denied') return refused(call, 'UnauthorizedOperation');
          const name = states[id];
          const isShown = name !== undefined && (isAll || name === 'running');
          const others = [{ instanceId: 'i-other', instanceState: { name: 'pending' } }];
          return ec2Reply(call, {
            instanceStatusSet: isShown ? [...others, { instanceId: id, instanceState: { name } }] : others,
          });
        },
      },
    );
    const ec2 = { ...access, writer: access.reader, tag: 'vipshift:dev', clock: {} as never };
    for (const [node, state] of Object.entries(states)) expect(await hostState(ec2, node)).toBe(state);
    expect(await hostState(ec2, 'i-gone')).toBeUndefined();
    expect(await hostState(ec2, 'i-unknown')).toBeUndefined();
    await expect(hostState(ec2, 'i-denied')).rejects.toMatchObject({ kind: 'denied' });
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
    expect((await hostsOf(access, nodes)).map(({ node }) => node)).toEqual(nodes);
    expect(await hostsOf(access, [])).toEqual([]);
  });
});
