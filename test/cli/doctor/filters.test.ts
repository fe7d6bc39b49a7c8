// The doctor's remedies where there is a choice: under which number a rule lets VRRP through a network ACL, and which group
// and range are opened; and a labelled table of another account, which no local AWS has.
import { EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, test } from 'vitest';
import { describeNetwork, once } from '../../../shared/aws/ec2/network-facts.ts';
import { shadowFindings } from '../../../shared/doctor/addresses.ts';
import { bucketFindings, loadSentence } from '../../../shared/doctor/capacity.ts';
import type { AclRule, EniFact, FilterRule, NetworkFacts } from '../../../shared/doctor/facts.ts';
import { aclFindings } from '../../../shared/doctor/packets/acls.ts';
import { filterFindings } from '../../../shared/doctor/packets/groups.ts';
import { tableFindings } from '../../../shared/doctor/tables.ts';
import { rates } from '../../../shared/rate-limit/local-bucket.ts';
import { epochMs } from '../../../shared/time.ts';
import { newVip } from '../../../shared/vip/vip.ts';
import { entry } from '../../support/world.ts';

const eni = (node: string, zone: string, groups = ['sg-1']): EniFact => ({
  eni: `eni-${node}`,
  node,
  primary: true,
  label: 'web',
  sourceDestCheck: false,
  subnet: `subnet-${zone}`,
  address: zone === 'a' ? '10.0.1.10' : '10.0.2.10',
  groups,
});
const member = (node: string, zone: string) => ({ node, eni: `eni-${node}`, zone });

const facts = (over: Partial<NetworkFacts> = {}): NetworkFacts => ({
  vip: { ...newVip(entry), members: { 'i-a': member('i-a', 'a'), 'i-b': member('i-b', 'b') } },
  tag: 'vipshift:prod',
  place: { stage: 'prod' },
  vpc: { vpc: entry.vpc, account: entry.account, cidrs: ['10.0.0.0/16'] },
  seen: { source: 'ec2', beganAtMs: epochMs(0), endedAtMs: epochMs(0), enis: [], eips: [], tables: [] },
  enis: [eni('i-a', 'a'), eni('i-b', 'b')],
  tables: [],
  groups: [],
  acls: [],
  eips: [],
  prefixLists: new Map(),
  ...over,
});

const nodes = ['i-a', 'i-b'];

const rule = (number: number, allow: boolean, over: Partial<AclRule> = {}): AclRule => ({
  protocol: '-1',
  cidrs: ['0.0.0.0/0'],
  groups: [],
  number,
  allow,
  egress: false,
  ...over,
});
const out = rule(100, true, { egress: true });
const remedyOf = (...rules: readonly AclRule[]) =>
  aclFindings(
    facts({ acls: [{ acl: 'acl-1', subnets: ['subnet-a', 'subnet-b'], rules: [out, ...rules] }] }),
    [],
    nodes,
  ).map((f) => f.remedy);

describe('a network ACL', () => {
  test('that lets everything through is right, whatever follows', () => {
    expect(remedyOf(rule(100, true), rule(200, false))).toEqual([]);
  });
  test('without a rule gets one', () => {
    expect(remedyOf()).toEqual([
      'aws ec2 create-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 50 --protocol 112 --rule-action allow --cidr-block 10.0.0.0/16',
    ]);
  });
  test('that drops it early gets a rule before that one, under a number that is free', () => {
    expect(remedyOf(rule(10, false), rule(9, false, { protocol: '6' }), rule(100, true))[0]).toMatch(
      /--rule-number 8 /,
    );
  });
  test('whose very first rule drops it has to lose that one', () => {
    expect(remedyOf(rule(1, false), rule(100, true))).toEqual([
      'aws ec2 delete-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 1',
    ]);
  });
});

describe('security groups', () => {
  const allow = (over: Partial<FilterRule>): FilterRule => ({
    protocol: '-1',
    cidrs: [],
    groups: [],
    ...over,
  });
  const egress = [allow({ cidrs: ['0.0.0.0/0'] })];
  const ports = [
    { protocol: 'tcp', port: 443 },
    { protocol: 'udp', port: 53 },
  ] as const;
  test('nodes with one group are one finding, which one rule repairs; each port that is shut is opened', () => {
    const open = [
      {
        group: 'sg-1',
        ingress: [allow({ protocol: '6', fromPort: 443, toPort: 443, cidrs: ['10.0.0.0/16'] })],
        egress,
      },
    ];
    expect(filterFindings(facts({ groups: open }), ports, nodes)).toMatchObject([
      {
        check: 'group-vrrp',
        subject: 'i-a, i-b',
        remedy:
          'aws ec2 authorize-security-group-ingress --group-id sg-1 --protocol 112 --port -1 --source-group sg-1',
      },
      {
        check: 'group-service',
        subject: 'eni-i-a, eni-i-b',
        remedy:
          'aws ec2 authorize-security-group-ingress --group-id sg-1 --protocol udp --port 53 --cidr 10.0.0.0/16',
      },
    ]);
  });
  test('of one node alone: what is between it and the others, and nothing of them', () => {
    const enis = [eni('i-a', 'a', ['sg-a']), eni('i-b', 'b', ['sg-b'])];
    const shut = ['sg-a', 'sg-b'].map((group) => ({ group, ingress: [], egress }));
    const found = filterFindings(facts({ enis, groups: shut }), [{ protocol: 'tcp', port: 443 }], ['i-b']);
    expect(found.map(({ check, subject }) => [check, subject])).toEqual([
      ['group-vrrp', 'i-a'],
      ['group-vrrp', 'i-b'],
      ['group-service', 'eni-i-b'],
    ]);
  });
  test('a peer that is let in by its group is heard; the other way round has to be opened by itself', () => {
    const enis = [eni('i-a', 'a', ['sg-a']), eni('i-b', 'b', ['sg-b'])];
    const groups = [
      { group: 'sg-a', ingress: [allow({ protocol: '112', groups: ['sg-b'] })], egress },
      { group: 'sg-b', ingress: [], egress },
    ];
    const found = filterFindings(facts({ enis, groups }), [], nodes).filter((f) => f.check === 'group-vrrp');
    expect(found).toMatchObject([
      { subject: 'i-b', remedy: expect.stringMatching(/--group-id sg-b .*--source-group sg-a$/) },
    ]);
  });
});

describe('a visit to many VIPs of one VPC', () => {
  test('asks EC2 once for what they share: its Describe bucket is the controller’s, too', async () => {
    const asked = new Map<string, number>();
    const reader = new EC2Client({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    reader.middlewareStack.add(
      (_next, { commandName = '' }) =>
        () => {
          asked.set(commandName, (asked.get(commandName) ?? 0) + 1);
          return Promise.resolve({ output: { $metadata: {} }, response: {} });
        },
      { step: 'initialize' },
    );
    const access = { reader, signal: new AbortController().signal };
    const remember = once();
    for (let i = 0; i < 20; i++)
      await describeNetwork(
        access,
        {
          vip: { ...facts().vip, name: `v${i}` },
          seen: facts().seen,
          tag: 'vipshift:prod',
          caller: undefined,
        },
        remember,
      );
    expect(Object.fromEntries(asked)).toMatchObject({
      DescribeVpcsCommand: 1,
      DescribeRouteTablesCommand: 1,
      DescribeSubnetsCommand: 1,
      DescribeNetworkAclsCommand: 1,
      DescribeVpcEndpointsCommand: 1,
      DescribeNatGatewaysCommand: 1,
      DescribeVpcAttributeCommand: 2,
      DescribeNetworkInterfacesCommand: 2,
      DescribeAddressesCommand: 1,
      DescribeTagsCommand: 1,
    });
  });
});

describe('the request budget', () => {
  const vips = Array.from({ length: 37 }, (_, n) => `web-${n}`);
  const load = { zone: 'eu-central-1a', vips, routes: 222, eips: 0 };
  test('is the account’s own where AWS Support has granted more', () => {
    const granted = { ...rates, ReplaceRoute: { burst: 300, perSecond: 30 } };
    expect(bucketFindings([load], granted)).toEqual([]);
    expect(loadSentence(load, granted)).toBe('if eu-central-1a fails: 37 VIPs, 222 calls, done in 1 s');
    expect(loadSentence(load)).toBe('if eu-central-1a fails: 37 VIPs, 222 calls, done in 35 s');
  });
});

describe('what is not this VIP’s', () => {
  test('a labelled table of another account is named, with the tag to take away', () => {
    const table = { table: 'rtb-9', vpc: entry.vpc, account: '999988887777', edge: false, routes: {} };
    const seen = { ...facts().seen, tables: [table] };
    expect(tableFindings(facts({ seen }))).toMatchObject([
      {
        check: 'table-elsewhere',
        subject: 'rtb-9',
        found: expect.stringMatching(/belongs to account 999988887777/),
        remedy: 'aws ec2 delete-tags --resources rtb-9 --tags Key=vipshift:prod',
      },
    ]);
  });
  test('a default route, the VIP’s own and another range say nothing about its address', () => {
    const outward = ['0.0.0.0/0', entry.addresses[0]!, '172.16.0.0/12'].map((destination) => ({
      destination,
      target: 'tgw-1',
      state: 'active',
    }));
    const table = { table: 'rtb-1', main: false, subnets: [], implicitSubnets: [], outward };
    expect(shadowFindings(facts({ tables: [table] }))).toEqual([]);
  });
});
