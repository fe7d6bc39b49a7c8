// What has a mistyped label, from the front door on the local AWS: `status` does not call the VIP well, and a failover says what
// it leaves; with as many calls to EC2 for many VIPs as for one.
import { CreateRouteCommand, CreateTagsCommand, DeleteRouteCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFaultProxy } from '../../../lab/fault/proxy.ts';
import { documents, run } from '../front-door/command-line.ts';
import { type Region, startRegion } from '../region.ts';
import { historyOf } from '../timeline/history.ts';

let region: Region;
let a: string;
let b: string;
beforeAll(async () => {
  region = await startRegion();
  a = region.vpc.nodes.a.instanceId;
  b = region.vpc.nodes.b.instanceId;
  const { ipv4 } = region.vpc.vip;
  await region.vipshift('vip', 'add', 'web', '-a', ipv4, '-e', region.vpc.eip.allocationId);
  const history = historyOf(region);
  await history.says(b, 'BACKUP', 9000);
  await history.says(a, 'MASTER', 8000);
});
afterAll(() => region?.stop());

const tag = (id: string, Value: string, Key = 'vipshift:dev') =>
  region.ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key, Value }] }));
const table = (name: string) => region.vpc.tables.find((t) => t.name === name)!.routeTableId;
const status = async () => {
  const ran = await region.vipshift('status', 'web', '--check', '--json');
  return { ran, told: documents(ran.stdout)[0]! };
};

describe('status', () => {
  test('is well where every label is right, and a table has none', async () => {
    const { ran, told } = await status();
    expect(ran.status).toBe(0);
    expect(told).toMatchObject({ health: 'well', mislabelled: [] });
  });

  test.each(['Web', 'web ', 'wbe', 'web:EIP', 'other'])(
    'is not well while a table has the label %j: it says which, what was found, and what was probably meant',
    async (value) => {
      const id = table('clients-a');
      await tag(id, value);
      try {
        const { ran, told } = await status();
        expect(ran.status).toBe(1);
        const found = `${id} has the tag vipshift:dev=${JSON.stringify(value)}, a label that no VIP uses`;
        expect(told).toMatchObject({ health: 'mislabelled', mislabelled: [{ id, value, meant: ['web'] }] });
        expect(told.why).toBe(`${found}: a failover leaves it; did you mean "web"?`);
        const all = await region.vipshift('status', '--check');
        expect(all.status).toBe(1);
        expect(all.stdout).toMatch(/^web +mislabelled /m);
        expect(all.stdout).toContain(found);
        const full = await region.vipshift('status', 'web');
        expect(full.stdout).toContain(`web  mislabelled  ${found}`);
      } finally {
        await tag(id, 'web');
      }
    },
  );

  test('is not well while an ENI has a label that no VIP uses', async () => {
    const { eipEni } = region.vpc.nodes.b;
    await tag(eipEni, 'web:EIP');
    try {
      const { ran, told } = await status();
      expect(ran.status).toBe(1);
      expect(told).toMatchObject({ mislabelled: [{ kind: 'eni', id: eipEni, meant: ['web:eip'] }] });
    } finally {
      await tag(eipEni, 'web:eip');
    }
  });

  test.each([
    ['untagged', undefined],
    ['left out', '-'],
  ])('is not well while a table that is %s routes the VIP', async (_what, value) => {
    const cell = { RouteTableId: table('data-a'), DestinationCidrBlock: region.vpc.vip.ipv4 };
    if (value !== undefined) await tag(cell.RouteTableId, value);
    await region.ec2.send(new CreateRouteCommand({ ...cell, GatewayId: region.vpc.internetGatewayId }));
    try {
      const { ran, told } = await status();
      expect(ran.status).toBe(1);
      expect(told.health).toBe('mislabelled');
      expect(told.why).toMatch(
        new RegExp(`^${cell.RouteTableId} routes ${region.vpc.vip.ipv4} to igw-\\w+ and has `),
      );
    } finally {
      await region.ec2.send(new DeleteRouteCommand(cell));
    }
  });

  test('asks EC2 as often for five VIPs as for one: four lists, and the instances', async () => {
    const asked = async (...args: readonly string[]) => {
      const proxy = await startFaultProxy({ target: region.aws.ec2Endpoint });
      try {
        const env = { ...region.env, AWS_ENDPOINT_URL_EC2: proxy.endpoint };
        expect((await run(['status', ...args], env)).status).toBe(0);
        return proxy.calls.map((call) => call.action).sort();
      } finally {
        await proxy.stop();
      }
    };
    const lists = [
      'DescribeAddresses',
      'DescribeInstances',
      'DescribeNetworkInterfaces',
      'DescribeRouteTables',
      'DescribeRouteTables',
    ];
    expect(await asked('web')).toEqual(lists);
    for (const n of [1, 2, 3, 4])
      await region.vipshift('vip', 'add', `more-${n}`, '-a', `192.168.254.${n}`, '--vpc', region.vpc.vpcId);
    expect(await asked()).toEqual(lists);
  });
});

describe('a forced failover', () => {
  test('by break-glass says what it leaves, and the command that names the fix', async () => {
    const id = table('clients-a');
    await tag(id, 'Web');
    const ran = await region.vipshift(
      'failover',
      'web',
      '--to',
      b,
      '--break-glass',
      '--reason',
      'x',
      '--stage',
      'dev',
    );
    expect(ran.status).toBe(0);
    expect(ran.stderr).toContain(
      `left alone: ${id} has the tag vipshift:dev="Web", a label that no VIP uses: a failover leaves it; did you mean "web"?\nfor the fix, run: vipshift doctor web --stage dev --region eu-central-1\n`,
    );
    await tag(id, 'web');
  });
});
