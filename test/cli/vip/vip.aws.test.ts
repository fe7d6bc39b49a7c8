// The registry from its front door, on the local AWS.
import { AssociateVpcCidrBlockCommand, CreateManagedPrefixListCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSts } from '../../../lab/aws/sts.ts';
import { documents, run } from '../front-door/command-line.ts';
import { type Region, startRegion } from '../region.ts';

let region: Region;
beforeAll(async () => {
  region = await startRegion();
  const secondary = { VpcId: region.vpc.vpcId, CidrBlock: '100.64.0.0/16' };
  await region.ec2.send(new AssociateVpcCidrBlockCommand(secondary));
});
afterAll(() => region?.stop());

const add = (...args: readonly string[]) => region.vipshift('vip', 'add', ...args, '--vpc', region.vpc.vpcId);

describe('vip add', () => {
  test('registers a VIP with what is found by its tag, in the VPC where that lies', async () => {
    const { eip, nodes, vpcId } = region.vpc;
    const args = ['--address', '192.168.255.10', '--address', 'FD77:7669:7073:0::10', '--eip', eip.publicIp];
    const ran = await region.vipshift('vip', 'add', 'web', ...args, '--json');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    const [told] = documents(ran.stdout);
    expect(told).toMatchObject({
      name: 'web',
      addresses: ['192.168.255.10/32', 'fd77:7669:7073::10/128'],
      eips: [eip.allocationId],
      vpc: vpcId,
      account: region.aws.accountId,
      tableLabels: ['web'],
      epoch: 0,
    });
    expect(told!.tables).toHaveLength(4);
    const vip = await region.vips.read('web');
    expect(vip?.members[nodes.a.instanceId]).toMatchObject({
      eni: nodes.a.serviceEni,
      eipEni: nodes.a.eipEni,
    });
    expect(vip).toMatchObject({ rev: 1, epoch: 0, hold: 'both' });
  });

  test.each([
    [
      'an address inside the VPC',
      ['in1', '--address', '10.0.99.9'],
      /is inside 10\.0\.0\.0\/16, a CIDR of vpc-/,
    ],
    [
      'one inside a secondary CIDR',
      ['in2', '--address', '100.64.3.3'],
      /100\.64\.0\.0\/16, a secondary CIDR of/,
    ],
    ['an address of another VIP', ['tw1', '--address', '192.168.255.10'], /belongs to VIP web/],
    ['EC2’s own range', ['re1', '--address', '169.254.169.254'], /reserved/],
    ['EC2’s own IPv6 range', ['re2', '--address', 'fd00:ec2::254'], /reserved by EC2/],
    ['multicast', ['re3', '--address', '224.0.0.18'], /multicast/],
    ['a range', ['ra1', '--address', '192.168.254.0/24'], /single address/],
    ['host bits', ['ra2', '--address', '192.168.254.7/24'], /host bits/],
    ['a public address', ['pu1', '--address', '198.51.100.7'], /--allow-public/],
    ['no address at all', ['no1'], /expected --address, --pool or --eip/],
    ['what is no address', ['ju1', '--address', '192.168.255.300'], /expected an IPv4 or IPv6 address/],
    ['a leading zero, octal to some', ['ju2', '--address', '192.168.255.010'], /expected an IPv4 or IPv6/],
    ['the same address twice', ['du1', '-a', '192.168.254.1', '-a', '192.168.254.1/32'], /given twice/],
    ['an unknown EIP', ['ei1', '--eip', 'eipalloc-00000000'], /not an Elastic IP/],
    [
      'a name that EC2’s filters would read otherwise',
      ['a*b', '--address', '192.168.254.1'],
      /^vipshift: a\*b/,
    ],
  ])('refuses %s and names the clash: nothing is written', async (_what, args, says) => {
    const ran = await add(...args);
    // Only what the VPC, the registry or EC2 says against it is a conflict; the rest is a wrong command line.
    const isConflict = /is inside|secondary CIDR|belongs to|not an Elastic IP/.test(says.source);
    expect(ran.status).toBe(isConflict ? 3 : 2);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toMatch(says);
    expect(ran.stderr).toMatch(/next: /);
    expect(await region.vips.read(args[0]!)).toBeUndefined();
  });

  test('takes a public address when it is told to', async () => {
    const ran = await add('pub', '--address', '198.51.100.7', '--allow-public', '--reason', 'ours by lease');
    expect(ran).toMatchObject({ status: 0 });
    expect(ran.stderr).toMatch(/no route table has its label yet: aws ec2 create-tags/);
  });

  test('refuses a name that is taken', async () => {
    const ran = await add('web', '--address', '192.168.255.77');
    expect(ran.status).toBe(3);
    expect(ran.stderr).toMatch(/web is already registered\n {2}next: vipshift vip show web/);
  });

  test('takes a managed prefix list, and refuses one that reaches into the VPC', async () => {
    const make = async (PrefixListName: string, Cidr: string) => {
      const command = new CreateManagedPrefixListCommand({
        PrefixListName,
        AddressFamily: 'IPv4',
        MaxEntries: 5,
        Entries: [{ Cidr }],
      });
      return (await region.ec2.send(command)).PrefixList!.PrefixListId!;
    };
    const outside = await make('outside', '192.168.180.0/28');
    const listed = await add('listed', '--address', outside);
    expect(listed.status).toBe(0);
    expect((await region.vips.read('listed'))?.addresses).toEqual([outside]);
    const inside = await add('listed-2', '--address', await make('inside', '10.0.7.0/28'));
    expect(inside.status).toBe(3);
    expect(inside.stderr).toMatch(/prefix list pl-\w+ 10\.0\.7\.0\/28 is inside 10\.0\.0\.0\/16/);
    const held = await add('listed-4', '--address', '192.168.180.3');
    expect(held.stderr).toMatch(
      /192\.168\.180\.3\/32 is in 192\.168\.180\.0\/28 of pl-\w+, which belongs to VIP listed/,
    );
    const within = await add('listed-5', '--address', await make('within', '192.168.180.8/29'));
    expect(within.stderr).toMatch(/is in 192\.168\.180\.0\/28 of pl-/);
    const drawn = await add('listed-6', '--pool', '192.168.180.0/27', '--json');
    expect(documents(drawn.stdout)[0]).toMatchObject({ addresses: ['192.168.180.16/32'] });
    const none = await add('listed-3', '--address', 'pl-00000000000000000');
    expect(none.stderr).toMatch(/pl-00000000000000000 does not exist/);
  });

  test('asks which VPC when no label tells', async () => {
    const ran = await region.vipshift('vip', 'add', 'lost', '--address', '192.168.250.1');
    expect(ran.status).toBe(2);
    expect(ran.stderr).toMatch(/which VPC\? nothing has its label yet\n {2}next: name it: --vpc/);
  });

  test('gives eight runs at once eight different addresses of a pool', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `pool-${i}`);
    const ran = await Promise.all(names.map((name) => add(name, '--pool', '192.168.200.0/28', '--json')));
    expect(ran.map((r) => r.status)).toEqual(names.map(() => 0));
    const given = ran.flatMap((r) => documents(r.stdout)[0]!.addresses as string[]);
    expect(new Set(given).size).toBe(8);
    expect([...given].sort()[0]).toBe('192.168.200.1/32');
  });

  test('refuses a pool inside the VPC by the CIDR', async () => {
    const ran = await add('pooled', '--pool', '10.0.7.0/24');
    expect(ran.status).toBe(3);
    expect(ran.stderr).toMatch(/pool 10\.0\.7\.0\/24 is inside 10\.0\.0\.0\/16, a CIDR of vpc-/);
  });

  test('refuses a VPC that another account shares, by the accounts', async () => {
    const sts = await startSts({ userIdOf: () => 'AROAOTHER:session', accountId: '999988887777' });
    try {
      const env = { ...region.env, AWS_ENDPOINT_URL_STS: sts.url };
      const args = ['vip', 'add', 'shared', '--address', '192.168.179.1', '--vpc', region.vpc.vpcId];
      const ran = await run(args, env);
      expect(ran.status).toBe(3);
      expect(ran.stderr).toMatch(/is shared by account 111122223333, and you are 999988887777/);
    } finally {
      await sts.stop();
    }
  });

  test('says when a pool is used up', async () => {
    const pool = ['--pool', '192.168.199.0/30'];
    expect((await add('last-1', ...pool)).status).toBe(0);
    expect((await add('last-2', ...pool)).status).toBe(0);
    const ran = await add('last-3', ...pool);
    expect(ran.status).toBe(3);
    expect(ran.stderr).toMatch(/no free address is left/);
  });
});

describe('vip list and show', () => {
  test('list all VIPs, one JSON document per line', async () => {
    const ran = await region.vipshift('vip', 'list', '--json');
    const names = documents(ran.stdout).map((d) => d.name as string);
    expect(names).toContain('web');
    expect([...names].sort()).toEqual(names);
    const table = await region.vipshift('vip', 'list');
    expect(table.stdout).toMatch(/^VIP +ADDRESSES/);
    expect(table.stdout).not.toMatch(/view\//);
  });

  test('show what was found by tag', async () => {
    const ran = await region.vipshift('vip', 'show', 'web');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    for (const node of [region.vpc.nodes.a, region.vpc.nodes.b])
      expect(ran.stdout).toContain(node.serviceEni);
    for (const table of region.vpc.tables) {
      if (table.labelled) expect(ran.stdout).toContain(table.routeTableId);
      else expect(ran.stdout).not.toContain(table.routeTableId);
    }
  });

  test('an unknown VIP is refused with the next thing to do', async () => {
    const ran = await region.vipshift('vip', 'show', 'nothere');
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toBe(
      'vipshift: there is no VIP nothere in the registry\n  next: vipshift vip list --stage dev --region eu-central-1 shows those there are\n',
    );
  });
});

describe('vip set', () => {
  test('changes what is named and keeps the rest, and says what stays behind in the tables', async () => {
    await add('cfg', '--address', '192.168.198.1');
    const change = ['vip', 'set', 'cfg', '--address', '192.168.198.2', '--hold', 'master'];
    const asked = await region.vipshift(...change);
    expect(asked).toMatchObject({ status: 2, stdout: '' });
    expect(asked.stderr).toMatch(
      /^192\.168\.198\.1\/32 no longer belongs to cfg: no failover moves it any more\n/,
    );
    expect((await region.vips.read('cfg'))?.addresses).toEqual(['192.168.198.1/32']);
    const ran = await region.vipshift(...change, '--yes');
    expect(ran.status).toBe(0);
    expect(ran.stdout).toBe('cfg addresses: 192.168.198.1/32 → 192.168.198.2/32\ncfg hold: both → master\n');
    expect(ran.stderr).toMatch(/routes to 192\.168\.198\.1\/32 stay where they are.*delete-route/);
    // The address is free for others again.
    expect((await add('cfg2', '--address', '192.168.198.1')).status).toBe(0);
  });

  test('refuses a clash and keeps the entry', async () => {
    const ran = await region.vipshift('vip', 'set', 'cfg', '--address', '192.168.198.1');
    expect(ran.status).toBe(3);
    expect(ran.stderr).toMatch(/belongs to VIP cfg2/);
    expect((await region.vips.read('cfg'))?.addresses).toEqual(['192.168.198.2/32']);
  });

  test('puts a VIP first where EC2’s request budget is short, shows it, and takes it back', async () => {
    const ran = await region.vipshift('vip', 'set', 'cfg', '--priority', 'first');
    expect(ran).toMatchObject({ status: 0, stdout: 'cfg priority: normal → first\n' });
    expect((await region.vips.read('cfg'))?.priority).toBe('first');
    expect((await region.vipshift('vip', 'show', 'cfg')).stdout).toMatch(/^priority +first, where EC2/m);
    expect((await region.vipshift('vip', 'list')).stdout).toMatch(/^cfg .* goes first/m);
    // What is not named stays.
    await region.vipshift('vip', 'set', 'cfg', '--hold', 'both');
    expect((await region.vips.read('cfg'))?.priority).toBe('first');
    const back = await region.vipshift('vip', 'set', 'cfg', '--priority', 'normal', '--json');
    expect(documents(back.stdout)[0]).not.toHaveProperty('priority');
    expect(await region.vips.read('cfg')).not.toHaveProperty('priority');
    expect((await region.vipshift('vip', 'set', 'cfg', '--priority', '1')).stderr).toMatch(
      /Allowed choices are first, normal/,
    );
  });

  test('without anything to set is a wrong command line', async () => {
    expect((await region.vipshift('vip', 'set', 'cfg')).status).toBe(2);
  });

  test('takes the EIPs away with --no-eip', async () => {
    expect((await region.vipshift('vip', 'set', 'web', '--no-eip')).stdout).toMatch(
      /web eips: eipalloc-\w+ → none/,
    );
    const back = await region.vipshift('vip', 'set', 'web', '--eip', region.vpc.eip.allocationId);
    expect(back.status).toBe(0);
  });
});

describe('vip remove', () => {
  test('asks for --force while tables have the label, and keeps the epoch over removal and return', async () => {
    const before = (await region.vips.read('web'))!;
    await region.vips.write(before, { ...before, epoch: 41, owner: region.vpc.nodes.a.instanceId });
    const asked = await region.vipshift('vip', 'remove', 'web');
    expect(asked.status).toBe(3);
    expect(asked.stderr).toMatch(/4 route tables still have the label of web.*--force/s);
    const done = await region.vipshift('vip', 'remove', 'web', '--force', '--reason', 'test');
    expect(done).toMatchObject({ status: 0, stdout: 'web is removed; its epoch 41 is kept\n' });
    expect(await region.vips.read('web')).toMatchObject({ epoch: 41, removedAtMs: expect.any(Number) });
    expect((await region.vipshift('vip', 'list', '--names')).stdout.split('\n')).not.toContain('web');
    const back = await region.vipshift('vip', 'add', 'web', '--address', '192.168.255.10');
    expect(back.stdout).toMatch(/goes on from epoch 41/);
    const again = await region.vips.read('web');
    expect(again).toMatchObject({ epoch: 41 });
    expect(again?.removedAtMs).toBeUndefined();
    expect(again?.owner).toBeUndefined();
  });
});

describe('the record', () => {
  test('records who changed the registry, when and why', async () => {
    const ran = await region.vipshift('timeline', 'web', '--kind', 'order', '--json');
    const orders = documents(ran.stdout).map((d) => d.order);
    expect(orders).toEqual(['add', 'set', 'set', 'remove', 'add']);
    expect(documents(ran.stdout)[3]).toMatchObject({
      by: expect.stringMatching(/^arn:aws:/),
      reason: 'test',
      before: { name: 'web' },
    });
  });
});
