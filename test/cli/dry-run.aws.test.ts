// --dry-run of everything that changes something, from the front door on the local AWS: it tells what would be done, what it would
// take the place of and what refuses it, and neither the registry, the record nor EC2 is touched.
import { CreateTagsCommand, DescribeRouteTablesCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { everyCommand, pathOf } from '../../cli/command/command.ts';
import { program } from '../../cli/program.ts';
import { startFaultProxy } from '../../lab/fault/proxy.ts';
import { epochMs } from '../../shared/time.ts';
import type { Pin, Vip } from '../../shared/vip/vip.ts';
import { documents, run } from './front-door/command-line.ts';
import { type Region, startRegion } from './region.ts';
import { type History, historyOf } from './timeline/history.ts';

let region: Region;
let history: History;
let a: string;
let b: string;
beforeAll(async () => {
  region = await startRegion();
  history = historyOf(region);
  a = region.vpc.nodes.a.instanceId;
  b = region.vpc.nodes.b.instanceId;
  await region.vipshift('vip', 'add', 'web', '-a', region.vpc.vip.ipv4);
  await history.says(b, 'BACKUP');
  await history.says(a, 'MASTER');
});
afterAll(() => region?.stop());

/** As people read it: the lab's nodes are called node-a and node-b. */
const named = (id: string) => `node-${id === a ? 'a' : 'b'} (${id})`;
const re = (id: string) => named(id).replace(/[()]/g, '\\$&');

const read = async (): Promise<Vip> => (await region.vips.read('web'))!;
/** With these orders and no other. */
const ordered = async (orders: Partial<Pick<Vip, 'pin' | 'freeze' | 'forced' | 'drains'>>) => {
  const vip = await read();
  const { pin: _pin, freeze: _freeze, forced: _forced, drains: _drains, ...rest } = vip;
  await region.vips.write(vip, { ...rest, ...orders });
};
beforeEach(() => ordered({}));

const untilMs = epochMs(Date.now() + 3_600_000);
const until = new Date(untilMs).toISOString();
const by = { by: 'alice', reason: 'change 1', untilMs };
const pinOn = (node: string): Pin => ({ node, ...by });

/** All that a dry run must leave as it is. */
async function state() {
  const { RouteTables } = await region.ec2.send(new DescribeRouteTablesCommand({}));
  const { stdout } = await region.vipshift('timeline', '--kind', 'order', '--json');
  const vips = (await region.vips.list()).toSorted((x, y) => (x.name < y.name ? -1 : 1));
  return { vips, orders: stdout, routes: RouteTables!.map((t) => [t.RouteTableId, t.Routes, t.Tags]) };
}

async function rehearsed(...args: readonly string[]) {
  const before = await state();
  const ran = await region.vipshift(...args, '--dry-run');
  expect(await state()).toEqual(before);
  return ran;
}

test('is an option of every command that changes something, and the others are these', () => {
  const all = everyCommand(program()).filter((c) => c.commands.length === 0);
  const without = all.filter((c) => !c.options.some((o) => o.long === '--dry-run')).map(pathOf);
  expect(without.toSorted((x, y) => x.localeCompare(y))).toEqual(
    [
      ...['audit verify', 'completion', 'completion-values', 'doctor', 'explain', 'keepalived-config'],
      ...['owner', 'status', 'timeline', 'vip list', 'vip show'],
    ].toSorted((x, y) => x.localeCompare(y)),
  );
});

interface Case {
  readonly orders?: Partial<Vip>;
  readonly args: readonly string[];
  readonly stdout: RegExp;
  readonly stderr: RegExp;
}

describe('orders', () => {
  test.each<readonly [string, Case]>([
    [
      'pin',
      {
        args: ['pin', 'web', '--to', 'B', '--reason', 'x'],
        stdout: /^dry run: web would be pinned to node-b \(i-\w+\) until \S+Z\n$/,
        stderr: /^when the pin ends/,
      },
    ],
    [
      'freeze',
      {
        args: ['freeze', 'web', '--reason', 'x'],
        stdout: /^dry run: web would be frozen until \S+Z\n$/,
        stderr: /^a dry run: nothing was changed\n$/,
      },
    ],
    [
      'unpin',
      {
        orders: { pin: { node: 'B', ...by } },
        args: ['unpin', 'web'],
        stdout: /^dry run: web would no longer be pinned\n$/,
        stderr: /nothing was changed\n$/,
      },
    ],
    [
      'unfreeze',
      {
        orders: { freeze: by },
        args: ['unfreeze', 'web'],
        stdout: /^dry run: web would no longer be frozen\n$/,
        stderr: /nothing was changed\n$/,
      },
    ],
    [
      'drain of the owner',
      {
        args: ['drain', 'A', '--reason', 'x'],
        stdout: /^dry run: web goes from i-\w+ to i-\w+, routes only\n$/,
        stderr: /^when the drain ends at \S+Z, web goes back to i-\w+ unless/,
      },
    ],
    [
      'drain of a standby',
      {
        args: ['drain', 'B', '--for', '72h', '--reason', 'x'],
        stdout: /^dry run: web is at i-\w+: nothing moves\n$/,
        stderr: /^a dry run: nothing was changed\n$/,
      },
    ],
    [
      'undrain',
      {
        orders: { drains: { A: by } },
        args: ['undrain', 'A'],
        stdout: /^dry run: i-\w+ would no longer be drained in web\n$/,
        stderr: /nothing was changed\n$/,
      },
    ],
    [
      'an undrain of what is not drained',
      { args: ['undrain', 'A'], stdout: /^$/, stderr: /^i-\w+ is not drained\na dry run/ },
    ],
    [
      'an unpin of what is not pinned',
      { args: ['unpin', 'web'], stdout: /^dry run: web is not pinned\n$/, stderr: /nothing was changed\n$/ },
    ],
    [
      'a pin over another one',
      {
        orders: { pin: { node: 'A', ...by } },
        args: ['pin', 'web', '--to', 'B', '--reason', 'x'],
        stdout: /would be pinned/,
        stderr: /^it would replace the pin on node-a \(i-\w+\) until \S+Z by alice: change 1\n/,
      },
    ],
    [
      'a freeze over another one',
      {
        orders: { freeze: by },
        args: ['freeze', 'web', '--reason', 'x'],
        stdout: /would be frozen/,
        stderr: /^it would replace the freeze until \S+Z by alice: change 1\n/,
      },
    ],
  ])('%s', async (_what, { orders = {}, args, stdout, stderr }) => {
    const pin = orders.pin === undefined ? {} : { pin: pinOn(orders.pin.node === 'A' ? a : b) };
    const drains = orders.drains === undefined ? {} : { drains: { [a]: by } };
    await ordered({ ...orders, ...pin, ...drains });
    const ran = await rehearsed(...args.map((arg) => ({ A: a, B: b })[arg] ?? arg));
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(stdout);
    expect(ran.stderr).toMatch(stderr);
  });

  test('meets the refusals that the order would meet', async () => {
    const unfit = await rehearsed('pin', 'web', '--to', 'i-0abc1234def567890', '--reason', 'x');
    expect(unfit).toMatchObject({ status: 3, stdout: '' });
    const now = epochMs(Date.now());
    await ordered({ forced: { execution: 'change-4711', node: b, from: a, ...by, atMs: now } });
    const beside = await rehearsed('pin', 'web', '--to', a, '--reason', 'x');
    expect(beside).toMatchObject({ status: 3, stdout: '' });
    expect(beside.stderr).toContain(
      'vipshift failover --follow change-4711 --stage dev --region eu-central-1',
    );
  });

  test('in earnest says whose order it replaces, with --json as data', async () => {
    await ordered({ pin: pinOn(a), freeze: by });
    const pin = await region.vipshift('pin', 'web', '--to', b, '--reason', 'mine');
    expect(pin.stderr).toMatch(`it replaces the pin on ${named(a)} until ${until} by alice: change 1\n`);
    const freeze = await region.vipshift('freeze', 'web', '--reason', 'mine', '--json');
    expect(documents(freeze.stdout)).toMatchObject([
      { replaced: { by: 'alice', reason: 'change 1', until } },
    ]);
  });
});

describe('the registry', () => {
  const address = ['--address', '192.168.255.77'];
  test('vip add tells the entry, with the address that the pool would give, and what it meets', async () => {
    const vpc = ['--vpc', region.vpc.vpcId];
    const ran = await rehearsed('vip', 'add', 'dns', '--pool', '192.168.254.0/29', ...vpc);
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(/^dry run: dns would be registered\n {2}addresses: 192\.168\.254\.1\/32\n/);
    expect(ran.stderr).toMatch(/no route table has its label yet: aws ec2 create-tags .*\n/);
    const told = await rehearsed('vip', 'add', 'dns', ...address, ...vpc, '--json');
    expect(documents(told.stdout)).toMatchObject([
      { name: 'dns', dryRun: true, addresses: ['192.168.255.77/32'] },
    ]);
    const taken = await rehearsed('vip', 'add', 'dns', '-a', region.vpc.vip.ipv4, ...vpc);
    expect(taken).toMatchObject({ status: 3, stdout: '' });
  });

  test('vip set tells each field before and after, what moves, and the routes that stay', async () => {
    const ran = await rehearsed('vip', 'set', 'web', ...address);
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(
      /^dry run: web would be changed\n {2}addresses: \S+\/32 → 192\.168\.255\.77\/32\n$/,
    );
    expect(ran.stderr).toMatch(/routes to \S+ stay where they are/);
  });

  test('vip remove tells what stays, and refuses as it would', async () => {
    expect(await rehearsed('vip', 'remove', 'web')).toMatchObject({ status: 3, stdout: '' });
    const ran = await rehearsed('vip', 'remove', 'web', '--force');
    expect(ran.stdout).toMatch(/^dry run: web would be removed; its epoch \d+ would be kept\n$/);
  });

  test('vip adopt of what no table routes to is refused, and not called adopted', async () => {
    const args = ['vip', 'adopt', 'old', '-a', '192.168.255.99', '--vpc', region.vpc.vpcId];
    const ran = await rehearsed(...args);
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toMatch(
      /no route table of vpc-\w+ routes to 192\.168\.255\.99\/32: there is nothing to take over/,
    );
    expect((await region.vipshift(...args, '--yes')).status).toBe(3);
    expect(await region.vips.read('old')).toBeUndefined();
  });
});

describe('failover --break-glass', () => {
  const args = (to: string) => ['failover', 'web', '--to', to, '--break-glass', '--reason', 'x'];
  test('tells each call, the pin that it would replace and the failover that it would end', async () => {
    const now = epochMs(Date.now());
    await ordered({ pin: pinOn(a), forced: { execution: 'change-1', node: a, ...by, atMs: now } });
    const ran = await rehearsed(...args(b));
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(
      new RegExp(`^web can move to ${re(b)} now; it is at ${re(a)}: \\d+ calls at once\n`),
    );
    expect(ran.stdout).toMatch(/^ReplaceRoute +rtb-/m);
    expect(ran.stderr).toMatch(`it would replace the pin on ${named(a)} until ${until} by alice: change 1\n`);
    expect(ran.stderr).toMatch(/it would end .*change-1/);
  });

  test('tells a freeze and how to end it, and a node that could not take it over', async () => {
    await ordered({ freeze: by });
    const frozen = await rehearsed(...args(b));
    expect(frozen.status).toBe(1);
    expect(frozen.stdout).toContain(
      `web cannot move to ${named(b)} now:\n  frozen until ${until} by alice: change 1\n`,
    );
    expect(frozen.stderr).toContain(
      'to end the freeze: vipshift unfreeze web --stage dev --region eu-central-1\n',
    );
    await ordered({});
    const unfit = await rehearsed(...args('i-0abc1234def567890'));
    expect(unfit.status).toBe(1);
    expect(unfit.stdout).toMatch(/EC2 shows no instance i-0abc1234def567890/);
  });
});

describe('a node', () => {
  const pin = (to: string) => rehearsed('pin', 'web', '--to', to, '--reason', 'x');
  const pinned = () => expect.stringMatching(new RegExp(`^dry run: web would be pinned to ${re(b)} until`));
  const rename = (id: string, Value: string) =>
    region.ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'Name', Value }] }));

  test('is named by its Name tag, private address or zone, and by break-glass too', async () => {
    for (const to of ['node-b', '10.0.2.10', 'eu-central-1b'])
      expect(await pin(to), to).toMatchObject({ status: 0, stdout: pinned() });
    const ran = await rehearsed('failover', 'web', '--to', 'node-b', '--break-glass', '--reason', 'x');
    expect(ran.stdout).toMatch(new RegExp(`^web can move to ${re(b)} now`));
  });

  test('that two could be, or none is, is refused with the choices', async () => {
    await rename(a, 'node-b');
    const both = await pin('node-b');
    await rename(a, 'node-a');
    expect(both).toMatchObject({ status: 3, stdout: '' });
    expect(both.stderr).toMatch(/^vipshift: --to node-b: 2 nodes of web are called so:\n/);
    expect(both.stderr).toContain(`node-b (${a}, eu-central-1a, 10.0.1.10)\n`);
    expect(both.stderr).toContain(`node-b (${b}, eu-central-1b, 10.0.2.10)\n`);
    const none = await pin('node-x');
    expect(none).toMatchObject({ status: 3, stdout: '' });
    expect(none.stderr).toMatch(/^vipshift: --to node-x: no node of web is called so. They are:\n/);
    expect(none.stderr).toContain(`node-a (${a}, eu-central-1a, 10.0.1.10)\n`);
  });

  test('is found by its zone, and shown by its id, where EC2 does not tell names', async () => {
    const fault = { does: 'refuse', code: 'UnauthorizedOperation', status: 403 } as const;
    const rules = [{ on: ['DescribeInstances'], fault }];
    const proxy = await startFaultProxy({ target: region.aws.ec2Endpoint, rules });
    try {
      const env = { ...region.env, AWS_ENDPOINT_URL_EC2: proxy.endpoint };
      const args = (to: string) => ['pin', 'web', '--to', to, '--reason', 'x', '--dry-run'];
      const ran = await run(args('eu-central-1b'), env);
      expect(ran).toMatchObject({ status: 0, stdout: expect.stringMatching(`pinned to ${b} until`) });
      expect(ran.stderr).toMatch(/^nodes are shown by their ids: EC2 did not tell their names \(/);
      const named = await run(args('node-b'), env);
      expect(named).toMatchObject({ status: 3, stdout: '' });
      expect(named.stderr).toMatch(/no node of web is called so; .*EC2 did not tell their names/);
    } finally {
      await proxy.stop();
    }
  });
});
