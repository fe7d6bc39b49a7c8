import { EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, test } from 'vitest';
import { awsEc2 } from '../../../shared/aws/ec2/ec2.ts';
import {
  type EniSeen,
  isAddress,
  membersSeen,
  type Observation,
  sameView,
  strays,
  tablesOf,
} from '../../../shared/network/observation.ts';
import { durationMs, plus } from '../../../shared/time.ts';
import { MEMBERS_MAX } from '../../../shared/vip/member.ts';
import { ACCOUNT, addNode, addTable, entry, memberOf, VPC, type World, world } from '../../support/world.ts';

const look = (w: World): Promise<Observation> => w.ec2.observe(entry);
const changeEni = (w: World, eni: string, over: Partial<EniSeen>) =>
  w.ec2.enis.set(eni, { ...w.ec2.enis.get(eni)!, ...over });
const changeTable = (w: World, table: string, over: object) =>
  w.ec2.tables.set(table, { ...w.ec2.tables.get(table)!, ...over });

describe('scope', () => {
  test('only labelled tables are seen, in the order of their ids', async () => {
    const w = world();
    addTable(w.ec2, 'rtb-0', 'web');
    const ids = tablesOf(entry, await look(w)).map((t) => t.table);
    expect(ids).toEqual(['rtb-0', 'rtb-1', 'rtb-2', 'rtb-3', 'rtb-4']);
  });

  test('a labelled table in another VPC or account, or of a gateway, is a stray with its reason', async () => {
    const w = world();
    changeTable(w, 'rtb-1', { vpc: 'vpc-2' });
    changeTable(w, 'rtb-2', { account: '444455556666' });
    changeTable(w, 'rtb-3', { edge: true });
    const seen = await look(w);
    expect(tablesOf(entry, seen).map((t) => t.table)).toEqual(['rtb-4']);
    expect(strays(entry, seen)).toEqual([
      { id: 'rtb-1', kind: 'elsewhere', why: `is in vpc-2, expected ${VPC}` },
      { id: 'rtb-2', kind: 'elsewhere', why: `belongs to account 444455556666, expected ${ACCOUNT}` },
      {
        id: 'rtb-3',
        kind: 'edge',
        why: 'is associated with a gateway, which takes no route to outside the VPC',
      },
    ]);
  });

  test('a labelled ENI elsewhere is a stray and makes no one a member', async () => {
    const w = world();
    changeEni(w, 'eni-i-a-service', { vpc: 'vpc-2' });
    const seen = await look(w);
    expect(Object.keys(membersSeen(entry, seen, {}))).toEqual(['i-b']);
    expect(strays(entry, seen).map((s) => s.id)).toEqual(['eni-i-a-service']);
  });
});

describe('an address', () => {
  test.each([
    ['192.168.255.10/32', true],
    ['fd77::10/128', true],
    ['pl-0123', true],
    ['10.0.0.0/16', false],
    ['10.0.0.0/321', false],
    ['fd77::/64', false],
    ['eni-pl-1', false],
  ])('of a VIP is one address or a prefix list: %s, %s', (destination, is) => {
    expect(isAddress(destination)).toBe(is);
  });
});

describe('strays', () => {
  test('are told once: a gateway’s table of another VPC is one that is elsewhere', async () => {
    const w = world();
    changeTable(w, 'rtb-1', { vpc: 'vpc-2', edge: true });
    expect(strays(entry, await look(w)).map(({ id, kind }) => [id, kind])).toEqual([['rtb-1', 'elsewhere']]);
  });

  test(`are the nodes beyond ${MEMBERS_MAX} with the label for service, counted by node`, async () => {
    const nodes = Array.from({ length: MEMBERS_MAX }, (_, n) => `i-${n}`);
    const w = world(nodes);
    addNode(w.ec2, 'i-elsewhere');
    changeEni(w, 'eni-i-elsewhere-service', { vpc: 'vpc-2', label: 'web' });
    changeEni(w, 'eni-i-elsewhere-eip', { vpc: 'vpc-2' });
    const { node, ...loose } = w.ec2.enis.get('eni-i-0-service')!;
    w.ec2.enis.set('eni-more', { ...loose, node: node!, eni: 'eni-more' });
    w.ec2.enis.set('eni-loose', { ...loose, eni: 'eni-loose' });
    const crowded = async () => strays(entry, await look(w)).filter((s) => s.kind === 'crowded');
    expect(await crowded()).toEqual([]);
    addNode(w.ec2, 'i-more');
    expect(await crowded()).toEqual([
      {
        ...{ id: 'label web', kind: 'crowded' },
        why: 'is on 17 nodes, expected at most 16: the latest of them are not members',
      },
    ]);
  });
});

describe('members', () => {
  test('are the nodes with a labelled ENI, each with the ENI for its EIPs', async () => {
    expect(membersSeen(entry, await look(world()), {})).toEqual({
      'i-a': memberOf('i-a'),
      'i-b': memberOf('i-b'),
    });
  });

  test('an ENI that is attached to nothing makes no one a member', async () => {
    const w = world();
    const { node: _node, ...loose } = w.ec2.enis.get('eni-i-a-service')!;
    w.ec2.enis.set('eni-i-a-service', loose);
    expect(Object.keys(membersSeen(entry, await look(w), {}))).toEqual(['i-b']);
  });

  test('without an ENI of their own EIPs go to the service ENI, but never to the primary one', async () => {
    const w = world();
    w.ec2.enis.delete('eni-i-a-eip');
    w.ec2.enis.delete('eni-i-b-eip');
    changeEni(w, 'eni-i-b-service', { primary: true });
    const members = membersSeen(entry, await look(w), {});
    expect(members['i-a']?.eipEni).toBe('eni-i-a-service');
    expect(members['i-b']?.eipEni).toBeUndefined();
  });

  test('of two labelled ENIs the known one stays, else the lower id: a faulty set-up must not make the VIP wander', async () => {
    const w = world(['i-a']);
    w.ec2.enis.set('eni-0', { ...w.ec2.enis.get('eni-i-a-service')!, eni: 'eni-0' });
    const seen = await look(w);
    expect(membersSeen(entry, seen, {})['i-a']?.eni).toBe('eni-0');
    expect(membersSeen(entry, seen, { 'i-a': memberOf('i-a') })['i-a']?.eni).toBe('eni-i-a-service');
    const turned = { ...seen, enis: seen.enis.toReversed() };
    expect(membersSeen(entry, turned, {})['i-a']?.eni, 'in whatever order they come').toBe('eni-0');
  });

  test(`are at most ${MEMBERS_MAX}, the rest left out by id`, async () => {
    const w = world([]);
    for (let n = 0; n <= MEMBERS_MAX; n++) addNode(w.ec2, `i-${String(n).padStart(2, '0')}`);
    const members = membersSeen(entry, await look(w), {});
    expect(Object.keys(members)).toHaveLength(MEMBERS_MAX);
    expect(members[`i-${MEMBERS_MAX}`]).toBeUndefined();
  });

  test('are left out by the id of the node, whatever the ids of their ENIs', async () => {
    const w = world([]);
    for (let n = 0; n <= MEMBERS_MAX; n++) {
      const node = `i-${String(n).padStart(2, '0')}`;
      addNode(w.ec2, node);
      const eni = w.ec2.enis.get(`eni-${node}-service`)!;
      w.ec2.enis.delete(eni.eni);
      w.ec2.enis.set(`eni-${99 - n}`, { ...eni, eni: `eni-${99 - n}` });
    }
    expect(membersSeen(entry, await look(w), {})).not.toHaveProperty(`i-${MEMBERS_MAX}`);
  });

  test('a VIP may name other labels than its own name', async () => {
    const w = world();
    addNode(w.ec2, 'i-c', 'edge');
    const named = { ...entry, nodeLabels: ['edge'] };
    expect(membersSeen(named, await w.ec2.observe(named), {})).toEqual({ 'i-c': memberOf('i-c') });
  });
});

describe('two views', () => {
  test('are the same when only their times differ, and differ when a route does', async () => {
    const w = world();
    const seen = await look(w);
    const later = { ...seen, beganAtMs: plus(seen.beganAtMs, durationMs(60_000)) };
    expect(sameView(later, seen)).toBe(true);
    addTable(w.ec2, 'rtb-5', 'web');
    expect(sameView(await look(w), seen)).toBe(false);
    expect(sameView(undefined, seen)).toBe(false);
  });

  test.each([
    [1, 2],
    [true, false],
    ['ab', 'cd'],
    [null, {}],
    [0, []],
    [undefined, {}],
  ])('differ when a field is %j in one and %j in the other', async (one, other) => {
    const seen = await look(world());
    const having = (x: unknown) => ({ ...seen, eips: [{ ...seen.eips[0]!, x }] });
    expect([sameView(having(one), having(other)), sameView(having(other), having(one))]).toEqual([
      false,
      false,
    ]);
    expect([sameView(having(one), having(one)), sameView(having(other), having(other))]).toEqual([
      true,
      true,
    ]);
  });

  test('differ when a field is gone, has come, or is another one of the same number', async () => {
    const seen = await look(world());
    const { publicAddress, ...bare } = seen.eips[0]!;
    const views = [{ ...bare }, { ...seen.eips[0]!, eni: 'eni-x' }, { ...bare, other: publicAddress }].map(
      (eip) => ({ ...seen, eips: [eip] as unknown as typeof seen.eips }),
    );
    for (const view of views) expect([sameView(view, seen), sameView(seen, view)]).toEqual([false, false]);
    expect(sameView({ ...seen, eips: [{ ...bare, publicAddress }] }, seen)).toBe(true);
  });
});

describe('what EC2 answers', () => {
  const TAGS = [{ Key: 'vipshift:test', Value: 'web:eip' }];
  const address = (last: number, association?: object) => ({
    PrivateIpAddress: `10.0.2.${last}`,
    Primary: last === 10,
    ...(association === undefined ? {} : { Association: association }),
  });
  const eni = {
    NetworkInterfaceId: 'eni-1',
    VpcId: VPC,
    OwnerId: ACCOUNT,
    TagSet: TAGS,
    Attachment: { InstanceId: 'i-a', DeviceIndex: 0 },
    PrivateIpAddresses: [
      address(11, { PublicIp: '203.0.113.9', AllocationId: 'eipalloc-9' }),
      address(12),
      address(10, { PublicIp: '198.51.100.7', IpOwnerId: 'amazon' }),
    ],
  };
  const answers: Readonly<Record<string, object>> = {
    DescribeNetworkInterfacesCommand: { NetworkInterfaces: [eni] },
    DescribeRouteTablesCommand: { RouteTables: [] },
    DescribeAddressesCommand: { Addresses: [] },
  };

  /** The SDK's client, answering by itself before anything is sent. */
  function answering(): EC2Client {
    const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
    const client = new EC2Client({ region: 'eu-central-1', credentials });
    client.middlewareStack.add(
      (_next, context) => () => {
        const output = { $metadata: {}, ...answers[context.commandName!] };
        return Promise.resolve({ response: {}, output: output as never });
      },
      { step: 'initialize' },
    );
    return client;
  }

  test('a public address that AWS assigned takes its private address, as a foreign EIP does: it must not be thrown off', async () => {
    const reader = answering();
    const { signal } = new AbortController();
    const access = { reader, writer: reader, tag: 'vipshift:test', clock: world().clock, signal };
    const seen = await awsEc2(access).observe(entry);
    expect(seen.enis[0]).toMatchObject({
      node: 'i-a',
      primary: true,
      label: 'web:eip',
      sourceDestCheck: true,
    });
    expect(seen.enis[0]!.addresses).toEqual([
      { privateAddress: '10.0.2.10', eip: '198.51.100.7' },
      { privateAddress: '10.0.2.11', eip: 'eipalloc-9' },
      { privateAddress: '10.0.2.12' },
    ]);
  });
});
