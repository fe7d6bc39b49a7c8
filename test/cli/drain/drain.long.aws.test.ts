// `vipshift drain` and `undrain`, from the front door on the local AWS: where the VIPs go, what refuses it, what the record says, and
// where they are when it ends.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { calm } from '../../../lab/aws/stack/calm.ts';
import { epochMs } from '../../../shared/time.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import { documents } from '../front-door/command-line.ts';
import { type Region, startRegion } from '../region.ts';
import { type History, historyOf } from '../timeline/history.ts';

let region: Region;
let history: History;
let a: string;
let b: string;
let mastersSince: number;
beforeAll(async () => {
  region = await startRegion();
  history = historyOf(region);
  a = region.vpc.nodes.a.instanceId;
  b = region.vpc.nodes.b.instanceId;
  const { ipv4 } = region.vpc.vip;
  await region.vipshift('vip', 'add', 'web', '-a', ipv4, '-e', region.vpc.eip.allocationId);
});
afterAll(() => region?.stop());

const read = async () => (await region.vips.read('web'))!;
/** With these orders and no other. */
const ordered = async (over: Partial<Vip> = {}) => {
  const vip = await read();
  const { pin: _pin, freeze: _freeze, forced: _forced, drains: _drains, hold: _hold, ...rest } = vip;
  await region.vips.write(vip, { ...rest, hold: 'both', ...over });
};
const untilMs = epochMs(Date.now() + 3_600_000);
const until = new Date(untilMs).toISOString();
const by = { by: 'alice', reason: 'change 1', untilMs };
const why = ['--reason', 'kernel update'];

/** a is keepalived's master and owns the VIP; b stands by; nothing is ordered. */
beforeEach(async () => {
  await calm(region.vips, 'web');
  await ordered();
  await history.says(b, 'BACKUP');
  mastersSince = Date.now();
  await history.says(a, 'MASTER');
  await history.reconcile();
  expect((await read()).owner).toBe(a);
});

describe('drain', () => {
  test('is followed by the next claim of the drained master itself: routes only, with the drain as the cause', async () => {
    const ran = await region.vipshift('drain', a, '--for', '2h', ...why, '--detach');
    const goes = `web goes from ${a} to ${b}, routes only\n`;
    expect(ran).toMatchObject({ status: 0, stdout: goes });
    expect(ran.stderr).toMatch(goes);
    expect(ran.stderr).toMatch(
      new RegExp(
        `when the drain ends at \\S+Z, web goes back to ${a} unless keepalived’s master is ${b} by then\n`,
      ),
    );
    await history.repeats(a, 'MASTER', mastersSince);
    expect(await read()).toMatchObject({ owner: b, drains: { [a]: { reason: 'kernel update' } } });
    const [told] = documents((await region.vipshift('timeline', 'web', '--limit', '1', '--json')).stdout);
    expect(told).toMatchObject({
      ...{ from: a, to: b, outcome: 'switched', reason: { key: 'drained', node: b, other: a } },
      cause: {
        kind: 'order',
        why: expect.stringMatching(`^${a} is drained until \\S+Z by .*: kernel update$`),
      },
    });
    const waits = await region.vipshift('drain', a, ...why);
    expect(waits).toMatchObject({ status: 0 });
    expect(waits.stdout).toMatch(/^web is at i-\w+, epoch \d+\n$/);
    expect(waits.stderr).toMatch(`it replaces, in web: ${a} is drained until`);
  });

  test('is in the record of its VIP and of its node, and in status', async () => {
    await region.vipshift('drain', a, ...why, '--detach');
    const orders = await region.vipshift('timeline', 'web', '--kind', 'order', '--node', a, '--json');
    expect(documents(orders.stdout).at(-1)).toMatchObject({
      order: 'drain',
      node: a,
      reason: 'kernel update',
    });
    const shown = await region.vipshift('status', 'web');
    expect(shown.stdout).toMatch(/drained until \S+Z by .*: kernel update/);
  });

  test('leaves the VIP with the last node that can have it, reports it, and ends with 1', async () => {
    await history.says(b, 'FAULT');
    const ran = await region.vipshift('drain', a, ...why);
    expect(ran).toMatchObject({ status: 1 });
    expect(ran.stdout).toMatch(`web stays at ${a}: no other node is eligible`);
    await history.reconcile();
    expect((await read()).owner).toBe(a);
  });

  test('of all nodes moves nothing', async () => {
    const ran = await region.vipshift('drain', a, b, ...why);
    expect(ran).toMatchObject({ status: 1 });
    await history.reconcile();
    expect(await read()).toMatchObject({ owner: a, drains: { [a]: {}, [b]: {} } });
  });

  test('leaves a frozen VIP where it is, with the command to unfreeze it', async () => {
    await ordered({ freeze: by });
    const ran = await region.vipshift('drain', a, ...why);
    expect(ran).toMatchObject({ status: 1 });
    expect(ran.stdout).toMatch(
      `web stays at ${a}: it is frozen until ${until}; to let it move: vipshift unfreeze web`,
    );
    expect((await read()).owner).toBe(a);
    const shown = await region.vipshift('status', 'web');
    expect(shown.stdout).toMatch(/^next +vipshift unfreeze web --stage dev --region eu-central-1$/m);
  });

  test('takes the zone of a node for it, and refuses what no node is called', async () => {
    const { zone } = region.vpc.nodes.b;
    const ran = await region.vipshift('drain', zone, ...why);
    expect(ran).toMatchObject({ status: 0 });
    expect(Object.keys((await read()).drains!)).toEqual([b]);
    const none = await region.vipshift('drain', 'node-x', ...why);
    expect(none).toMatchObject({ status: 3, stdout: '' });
    expect(none.stderr).toMatch(/node node-x: no node of the registry is called so/);
  });

  test('does not take a pin away, and says that it is suspended', async () => {
    await ordered({ pin: { node: a, ...by } });
    const ran = await region.vipshift('drain', a, ...why, '--detach');
    expect(ran.stderr).toMatch(
      `suspended while the node is drained: the pin of web on ${a} until ${until} by alice: change 1\n`,
    );
    await history.reconcile();
    expect(await read()).toMatchObject({ owner: b, pin: { node: a } });
  });

  test('is refused of a node to which a forced failover is under way, and of a stranger', async () => {
    const now = epochMs(Date.now());
    await ordered({ forced: { execution: 'change-4711', node: b, from: a, ...by, atMs: now } });
    const ran = await region.vipshift('drain', b, ...why);
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toMatch(/vipshift failover --follow change-4711 /);
    expect((await read()).drains).toBeUndefined();
    const stranger = await region.vipshift('drain', 'i-0abc1234def567890', ...why);
    expect(stranger).toMatchObject({ status: 3, stdout: '' });
    expect(stranger.stderr).toMatch('i-0abc1234def567890: a member of no VIP');
  });

  test('keeps others from being sent there: pin, failover and break-glass are refused', async () => {
    await region.vipshift('drain', b, ...why);
    const pin = await region.vipshift('pin', 'web', '--to', b, ...why);
    expect(pin).toMatchObject({ status: 3, stdout: '' });
    expect(pin.stderr).toContain(`web: node-b (${b}) is drained until`);
    const glass = await region.vipshift('failover', 'web', '--to', b, '--break-glass', ...why);
    expect(glass).toMatchObject({ status: 3, stdout: '' });
    expect(glass.stderr).toMatch(`vipshift undrain ${b}`);
    const dry = await region.vipshift('failover', 'web', '--to', b, '--break-glass', '--dry-run', ...why);
    expect(dry).toMatchObject({ status: 1 });
  });

  test.each([
    ['longer than 72 h', ['--for', '73h', ...why], /no drain lasts longer than 72h/],
    ['without a reason', [], /missing: --reason <text>/],
  ])('%s is refused', async (_what, options, text) => {
    const ran = await region.vipshift('drain', a, ...options);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toMatch(text);
  });
});

describe('undrain', () => {
  const ends = () => `it ends, in web: ${a} is drained until ${until} by alice: change 1\n`;
  test('of a VIP that it moves names the node, and without a terminal needs --yes', async () => {
    await ordered({ drains: { [a]: by } });
    await history.reconcile();
    expect((await read()).owner).toBe(b);
    const ran = await region.vipshift('undrain', a, '--stage', 'dev');
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).toBe(
      `${ends()}VRRP’s master is ${a}: web moves there now (it is at ${b})\nvipshift: cannot ask: stdin is not a terminal\n  next: to let it move: vipshift undrain ${a} --yes --stage dev --region eu-central-1\n`,
    );
    expect((await read()).drains).toBeDefined();
    const meant = await region.vipshift('undrain', a, '--yes');
    expect(meant).toMatchObject({ status: 0, stdout: `${a} is no longer drained in web\n` });
    expect((await read()).drains).toBeUndefined();
    await history.reconcile();
    expect((await read()).owner).toBe(a);
  });

  test('moves nothing where keepalived’s master is elsewhere by then, and does not ask', async () => {
    await ordered({ drains: { [a]: by } });
    await history.says(b, 'MASTER');
    await history.says(a, 'BACKUP');
    const ran = await region.vipshift('undrain', a);
    expect(ran).toMatchObject({ status: 0, stdout: `${a} is no longer drained in web\n` });
    expect(ran.stderr).toBe(`${ends()}web: nothing moves: newest MASTER is ${b}, it stays at ${b}\n`);
  });

  test('of what is not drained changes nothing', async () => {
    expect(await region.vipshift('undrain', a)).toMatchObject({
      ...{ status: 0, stdout: '', stderr: `${a} is not drained\n` },
    });
  });
});

test('a drain that has run out ends silently, and reconcile takes it out of the item', async () => {
  await history.says(b, 'MASTER');
  await history.says(a, 'BACKUP');
  await ordered({ drains: { [a]: { ...by, untilMs: epochMs(Date.now() - 1) } } });
  await history.reconcile();
  expect((await read()).drains).toBeUndefined();
  expect((await read()).owner).toBe(b);
});
