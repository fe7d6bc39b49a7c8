// `apply` and `vip adopt` from the front door, on the local AWS.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateRouteCommand, DeleteTagsCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documents, run } from '../front-door/command-line.ts';
import { type Region, startRegion } from '../region.ts';
import { historyOf } from '../timeline/history.ts';

let region: Region;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vipshift-apply-'));
  region = await startRegion();
});
afterAll(async () => {
  await region?.stop();
  await rm(folder, { recursive: true, force: true });
});

const file = async (text: string): Promise<string> => {
  const path = join(folder, 'vips.yaml');
  await writeFile(path, text.replaceAll('VPC', region.vpc.vpcId));
  return path;
};
const two = `
vips:
  web:
    addresses: [192.168.255.10, "fd77:7669:7073::10"]
  dns:
    vpc: VPC
    pool: 192.168.254.0/24
    tableLabels: [web]
    hold: master
    priority: first
`;

describe('apply', () => {
  test('shows the difference first: with --dry-run nothing is written, and the status tells', async () => {
    const ran = await region.vipshift('apply', await file(two), '--dry-run');
    expect(ran.status).toBe(1);
    expect(ran.stdout).toMatch(/^\+ web\n {4}addresses: 192\.168\.255\.10\/32, fd77:7669:7073::10\/128\n/);
    expect(ran.stdout).toMatch(/\+ dns\n[^+]*addresses: and the next free one of the pool/);
    expect(await region.vips.list()).toEqual([]);
  });

  test('asks, and without a terminal refuses to guess', async () => {
    const ran = await region.vipshift('apply', await file(two));
    expect(ran.status).toBe(2);
    expect(ran.stderr).toMatch(/stdin is not a terminal\n {2}next: say --yes/);
    expect(await region.vips.list()).toEqual([]);
  });

  test('makes the registry match the file, and a second run finds nothing to do', async () => {
    const path = await file(two);
    expect(await region.vipshift('apply', path, '--yes')).toMatchObject({ status: 0 });
    expect(await region.vips.read('web')).toMatchObject({
      addresses: ['192.168.255.10/32', 'fd77:7669:7073::10/128'],
    });
    expect(await region.vips.read('dns')).toMatchObject({
      addresses: ['192.168.254.1/32'],
      tableLabels: ['web'],
      hold: 'master',
      priority: 'first',
    });
    const again = await region.vipshift('apply', path, '--dry-run');
    expect(again).toMatchObject({
      status: 0,
      stdout: '',
      stderr: 'No changes: the registry already matches the file\n',
    });
  });

  test('moves an address from one VIP to another in one run: the loser goes first', async () => {
    const moved = two
      .replace('[192.168.255.10, "fd77:7669:7073::10"]', '["fd77:7669:7073::10"]')
      .replace('    hold: master\n    priority: first', '    addresses: [192.168.255.10]');
    const ran = await region.vipshift('apply', await file(moved), '--yes', '--json');
    expect(ran.status).toBe(0);
    expect(documents(ran.stdout)).toMatchObject([
      { vip: 'web', change: 'set', differences: [{ field: 'addresses' }] },
      {
        vip: 'dns',
        change: 'set',
        differences: [
          { field: 'addresses' },
          { field: 'hold', to: 'both' },
          { field: 'priority', from: 'first', to: 'normal' },
        ],
      },
      { summary: true, changes: 2, done: 2, failed: [], left: [] },
    ]);
    expect((await region.vips.read('dns'))?.addresses).toEqual(['192.168.255.10/32', '192.168.254.1/32']);
  });

  test('leaves what the file does not name, unless --prune; reads the file from stdin', async () => {
    const one = 'vips:\n  web:\n    addresses: ["fd77:7669:7073::10"]\n';
    const kept = await run(['apply', '-', '--yes'], region.env, { stdin: one });
    expect(kept).toMatchObject({ status: 0, stdout: '' });
    expect(kept.stderr).toMatch(/in the registry and not in the file, left alone \(--prune removes\): dns/);
    // Its tables are those of web, which stays: there is no label to take away.
    const ran = await run(['apply', '-', '--yes', '--prune'], region.env, { stdin: one });
    expect(ran).toMatchObject({ status: 0, stdout: '- dns\n' });
    expect(ran.stderr).toMatch(/^dns: label web stays: VIP web uses it$/m);
    expect((await region.vips.read('dns'))?.removedAtMs).toBeDefined();
  });

  test('draws no address that the file names for another VIP, wherever in the file it does', async () => {
    const text = `vips:
  drawn: { vpc: VPC, pool: 192.168.150.0/29 }
  named: { vpc: VPC, addresses: [192.168.150.1] }
`;
    const shown = await region.vipshift('apply', await file(text), '--dry-run');
    expect(shown.stdout).toMatch(/next free one of the pool, currently 192\.168\.150\.2\/32/);
    expect(await region.vipshift('apply', await file(text), '--yes')).toMatchObject({ status: 0 });
    expect((await region.vips.read('drawn'))?.addresses).toEqual(['192.168.150.2/32']);
    expect((await region.vips.read('named'))?.addresses).toEqual(['192.168.150.1/32']);
  });

  test('refuses to prune what has labels before it has changed anything', async () => {
    const labelled = 'vips:\n  extra: { vpc: VPC, addresses: [192.168.151.1], tableLabels: [web] }\n';
    expect(await region.vipshift('apply', await file(labelled), '--yes')).toMatchObject({ status: 0 });
    const other = 'vips:\n  fresh: { vpc: VPC, addresses: [192.168.151.2] }\n';
    const ran = await region.vipshift('apply', await file(other), '--yes', '--prune');
    expect(ran.status).toBe(3);
    expect(ran.stderr).toMatch(/route tables still have the label of extra/);
    expect(await region.vips.read('fresh')).toBeUndefined();
  });

  test.each([
    [
      'a pool that is used up',
      'vips:\n  u1: { vpc: VPC, addresses: [192.168.152.1, 192.168.152.2] }\n  u2: { vpc: VPC, pool: 192.168.152.0/30 }',
      /no free address is left in 192\.168\.152\.0\/30 for u2/,
    ],
    ['what is no YAML', 'vips: [', /vips\.yaml/],
    ['another shape', '- web', /expected a mapping "vips:"/],
    [
      'an unknown key',
      'vips:\n  web:\n    adresses: []',
      /vips\.web\.adresses: not a key, expected addresses/,
    ],
    [
      'a wrong type',
      'vips:\n  web:\n    addresses: 10.1.1.1',
      /vips\.web\.addresses: found "10\.1\.1\.1", expected a list/,
    ],
    ['a wrong priority', 'vips:\n  web:\n    priority: 1', /found 1, expected "first" or "normal"/],
    ['a wrong hold', 'vips:\n  web:\n    hold: all', /found "all", expected "both" or "master"/],
    ['an address inside the VPC', 'vips:\n  x1:\n    vpc: VPC\n    addresses: [10.0.3.3]', /is inside/],
    [
      'two VIPs with one address',
      'vips:\n  x1:\n    vpc: VPC\n    addresses: [192.168.9.9]\n  x2:\n    vpc: VPC\n    addresses: [192.168.9.9]',
      /belongs to VIP x1/,
    ],
  ])('refuses %s by its place, before anything is written', async (_what, text, says) => {
    const before = (await region.vips.list()).length;
    const ran = await region.vipshift('apply', await file(text), '--yes');
    // What the registry or the VPC says against it is a conflict; the rest is a wrong file.
    const isConflict = /no free address|is inside|belongs to/.test(says.source);
    expect(ran).toMatchObject({ status: isConflict ? 3 : 2, stdout: '' });
    expect(ran.stderr).toMatch(says);
    expect(await region.vips.list()).toHaveLength(before);
  });
});

describe('vip adopt', () => {
  const TAG = 'vipshift:dev';
  const address = '192.168.77.7';

  test('tags, registers, and the next failover replaces what stood there by hand', async () => {
    const { a, b } = region.vpc.nodes;
    const tables = region.vpc.tables.map((t) => t.routeTableId);
    const untag = [...tables, a.serviceEni, b.serviceEni];
    await region.ec2.send(new DeleteTagsCommand({ Resources: untag, Tags: [{ Key: TAG }] }));
    for (const RouteTableId of tables.slice(0, 2))
      await region.ec2.send(
        new CreateRouteCommand({
          RouteTableId,
          DestinationCidrBlock: `${address}/32`,
          NetworkInterfaceId: a.primaryEni,
        }),
      );
    const enis = ['--eni', `${a.serviceEni},${b.serviceEni}`];
    const args = ['vip', 'adopt', 'old', '-a', address, '--vpc', region.vpc.vpcId, ...enis];
    const shown = await region.vipshift(...args, '--dry-run');
    expect(shown.status).toBe(0);
    expect(shown.stdout).toContain('+ old: to be registered\n');
    expect(shown.stdout).toContain(`+ ${tables[0]} gets the label old\n`);
    expect(shown.stdout).toContain(`${a.primaryEni}, which may then be replaced`);
    expect(await region.vips.read('old')).toBeUndefined();

    expect(await region.vipshift(...args, '--yes')).toMatchObject({ status: 0 });
    expect(await region.vips.read('old')).toMatchObject({
      wrote: [a.primaryEni],
      members: { [a.instanceId]: { eni: a.serviceEni }, [b.instanceId]: { eni: b.serviceEni } },
    });
    const answer = await historyOf(region, 'old').says(b.instanceId, 'MASTER');
    expect(answer).toMatchObject({ answer: 'switched', failovers: [{ outcome: 'switched', conflicts: [] }] });
    expect((await region.vips.read('old'))?.wrote).not.toContain(a.primaryEni);
    const [order] = documents((await region.vipshift('timeline', 'old', '--kind', 'order', '--json')).stdout);
    expect(order).toMatchObject({ order: 'adopt', reason: `adopted: may replace ${a.primaryEni}` });
    const again = await region.vipshift('vip', 'adopt', 'old', '--yes');
    expect(again).toMatchObject({ status: 0, stderr: 'there is nothing to adopt\n' });
  });

  test.each([
    [
      'an ENI that does not exist',
      'eni-00000000000000000',
      /eni-0+ is not an ENI of this account and Region/,
    ],
    ['what is no id at all', '--dry-run', /--dry-run is not an ENI/],
  ])('%s is refused before anything is tagged', async (_what, eni, says) => {
    const args = ['vip', 'adopt', 'x4', '-a', '192.168.78.8', '--vpc', region.vpc.vpcId, `--eni=${eni}`];
    const ran = await region.vipshift(...args, '--yes');
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toMatch(says);
    expect(await region.vips.read('x4')).toBeUndefined();
  });

  test('an ENI of another VIP is refused by its label', async () => {
    const eni = region.vpc.nodes.a.serviceEni;
    const args = ['vip', 'adopt', 'x5', '-a', '192.168.78.9', '--vpc', region.vpc.vpcId, '--eni', eni];
    const ran = await region.vipshift(...args, '--yes');
    expect(ran.status).toBe(3);
    expect(ran.stderr).toMatch(/has the label old, expected none or x5\n {2}next: .*--node-label old/);
  });

  test('a table of another VIP is refused by name', async () => {
    const ran = await region.vipshift(
      'vip',
      'adopt',
      'x3',
      '-a',
      address,
      '--vpc',
      region.vpc.vpcId,
      '--yes',
    );
    expect(ran.status).toBe(3);
    expect(ran.stderr).toMatch(/belongs to VIP old/);
  });
});
