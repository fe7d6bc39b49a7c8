// Labels that VIPs share, from the front door on the local AWS: whatever command is printed about one VIP is carried out as it stands,
// and leaves every other VIP as it was: its tables, its nodes, and nothing to do.
import {
  AssociateRouteTableCommand,
  AttachNetworkInterfaceCommand,
  CreateNetworkInterfaceCommand,
  CreateRouteCommand,
  CreateRouteTableCommand,
  CreateTagsCommand,
  CreateVpcCommand,
  DeleteRouteCommand,
  DeleteTagsCommand,
  DisassociateRouteTableCommand,
  ReplaceRouteCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { membersSeen, tablesOf } from '../../../shared/network/observation.ts';
import { plan } from '../../../shared/network/plan.ts';
import { isRegistered } from '../../../shared/registry/registry.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { type Ran, run } from '../front-door/command-line.ts';
import { type Region, startRegion } from '../region.ts';
import { type History, historyOf } from '../timeline/history.ts';
import { carryOut } from './remedy.ts';
import { pastes } from './words.ts';

const TAG = 'vipshift:dev';
let region: Region;
let history: History;
const send = <T = unknown>(command: object) => region.ec2.send(command as never) as unknown as Promise<T>;
const tag = (id: string, Value: string) =>
  send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: TAG, Value }] }));
const untag = (id: string) => send(new DeleteTagsCommand({ Resources: [id], Tags: [{ Key: TAG }] }));
const table = (name: string) => region.vpc.tables.find((t) => t.name === name)!.routeTableId;
const node = () => region.vpc.nodes.a;
const change = async (name: string, changed: (vip: Vip) => Partial<Vip>) => {
  const vip = (await region.vips.read(name))!;
  await region.vips.write(vip, { ...vip, ...changed(vip) });
};

// web and dns share everything; ftp has a table of its own.
beforeAll(async () => {
  region = await startRegion();
  history = historyOf(region);
  const add = (name: string, address: string, ...more: readonly string[]) =>
    region.vipshift('vip', 'add', name, '-a', address, '--vpc', region.vpc.vpcId, ...more);
  const shared = ['--table-label', 'web', '--node-label', 'web'];
  const added = [
    await add('web', region.vpc.vip.ipv4, '--eip', region.vpc.eip.allocationId),
    await add('dns', '192.168.255.53', ...shared),
    await add('ftp', '192.168.255.21', '--table-label', 'ftp', '--node-label', 'ftp'),
  ];
  expect(added.map((ran) => ran.status)).toEqual([0, 0, 0]);
  await tag(table('data-a'), 'ftp');
  await tag(table('data-b'), '-');
  for (const [name, of] of [['web', history] as const, ['dns', historyOf(region, 'dns')] as const]) {
    await of.says(region.vpc.nodes.b.instanceId, 'BACKUP');
    await of.says(node().instanceId, 'MASTER');
    expect((await region.vips.read(name))?.owner).toBe(node().instanceId);
  }
});
afterAll(() => region?.stop());

/** What there is of every VIP, and what is to be done for it. */
async function standing(): Promise<Readonly<Record<string, object>>> {
  const vips = (await region.vips.list()).filter(isRegistered);
  const seen = await Promise.all(
    vips.map(async (vip) => {
      const observed = await history.ports.ec2.observe(vip);
      const members = membersSeen(vip, observed, vip.members);
      const owner = vip.owner === undefined ? undefined : members[vip.owner];
      const steps = owner === undefined ? [] : plan(vip, observed, owner, true).steps;
      return [vip.name, { tables: tablesOf(vip, observed).map((t) => t.table), members, steps }] as const;
    }),
  );
  return Object.fromEntries(seen);
}

/** Every command in what was said that could be pasted. */
const commandsIn = ({ stdout, stderr }: Ran): readonly string[] =>
  [...`${stdout}\n${stderr}`.matchAll(/\b(?:aws ec2|vipshift vip) [a-z-]+ [^\n]*?(?= {4}#|;|\n|$)/g)]
    .map(([command]) => command)
    .filter(pastes);

/** Carries out all that a command prints, and gives that back; every VIP but `about` is as before. */
async function carriedOut(about: string, ran: Ran): Promise<readonly string[]> {
  const { [about]: _one, ...before } = await standing();
  const commands = commandsIn(ran);
  for (const command of commands) await carryOut({ send, env: region.env }, command);
  const { [about]: _other, ...after } = await standing();
  expect(after, commands.join('\n')).toEqual(before);
  for (const [name, { steps }] of Object.entries(after) as [string, { steps: unknown[] }][])
    expect(steps, `${name} after ${commands.join('; ')}`).toEqual([]);
  return commands;
}

const doctor = (name: string) => region.vipshift('doctor', name, '--no-probe');

describe('the doctor of a VIP whose labels another one uses', () => {
  let undo: (() => Promise<unknown>)[] = [];
  beforeEach(() => {
    undo = [];
  });
  afterEach(async () => {
    for (const step of undo.reverse()) await step();
    const left = (await standing()) as Record<string, { steps: unknown[] }>;
    for (const name of ['web', 'dns'])
      expect(left[name]!.steps, 'the test left something behind').toEqual([]);
  });

  const secondEni = async (): Promise<string> => {
    const { NetworkInterface: eni } = await send<{ NetworkInterface: { NetworkInterfaceId: string } }>(
      new CreateNetworkInterfaceCommand({ SubnetId: node().subnetId }),
    );
    undo.push(() => untag(eni.NetworkInterfaceId));
    await tag(eni.NetworkInterfaceId, 'web');
    return eni.NetworkInterfaceId;
  };
  const attached = async (NetworkInterfaceId: string) =>
    send(
      new AttachNetworkInterfaceCommand({
        NetworkInterfaceId,
        InstanceId: node().instanceId,
        DeviceIndex: 5,
      }),
    );

  test('takes no label from the one of two ENIs that serves the other VIP', async () => {
    const second = await secondEni();
    await attached(second);
    const before = (await region.vips.read('dns'))!.members;
    undo.push(() => change('dns', () => ({ members: before })));
    const dns = { ...before, [node().instanceId]: { ...before[node().instanceId]!, eni: second } };
    await change('dns', () => ({ members: dns }));
    const ran = await doctor('web');
    expect(ran.stdout).toMatch(
      /eni-twice.*\n.*\n.*\n {2}remedy {4}give web a node label .*label web stays: VIP dns uses it/,
    );
    expect(commandsIn(ran).filter((command) => command.includes('delete-tags'))).toEqual([]);
    undo.push(async () => {
      await untag(second);
      await historyOf(region, 'dns').reconcile();
    });
  });

  test('takes the label from an ENI that serves neither', async () => {
    const second = await secondEni();
    await attached(second);
    expect(await carriedOut('web', await doctor('web'))).toContain(
      `aws ec2 delete-tags --resources ${second} --tags Key=${TAG} --region eu-central-1`,
    );
  });

  test('has an ENI that is attached to nothing attached rather than untagged', async () => {
    const loose = await secondEni();
    const ran = await doctor('web');
    expect(ran.stdout).toMatch(
      new RegExp(
        `attach-network-interface --network-interface-id ${loose} .*# label web stays: VIP dns uses it`,
      ),
    );
    const commands = await carriedOut('web', ran);
    expect(commands.filter((command) => command.includes('tags'))).toEqual([]);
  });

  test('labels an ENI that no other VIP uses', async () => {
    const a = node();
    const member = { node: a.instanceId, eni: a.serviceEni, zone: a.zone };
    await change('ftp', () => ({ members: { [a.instanceId]: member } }));
    undo.push(() => change('ftp', () => ({ members: {} })));
    const commands = await carriedOut('ftp', await doctor('ftp'));
    const tagged = commands.flatMap(
      (command) => /create-tags --resources (eni-\w+) .*Value=ftp --region/.exec(command)?.[1] ?? [],
    );
    for (const eni of tagged) undo.push(() => untag(eni));
    expect(tagged).toHaveLength(1);
    expect([a.serviceEni, a.eipEni]).not.toContain(tagged[0]);
  });

  test('leaves what lies in another VPC and is used there', async () => {
    const { Vpc } = await send<{ Vpc: { VpcId: string } }>(
      new CreateVpcCommand({ CidrBlock: '10.9.0.0/16' }),
    );
    const { RouteTable } = await send<{ RouteTable: { RouteTableId: string } }>(
      new CreateRouteTableCommand({ VpcId: Vpc.VpcId }),
    );
    await tag(RouteTable.RouteTableId, 'web');
    const args = ['-a', '192.168.254.9', '--vpc', Vpc.VpcId, '--table-label', 'web', '--node-label', 'far'];
    expect((await region.vipshift('vip', 'add', 'far', ...args)).status).toBe(0);
    undo.push(
      () => region.vipshift('vip', 'remove', 'far', '--force'),
      () => untag(RouteTable.RouteTableId),
    );
    const ran = await doctor('web');
    expect(ran.stdout).not.toContain(RouteTable.RouteTableId);
    await carriedOut('web', ran);
    const there = (await standing()) as Record<string, { tables: string[] }>;
    expect(there.far!.tables).toEqual([RouteTable.RouteTableId]);
  });

  test('takes no label from a table where one VIP’s route is a stranger’s', async () => {
    const cell = { RouteTableId: table('clients-a'), DestinationCidrBlock: region.vpc.vip.ipv4 };
    await send(new ReplaceRouteCommand({ ...cell, GatewayId: region.vpc.internetGatewayId }));
    undo.push(async () => {
      await send(new ReplaceRouteCommand({ ...cell, NetworkInterfaceId: node().serviceEni }));
    });
    const ran = await doctor('web');
    expect(ran.stdout).toMatch(
      /vip adopt web --stage dev --region eu-central-1 {4}# if it may be replaced; else label web stays: VIP dns/,
    );
    expect(ran.stdout).not.toContain('delete-tags');
    expect(await carriedOut('web', ran)).toContain(
      'vipshift vip adopt web --stage dev --region eu-central-1',
    );
  });

  test('takes the label from a gateway’s table, which serves neither', async () => {
    const RouteTableId = table('clients-b');
    const { AssociationId } = await send<{ AssociationId: string }>(
      new AssociateRouteTableCommand({ RouteTableId, GatewayId: region.vpc.internetGatewayId }),
    );
    undo.push(async () => {
      await send(new DisassociateRouteTableCommand({ AssociationId }));
      await tag(RouteTableId, 'web');
    });
    expect(await carriedOut('web', await doctor('web'))).toContain(
      `aws ec2 delete-tags --resources ${RouteTableId} --tags Key=${TAG} --region eu-central-1`,
    );
  });

  test('gives a VIP the label of a table that another one has, and leaves that one its table', async () => {
    const cell = { RouteTableId: table('data-a'), DestinationCidrBlock: region.vpc.vip.ipv4 };
    await send(new CreateRouteCommand({ ...cell, NetworkInterfaceId: node().serviceEni }));
    undo.push(
      () => region.vipshift('vip', 'set', 'web', '--table-label', 'web'),
      // Carried out already: the remark names it as the other way.
      () => send(new DeleteRouteCommand(cell)).catch(() => undefined),
    );
    const ran = await doctor('web');
    expect(ran.stdout).toMatch(
      /table-routed.*\n.*\n.*\n.*# label ftp stays: VIP ftp uses it; or take the route away/,
    );
    expect(await carriedOut('web', ran)).toContain(
      'vipshift vip set web --table-label web,ftp --stage dev --region eu-central-1',
    );
  });

  test('says that a mistyped label is another VIP’s, too, where it is', async () => {
    await tag(table('clients-a'), 'Web');
    undo.push(() => tag(table('clients-a'), 'web'));
    const ran = await doctor('web');
    expect(ran.stdout).toMatch(
      /Value=web --region eu-central-1 {4}# or Value=- to leave it out; VIP dns uses the label, too/,
    );
  });
});

describe('removing', () => {
  test('a VIP refuses for its own tables only, and its command leaves the others theirs', async () => {
    const both = await region.vipshift('vip', 'set', 'ftp', '--table-label', 'ftp,web');
    expect(both.status).toBe(0);
    const ran = await region.vipshift('vip', 'remove', 'ftp');
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toMatch(
      new RegExp(
        `1 route table still has the label of ftp: ${table('data-a')}\n {2}label web stays: VIPs dns, web use it\n`,
      ),
    );
    expect(await carriedOut('ftp', ran)).toEqual([
      `aws ec2 delete-tags --resources ${table('data-a')} --tags Key=${TAG} --region eu-central-1`,
    ]);
    const again = await region.vipshift('vip', 'remove', 'ftp');
    expect(again).toMatchObject({ status: 0, stdout: 'ftp is removed; its epoch 0 is kept\n' });
    expect(again.stderr).toMatch(/^label web stays: VIPs dns, web use it\n/);
  });

  test('apply --prune does the same, and counts those that stay by the file', async () => {
    const file = `vips:\n  web: { addresses: [${region.vpc.vip.ipv4}], eips: [${region.vpc.eip.allocationId}] }\n`;
    const ran = await run(['apply', '-', '--yes', '--prune'], region.env, { stdin: file });
    expect(ran.status).toBe(0);
    expect(ran.stderr).toMatch(/^dns: label web stays: VIP web uses it$/m);
    expect(await carriedOut('dns', ran)).toEqual([]);
    const web = (await standing()) as Record<string, { tables: string[] }>;
    expect(web.web!.tables).toHaveLength(4);
  });

  test('of the last VIP of a label is refused as before: no VIP uses it any more', async () => {
    const ran = await region.vipshift('vip', 'remove', 'web');
    expect(ran.status).toBe(3);
    expect(ran.stderr).toMatch(/4 route tables still have the label of web.*delete-tags --resources rtb-/s);
  });
});
