// Status, orders, break-glass and the record from the front door, around a real story on the local AWS.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReplaceRouteCommand } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFaultProxy } from '../../../lab/fault/proxy.ts';
import { epochMs, plus, seconds } from '../../../shared/time.ts';
import { NO_MEMBER } from '../../../shared/vip/admission.ts';
import { documents, run } from '../front-door/command-line.ts';
import { type Region, startRegion } from '../region.ts';
import { type History, historyOf } from './history.ts';

let region: Region;
let history: History;
let a: string;
let b: string;
beforeAll(async () => {
  region = await startRegion();
  history = historyOf(region);
  a = region.vpc.nodes.a.instanceId;
  b = region.vpc.nodes.b.instanceId;
  const { ipv4, ipv6 } = region.vpc.vip;
  await region.vipshift('vip', 'add', 'web', '-a', ipv4, '-a', ipv6, '-e', region.vpc.eip.allocationId);
});
afterAll(() => region?.stop());

const one = async (...args: readonly string[]) => {
  const ran = await region.vipshift(...args, '--json');
  expect(ran.stderr).toBe('');
  return documents(ran.stdout)[0]!;
};

describe('before anything happened', () => {
  test('status says that no node owns the VIP', async () => {
    expect(await one('status', 'web')).toMatchObject({
      vip: 'web',
      health: 'no owner',
      epoch: 0,
      claims: [],
    });
    const ran = await region.vipshift('status', 'web');
    expect(ran.stdout).toMatch(/^at +no node yet\n/m);
  });

  test('the timeline is empty but for the order that registered it, and explain says what to do', async () => {
    expect((await region.vipshift('timeline', 'web', '--kind', 'failover')).stdout).toBe('');
    const ran = await region.vipshift('explain', 'web/1');
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toMatch(/the record has no web\/1\n {2}next: vipshift timeline web/);
  });

  test('a pin on a node that never reported is refused', async () => {
    const ran = await region.vipshift('pin', 'web', '--to', b, '--reason', 'test');
    expect(ran.status).toBe(3);
    expect(ran.stderr).toMatch(/web: .* never reported/);
  });
});

describe('after a failover', () => {
  beforeAll(async () => {
    await history.says(b, 'BACKUP', 9000);
    await history.says(a, 'MASTER', 8000);
  });

  test('status shows owner, claims with age, each table’s actual target and the EIP', async () => {
    const status = await one('status', 'web');
    expect(status).toMatchObject({ health: 'well', owner: a, epoch: 1, drift: [], splitBrain: [] });
    expect(status.claims).toMatchObject([
      { node: a < b ? a : b, silent: false, member: true },
      { node: a < b ? b : a },
    ]);
    const routes = status.routes as { right: boolean; target: string }[];
    expect(routes).toHaveLength(8);
    expect(routes.every((r) => r.right && r.target === region.vpc.nodes.a.serviceEni)).toBe(true);
    expect(status.eips).toMatchObject([{ right: true, node: a }]);
    const all = await region.vipshift('status', '--check');
    expect(all).toMatchObject({ status: 0 });
    expect(all.stdout).toMatch(/^web +well +node-a +eu-central-1a +\d\S* s +node-b +8\/8 +1\/1\n$/m);
  });

  test('status --check finds drift, by table, and ends with 1', async () => {
    const table = region.vpc.tables[0]!.routeTableId;
    const route = { RouteTableId: table, DestinationCidrBlock: region.vpc.vip.ipv4 };
    await region.ec2.send(
      new ReplaceRouteCommand({ ...route, NetworkInterfaceId: region.vpc.nodes.b.serviceEni }),
    );
    const ran = await region.vipshift('status', 'web', '--check');
    expect(ran.status).toBe(1);
    expect(ran.stdout).toMatch(
      new RegExp(
        `^web {2}drift {2}${table} ${region.vpc.vip.ipv4} is ${region.vpc.nodes.b.serviceEni} of node-b \\(${b}\\), expected ${region.vpc.nodes.a.serviceEni} of node-a \\(${a}\\)\n`,
      ),
    );
    await region.ec2.send(
      new ReplaceRouteCommand({ ...route, NetworkInterfaceId: region.vpc.nodes.a.serviceEni }),
    );
  });

  test('status --watch looks again until its count is up', async () => {
    const ran = await region.vipshift('status', '--watch', '--every', '1', '--count', '2', '--json');
    expect(documents(ran.stdout)).toHaveLength(2);
  });

  test('status --watch goes on without an EC2 that does not answer for a while, and reports it', async () => {
    const down = { does: 'refuse', code: 'Unavailable', status: 503 } as const;
    // The second look, which asks twice, with the SDK's own repetitions.
    const rules = [{ on: 'DescribeRouteTables', skip: 2, times: 6, fault: down }];
    const proxy = await startFaultProxy({ target: region.aws.ec2Endpoint, rules });
    try {
      const env = { ...region.env, AWS_ENDPOINT_URL_EC2: proxy.endpoint };
      const ran = await run(['status', '--watch', '--every', '1', '--count', '3', '--json'], env);
      expect(ran.status).toBe(0);
      expect(documents(ran.stdout).map(({ health }) => health)).toEqual(['well', 'unseen', 'well']);
      expect(ran.stderr).toMatch(
        /^routes, EIPs and drift are not known: EC2 did not answer \(.*Unavailable.*\)\n$/,
      );
    } finally {
      await proxy.stop();
    }
  });

  test('explain tells cause, each table before and after, and milliseconds', async () => {
    const ran = await region.vipshift('explain', 'web');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toMatch(new RegExp(`web/1 {2}switched {2}no one → node-a \\(${a}\\)`));
    expect(ran.stdout).toMatch(/said MASTER/);
    for (const table of region.vpc.tables.filter((t) => t.labelled))
      expect(ran.stdout).toMatch(
        new RegExp(
          `^CreateRoute .*${table.routeTableId} 192.+: nothing → ${region.vpc.nodes.a.serviceEni}$`,
          'm',
        ),
      );
    expect(ran.stdout).toMatch(/\d+ ms +\d+ ms +█+ +.*read back|█.*read back/);
    const { outcome, intent } = (await one('explain', 'web/1')) as Record<string, { steps: unknown[] }>;
    expect(outcome!.steps).toHaveLength(9);
    expect(intent!.steps).toHaveLength(9);
  });

  test('explain of a self-test says when it reached the controller, and what to do while it has not', async () => {
    const atMs = epochMs(Date.now());
    const probe = { vip: 'web', node: a, seq: 1, shim: '1.0.0', sentAtMs: atMs, atMs };
    await region.timeline.probe({ ...probe, eventId: 'e-1' });
    const ran = await region.vipshift('explain', 'web/probe/e-1');
    const when = new Date(atMs).toISOString();
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toBe(`the self-test of node-a (${a}) reached the controller at ${when}\n`);
    expect(await one('explain', 'web/probe/e-1')).toMatchObject({ node: a, eventId: 'e-1', shim: '1.0.0' });
    const none = await region.vipshift('explain', 'web/probe/e-2');
    expect(none).toMatchObject({ status: 3, stdout: '' });
    expect(none.stderr).toMatch(
      /self-test e-2 of web has not reached the controller\n {2}next: wait a few seconds.*vipshift doctor web --stage dev --region eu-central-1\n/,
    );
  });

  test.each([
    ['web/probe/', /expected web\/42, or web\/probe\/ID/],
    ['web/forty', /web\/forty: not an id\n {2}next: expected web\/42/],
    ['nosuch', /the record has no nosuch\n {2}next: vipshift timeline nosuch/],
    ['web/order/1999-01-01T00:00:00.000Z', /the record has no web\/order\/1999/],
    ['web/rejected/1999-01-01T00/i-1/malformed', /the record has no web\/rejected/],
  ])('explain of %s says what is expected or where to look', async (id, says) => {
    const ran = await region.vipshift('explain', id);
    expect(ran).toMatchObject({ stdout: '' });
    expect([2, 3]).toContain(ran.status);
    expect(ran.stderr).toMatch(says);
  });

  test('a claim that was turned away stands in the timeline with its reason and count', async () => {
    await history.lies('i-0123456789abcdef0', {});
    await history.lies('i-0123456789abcdef0', {});
    await history.lies(a, { state: 'ELECTED' });
    const ran = await region.vipshift('timeline', 'web', '--kind', 'rejected', '--json');
    const rejected = [...documents(ran.stdout)].sort((x, y) => Number(y.count) - Number(x.count));
    expect(rejected).toMatchObject([
      { reason: 'not-a-member', count: 2, node: NO_MEMBER, vip: 'web' },
      { reason: 'malformed', count: 1, node: a },
    ]);
    expect((await region.vipshift('timeline', '--since', '1h')).stdout).toMatch(
      /not-a-member, 2 in the hour/,
    );
    const hour = new Date().toISOString().slice(0, 13);
    const explained = await region.vipshift('explain', `web/rejected/${hour}/${NO_MEMBER}/not-a-member`);
    expect(explained.stdout).toMatch(/example +\{.*"node":"i-0123456789abcdef0"/);
  });
});

describe('orders', () => {
  test('a freeze stops the VIP from moving, is shown, recorded, and ended by unfreeze', async () => {
    const ran = await region.vipshift('freeze', 'web', '--for', '30m', '--reason', 'window 4711');
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^web is frozen until 20.*Z\n$/);
    await history.says(b, 'MASTER', 5000);
    expect(await one('status', 'web')).toMatchObject({ health: 'frozen', owner: a });
    const unfrozen = await region.vipshift('unfreeze', '--all', '--yes');
    expect(unfrozen.stdout).toBe('web is no longer frozen\n');
    expect(unfrozen.stderr).toBe(
      `VRRP’s master is node-b (${b}): web moves there now (it is at node-a (${a}))\n`,
    );
    expect((await region.vipshift('unfreeze', 'web')).stdout).toBe('web was not frozen\n');
    await history.reconcile();
    expect(await one('status', 'web')).toMatchObject({ owner: b });
    const orders = documents((await region.vipshift('timeline', 'web', '--kind', 'order', '--json')).stdout);
    expect(
      orders.map((o) => o.order),
      'the second one ended nothing',
    ).toEqual(['add', 'freeze', 'thaw']);
    expect(orders[1]).toMatchObject({ reason: 'window 4711', by: expect.stringMatching(/^arn:/) });
    const line = (await region.vipshift('timeline', 'web', '--kind', 'order')).stdout.split('\n')[2]!;
    const [, id] = line.split(/ +/);
    const explained = await region.vipshift('explain', id!);
    expect(explained.stdout).toMatch(/web {2}freeze\n.*given.*\n.*by +arn:.*\n.*reason +window 4711/);
  });

  test('a pin makes the next reconcile move the VIP, and unpin ends it', async () => {
    const ran = await region.vipshift('pin', 'web', '--to', a, '--reason', 'kernel update', '--for', '2h');
    expect(ran.stdout).toMatch(/pinned to node-a \(i-\w+\) until .*; the controller follows within a minute/);
    await history.reconcile();
    expect(await one('status', 'web')).toMatchObject({ owner: a, pin: { node: a, reason: 'kernel update' } });
    expect((await region.vipshift('unpin', 'web', '--yes')).status).toBe(0);
    await history.reconcile();
    expect(await one('status', 'web')).toMatchObject({ owner: b });
  });

  test.each([
    ['pin without a node', ['pin', 'web', '--reason', 'x'], /missing: --to <node>/],
    ['freeze without a reason', ['freeze', 'web'], /missing: --reason <text>/],
    ['freeze of nothing', ['freeze', '--reason', 'x'], /no VIPs, or VIPs and --all/],
    ['freeze of all and one', ['freeze', 'web', '--all', '--reason', 'x'], /no VIPs, or VIPs and --all/],
    ['freeze for too long', ['freeze', 'web', '--for', '31d', '--reason', 'x'], /at most 30d/],
  ])('%s is a wrong command line', async (_what, args, says) => {
    const ran = await region.vipshift(...args);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(says);
  });

  test('an order for an unknown VIP is refused and leaves no record', async () => {
    expect((await region.vipshift('freeze', 'wbe', '--reason', 'x')).status).toBe(3);
    const timeline = await region.vipshift('timeline', 'wbe');
    expect(timeline).toMatchObject({ status: 3, stdout: '' });
    expect(timeline.stderr).toMatch(/there is no VIP wbe in the registry\n {2}next: did you mean web\?/);
    const early = await region.vipshift('timeline', 'web', '--until', '2020-01-01');
    expect(early).toMatchObject({ status: 0, stdout: '' });
    expect(early.stderr).toBe('nothing recorded up to 2020-01-01T00:00:00.000Z\n');
  });
});

describe('failover --break-glass', () => {
  test('moves the VIP from here under the controller’s own lease, and records who and why', async () => {
    const ran = await region.vipshift('failover', 'web', '--to', a, '--break-glass', '--reason', 'no Lambda');
    expect(ran.stderr).toMatch(/epoch \d+: the lease is taken; moving web/);
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(
      new RegExp(
        `^web is at node-a \\(${a}\\), epoch \\d+; it was at node-b \\(${b}\\): switched in \\d+ ms, read back from EC2\n$`,
      ),
    );
    expect(ran.stderr).toMatch(/the record in full: vipshift explain web\/\d+ --stage dev/);
    const status = await one('status', 'web');
    expect(status).toMatchObject({ owner: a, health: 'well', pin: { node: a } });
    expect(status.lease).toBeUndefined();
    expect(await one('owner', 'web')).toMatchObject({
      owner: a,
      by: { cause: { kind: 'order', by: expect.stringMatching(/^arn:/), why: 'break-glass: no Lambda' } },
    });
  });

  test('waits for a lease that another holds, and ends with 4 when that does not end', async () => {
    const vip = (await region.vips.read('web'))!;
    const cause = { kind: 'claim', why: 'someone else', atMs: epochMs(Date.now()) } as const;
    const lease = {
      holder: 'other',
      epoch: vip.epoch + 1,
      expiresAtMs: plus(epochMs(Date.now()), seconds(12)),
      cause,
    };
    await region.vips.write(vip, { ...vip, epoch: vip.epoch + 1, lease, open: { other: lease } });
    const ran = await region.vipshift('failover', 'web', '--to', b, '--break-glass', '--reason', 'again');
    expect(ran.stderr).toMatch(/is under way \(someone else\); waiting for it/);
    expect(ran.status).toBe(0);
    expect((await region.vips.read('web'))?.owner).toBe(b);
    const found = await one('explain', `web/${vip.epoch + 1}`);
    expect(found).toMatchObject({ outcome: { outcome: 'abandoned' } });
  });

  test('refuses an unfit node: nothing is taken', async () => {
    await history.says(a, 'FAULT');
    const before = (await region.vips.read('web'))!.epoch;
    const ran = await region.vipshift('failover', 'web', '--to', a, '--break-glass', '--reason', 'x');
    expect(ran.status).toBe(3);
    expect(ran.stderr).toMatch(/the last report of node-a \(i-\w+\) is FAULT/);
    expect((await region.vips.read('web'))!.epoch).toBe(before);
  });
});

describe('the past', () => {
  test('owner --at agrees with every failover of the record', async () => {
    const ran = await region.vipshift('timeline', 'web', '--kind', 'failover', '--json');
    const failovers = documents(ran.stdout).filter((f) => f.outcome === 'switched');
    expect(failovers.length).toBeGreaterThanOrEqual(5);
    for (const failover of failovers) {
      const at = new Date(Number(failover.atMs) + 50).toISOString();
      expect(await one('owner', 'web', '--at', at)).toMatchObject({ owner: failover.to });
    }
    const first = Number(failovers[0]!.atMs);
    const before = await region.vipshift('owner', 'web', '--at', new Date(first - 10_000).toISOString());
    expect(before.stdout).toMatch(/^no one\n/);
  });

  test('the same period by day, by node, by outcome and in another zone', async () => {
    const day = new Date().toISOString().slice(0, 10);
    const all = documents((await region.vipshift('timeline', '--day', day, '--json')).stdout);
    const ofWeb = documents((await region.vipshift('timeline', 'web', '--json')).stdout);
    expect(all.length).toBe(ofWeb.length);
    const switched = documents((await region.vipshift('timeline', '--outcome', 'switched', '--json')).stdout);
    expect(new Set(switched.map((r) => r.outcome))).toEqual(new Set(['switched']));
    const ofNode = documents((await region.vipshift('timeline', '--node', b, '--json')).stdout);
    const names = (r: Record<string, unknown>) => [r.from, r.to, r.node].includes(b);
    expect(ofNode, 'failovers from it and to it, each once').toEqual(ofWeb.filter(names));
    expect(ofNode.some((r) => r.from === b && r.to !== b)).toBe(true);
    expect(ofNode.some((r) => r.to === b)).toBe(true);
    const berlin = await region.vipshift('timeline', 'web', '--tz', 'Asia/Kolkata', '--limit', '1');
    expect(berlin.stdout).toMatch(/\+05:30/);
  });

  test.each([
    ['--since', 'yesterday'],
    ['--until', '2026-02-30'],
    ['--day', '2026-13-01'],
    ['--tz', 'Mars/Olympus'],
    ['--limit', '0'],
    ['--outcome', 'fine'],
    ['--kind', 'gossip'],
  ])('%s %s is a wrong command line, and the message says what is expected', async (option, text) => {
    const ran = await region.vipshift('timeline', option, text);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(/expected|Expected/);
  });
});

describe('timeline --html', () => {
  test('writes one page with every failover of the period, and refuses a file that cannot be written', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vipshift-html-'));
    try {
      const file = join(folder, 'page.html');
      const ran = await region.vipshift('timeline', 'web', '--html', file);
      expect(ran).toMatchObject({ status: 0, stderr: '' });
      const [, count] = /: (\d+) failovers\n$/.exec(ran.stdout)!;
      const page = await readFile(file, 'utf8');
      expect(page.match(/<section /g)).toHaveLength(Number(count));
      expect(page).toContain('window 4711');
      const refused = await region.vipshift('timeline', '--html', join(folder, 'none', 'page.html'));
      expect(refused).toMatchObject({ status: 3, stdout: '' });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('without AWS', () => {
  test('a missing Region and an unreachable endpoint each name the next thing to do, with status 4', async () => {
    const nowhere = await run(['vip', 'list']);
    expect(nowhere).toMatchObject({ status: 4, stdout: '' });
    expect(nowhere.stderr).toMatch(/next: name the Region/);
    for (const AWS_REGION of ['', 'no region']) {
      const odd = await run(['vip', 'list'], { ...region.env, AWS_REGION, AWS_DEFAULT_REGION: '' });
      expect(odd, AWS_REGION).toMatchObject({ status: 4, stdout: '' });
      expect(odd.stderr).toMatch(/next: name the Region/);
    }
    const profile = await region.vipshift('vip', 'list', '--profile', 'nosuch');
    expect(profile.status, 'a profile that is named goes before keys in the environment').toBe(4);
    expect(profile.stderr).toMatch(/^vipshift: .*credentials.*\n {2}next: log in/);
    const dead = await run(['vip', 'list'], { ...region.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' });
    expect(dead.status).toBe(4);
    expect(dead.stderr).toMatch(/next: AWS could not be reached/);
    const stage = await region.vipshift('vip', 'list', '--stage', 'nosuch');
    expect(stage.status).toBe(4);
    expect(stage.stderr).toMatch(/check --stage/);
  });
});

describe('a failover under way', () => {
  test('says when its last call is due, where EC2’s request budget does not last for all at once', async () => {
    const vip = (await region.vips.read('web'))!;
    const now = epochMs(Date.now());
    const cause = { kind: 'claim', why: 'a whole zone fails', atMs: now } as const;
    const epoch = vip.epoch + 1;
    const lease = { holder: 'busy', epoch, expiresAtMs: plus(now, seconds(60)), cause };
    await region.vips.write(vip, { ...vip, epoch, lease, open: { busy: lease } });
    const dueAtMs = plus(now, seconds(35));
    const intent = { entry: 'intent', vip: 'web', epoch, holder: 'busy', cause, to: b, why: 'w' } as const;
    await region.timeline.put({ ...intent, steps: [], dueAtMs, atMs: now });
    const due = new Date(dueAtMs).toISOString();
    expect(await one('status', 'web')).toMatchObject({ health: 'moving', dueAtMs });
    expect((await region.vipshift('status')).stdout).toContain(`the last call to EC2 is due ${due}`);
    expect((await region.vipshift('status', 'web')).stdout).toContain(`the last call to EC2 is due ${due}`);
    const explained = await region.vipshift('explain', `web/${epoch}`);
    expect(explained.stdout).toContain(`due       ${due}: when the last call goes out`);
    const is = (await region.vips.read('web'))!;
    const { lease: _lease, ...rest } = is;
    await region.vips.write(is, { ...rest, open: {} });
  });
});

describe('Ctrl-C', () => {
  test('while break-glass waits for another’s lease: nothing is taken, status 130, and what to do is said', async () => {
    const vip = (await region.vips.read('web'))!;
    const cause = { kind: 'claim', why: 'someone slow', atMs: epochMs(Date.now()) } as const;
    const epoch = vip.epoch + 1;
    const lease = { holder: 'slow', epoch, expiresAtMs: plus(epochMs(Date.now()), seconds(25)), cause };
    await region.vips.write(vip, { ...vip, epoch, lease, open: { slow: lease } });
    const args = ['failover', 'web', '--to', b, '--break-glass', '--reason', 'for nothing'];
    const ran = await run(args, region.env, { signalAfter: (said) => said.includes('waiting for it') });
    expect(ran).toMatchObject({ status: 130, stdout: '' });
    expect(ran.stderr).toMatch(/interrupted; .*vipshift status web/);
    expect((await region.vips.read('web'))?.lease?.holder).toBe('slow');
  });

  test('ends a watch with 130', async () => {
    const ran = await run(['status', '--watch', '--json'], region.env, {
      signalAfter: (said) => said.includes('\n'),
    });
    expect(ran.status).toBe(130);
    expect(ran.stderr).toBe('');
  });
});
