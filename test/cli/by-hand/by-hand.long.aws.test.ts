// A move by hand, on the local AWS: the lines that are printed are read by a shell and sent, and then the VIP has moved and nothing else
// has changed; with the registry, and with a DynamoDB that is down, throttles or denies.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteRouteCommand,
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  ModifyNetworkInterfaceAttributeCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { calm } from '../../../lab/aws/stack/calm.ts';
import { startFaultProxy } from '../../../lab/fault/proxy.ts';
import { epochMs } from '../../../shared/time.ts';
import { withoutFreeze, withoutPin } from '../../../shared/vip/vip.ts';
import { documents, run } from '../front-door/command-line.ts';
import { type Region, startRegion } from '../region.ts';
import { type History, historyOf } from '../timeline/history.ts';
import { commandsOf, send } from './shell.ts';

const DNS = '192.168.255.53/32';
let region: Region;
let web: History;
let dns: History;
let folder: string;
let a: string;
let b: string;
beforeAll(async () => {
  region = await startRegion();
  web = historyOf(region);
  dns = historyOf(region, 'dns');
  folder = await mkdtemp(join(tmpdir(), 'by-hand-'));
  a = region.vpc.nodes.a.instanceId;
  b = region.vpc.nodes.b.instanceId;
  await region.vipshift('vip', 'add', 'web', '-a', region.vpc.vip.ipv4, '-e', region.vpc.eip.allocationId);
  await web.says(b, 'BACKUP');
  await web.says(a, 'MASTER');
});
afterAll(async () => {
  await region?.stop();
  await rm(folder, { recursive: true, force: true });
});
/** web is at a, whatever a moment ago was set. */
beforeEach(async () => {
  await calm(region.vips, 'web');
  const vip = (await region.vips.read('web'))!;
  await region.vips.write(vip, { ...withoutFreeze(withoutPin(vip)), touchedAtMs: epochMs(0) });
  await web.reconcile();
});

/** Every route, Elastic IP and source/destination check of the account, by what it is. */
async function state(): Promise<Readonly<Record<string, string>>> {
  const [{ RouteTables = [] }, { Addresses = [] }, { NetworkInterfaces = [] }] = await Promise.all([
    region.ec2.send(new DescribeRouteTablesCommand({})),
    region.ec2.send(new DescribeAddressesCommand({})),
    region.ec2.send(new DescribeNetworkInterfacesCommand({})),
  ]);
  const routes = RouteTables.flatMap(({ RouteTableId, Routes = [] }) =>
    Routes.map((r) => [
      `${RouteTableId} ${r.DestinationCidrBlock ?? r.DestinationIpv6CidrBlock ?? r.DestinationPrefixListId}`,
      r.NetworkInterfaceId ?? r.GatewayId ?? 'other',
    ]),
  );
  const eips = Addresses.map((e) => [e.AllocationId!, e.NetworkInterfaceId ?? 'none']);
  const checks = NetworkInterfaces.map((e) => [`${e.NetworkInterfaceId} check`, String(e.SourceDestCheck)]);
  return Object.fromEntries([...routes, ...eips, ...checks]);
}

/** What differs: cell → its new value. */
const changed = (before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .filter((cell) => before[cell] !== after[cell])
      .map((cell) => [cell, after[cell]]),
  );

const print = (...more: readonly string[]) => [
  'failover',
  'web',
  '--to',
  'node-b',
  '--print-commands',
  ...more,
];
/** Runs what a shell finds in the text: the EC2 calls only, or vipshift's commands too. */
async function pasted(text: string, own = false): Promise<readonly string[]> {
  const commands = commandsOf(text);
  for (const words of commands)
    if (words[0] === 'aws') await send(region.ec2, words);
    else if (own) expect(await region.vipshift(...words.slice(1))).toMatchObject({ status: 0 });
  return commands.map((words) => words.slice(0, 3).join(' '));
}
/** Where web’s cells are when it is at b. */
const atB = (address: string) =>
  Object.fromEntries(
    region.vpc.tables
      .filter((table) => table.labelled)
      .map((table) => [`${table.routeTableId} ${address}`, region.vpc.nodes.b.serviceEni]),
  );
const down = () => ({ ...region.env, AWS_ENDPOINT_URL_DYNAMODB: 'http://127.0.0.1:9' });
const eipAtB = () => ({ [region.vpc.eip.allocationId]: region.vpc.nodes.b.eipEni });

describe('with the registry', () => {
  test('moves every labelled table, the Elastic IP and the check, pins it there, and changes nothing else', async () => {
    const [table] = region.vpc.tables.filter((one) => one.labelled);
    const missing = { RouteTableId: table!.routeTableId, DestinationCidrBlock: region.vpc.vip.ipv4 };
    await region.ec2.send(new DeleteRouteCommand(missing));
    const { serviceEni } = region.vpc.nodes.b;
    const check = { NetworkInterfaceId: serviceEni, SourceDestCheck: { Value: true } };
    await region.ec2.send(new ModifyNetworkInterfaceAttributeCommand(check));
    const before = await state();
    const ran = await region.vipshift(...print('--reason', `it's "down" & $HOME`));
    expect(ran.status).toBe(0);
    expect(await state(), 'printing changes nothing').toEqual(before);
    expect(ran.stdout).toContain(`# web to node-b (${b}, eu-central-1b, 10.0.2.10), by hand.`);
    const names = await pasted(ran.stdout, true);
    expect(names.filter((name) => name.startsWith('aws')).sort()).toEqual([
      ...['aws ec2 associate-address', 'aws ec2 create-route', 'aws ec2 modify-network-interface-attribute'],
      ...Array(3).fill('aws ec2 replace-route'),
    ]);
    expect(changed(before, await state())).toEqual({
      ...atB(region.vpc.vip.ipv4),
      ...eipAtB(),
      [`${serviceEni} check`]: 'false',
    });
    const { pin } = (await region.vips.read('web'))!;
    expect(pin).toMatchObject({ node: b, reason: `it's "down" & $HOME` });
    await web.reconcile();
    const [told] = documents((await region.vipshift('status', 'web', '--json')).stdout);
    expect(told, 'the controller follows').toMatchObject({ health: 'well', owner: b, drift: [] });
  });

  test('warns of an order and of a node that does not report, which gets a freeze in place of a pin', async () => {
    await region.vipshift('freeze', 'web', '--reason', 'window');
    await web.says(b, 'FAULT');
    try {
      const { stdout } = await region.vipshift(...print());
      expect(stdout).toMatch(new RegExp(`^# Note: node-b \\(${b}\\) is not fit by the registry: `, 'm'));
      expect(stdout).toMatch(/^# Note: frozen until \S+Z by .*: window$/m);
      expect(stdout).toMatch(
        /^vipshift freeze web --for 4h --reason 'moved by hand' --stage dev --region eu-central-1$/m,
      );
    } finally {
      await web.says(b, 'BACKUP');
    }
  });

  test('refuses an address that the registry does not know as the VIP’s', async () => {
    const ran = await region.vipshift(...print('--address', '192.168.255.99'));
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toContain(
      `the registry answers: web has ${region.vpc.vip.ipv4}, not 192.168.255.99/32`,
    );
  });
});

describe('without DynamoDB', () => {
  test('infers the only destination, to be checked first; the Elastic IP is a comment', async () => {
    const before = await state();
    const ran = await run(print(), down());
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(/^# The registry: .*ECONNREFUSED/m);
    expect(ran.stdout).toMatch(
      new RegExp(
        `^# CHECK FIRST: ${region.vpc.vip.ipv4} is inferred: the only address .* Is it web’s\\?$`,
        'm',
      ),
    );
    expect(ran.stdout).toMatch(/^# aws ec2 associate-address --allocation-id eipalloc-/m);
    expect(ran.stdout).toMatch(/^# until vipshift pin web --to i-\w+ --for 4h .*; do sleep 5; done$/m);
    expect(new Set(await pasted(ran.stdout))).toEqual(new Set(['aws ec2 replace-route']));
    expect(changed(before, await state())).toEqual(atB(region.vpc.vip.ipv4));
  });

  test.each([
    ['throttles', 'ThrottlingException', 400],
    ['denies', 'AccessDeniedException', 400],
  ])('does the same where it %s', async (_what, code, status) => {
    const rules = [{ on: 'GetItem', fault: { does: 'refuse', code, status } as const }];
    const proxy = await startFaultProxy({ target: region.aws.endpoint, rules });
    try {
      const env = { ...region.env, AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint };
      const ran = await run(print('--address', region.vpc.vip.ipv4, '--eip', region.vpc.eip.publicIp), env);
      expect(ran.stdout).toMatch(new RegExp(`^# The registry: .*${code}`, 'm'));
      expect(ran.stdout).toMatch(/^aws ec2 associate-address --allocation-id eipalloc-/m);
    } finally {
      await proxy.stop();
    }
  });

  describe('where two VIPs share labels', () => {
    beforeAll(async () => {
      await region.vipshift(
        ...['vip', 'add', 'dns', '-a', DNS, '--vpc', region.vpc.vpcId],
        ...['--table-label', 'web', '--node-label', 'web'],
      );
      await dns.says(b, 'BACKUP');
      await dns.says(a, 'MASTER');
    });

    test('refuses to guess, with the addresses that there are', async () => {
      const ran = await run(print(), down());
      expect(ran).toMatchObject({ status: 3, stdout: '' });
      expect(ran.stderr).toContain(
        `route ${region.vpc.vip.ipv4}, ${DNS}: which of them are web’s is not known`,
      );
      expect(ran.stderr).toContain(
        `vipshift failover web --to node-b --print-commands --address ${region.vpc.vip.ipv4} --address ${DNS} --stage dev`,
      );
    });

    test('moves by the file only what it names, and the other VIP stays', async () => {
      const file = join(folder, `two words.yaml`);
      const own = `{ vpc: ${region.vpc.vpcId}, addresses: [192.168.255.10], eips: [${region.vpc.eip.allocationId}] }`;
      const other = `{ vpc: ${region.vpc.vpcId}, addresses: [${DNS}], tableLabels: [web], nodeLabels: [web] }`;
      await writeFile(file, `vips:\n  web: ${own}\n  dns: ${other}\n`);
      const before = await state();
      const moved = await run(print('--manifest', file), down());
      expect(moved.status).toBe(0);
      await pasted(moved.stdout);
      expect(changed(before, await state())).toEqual({ ...atB(region.vpc.vip.ipv4), ...eipAtB() });
      const between = await state();
      const ofDns = await run(['failover', 'dns', '--to', b, '--print-commands', '--manifest', file], down());
      await pasted(ofDns.stdout);
      expect(changed(between, await state())).toEqual(atB(DNS));
    });

    test('moves by an address only that one, and leaves Elastic IPs alone', async () => {
      const before = await state();
      const ran = await run(print('--address', '192.168.255.10'), down());
      await pasted(ran.stdout);
      expect(changed(before, await state())).toEqual(atB(region.vpc.vip.ipv4));
    });
  });
});
