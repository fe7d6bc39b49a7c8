// What the command line does to a VIP while a forced failover of it is under way: it never pulls the rug from under it, and a
// freeze stops it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { epochMs } from '../../shared/time.ts';
import type { Forced, Vip } from '../../shared/vip/vip.ts';
import { documents, run } from './front-door/command-line.ts';
import { type Region, startRegion } from './region.ts';

let region: Region;
let forced: Forced;
beforeAll(async () => {
  region = await startRegion();
  const { vpcId } = region.vpc;
  await region.vipshift('vip', 'add', 'web', '--address', '192.168.255.10', '--vpc', vpcId);
});
afterAll(() => region?.stop());

const b = () => `node-b (${id('b')})`;

const id = (name: 'a' | 'b') => region.vpc.nodes[name].instanceId;
const web = async (): Promise<Vip> => (await region.vips.read('web'))!;
const nodeState = {
  ...{
    bootId: 'boot',
    bootAtMs: 0,
    stampMs: 1000,
    upMs: 0,
    since: 1,
    seq: 1,
    state: 'BACKUP' as const,
    priority: 100,
  },
  ...{ hiMs: 1, young: true, atMs: 1, slot: 1, seenMs: 1 },
};

/** Ann's order from a to b has begun a moment ago; both nodes are fit. */
beforeEach(async () => {
  const now = Date.now();
  forced = {
    ...{ execution: 'change-4711', node: id('b'), from: id('a'), by: 'ann', reason: 'patching' },
    ...{ atMs: epochMs(now), untilMs: epochMs(now + 600_000) },
  };
  const claims = { [id('a')]: nodeState, [id('b')]: nodeState };
  const { pin: _pin, freeze: _freeze, ...was } = await web();
  await region.vips.write(await web(), { ...was, claims, heard: [1], forced });
});

const why = ['--reason', 'x'];

describe('while a forced failover is under way', () => {
  test.each<[string, () => readonly string[], RegExp]>([
    [
      'a pin to another node',
      () => ['pin', 'web', '--to', id('a'), ...why],
      /it is not pinned to node-a \(i-/,
    ],
    ['its removal', () => ['vip', 'remove', 'web', '--force'], /it is not removed/],
    ['other addresses', () => ['vip', 'set', 'web', '-a', '192.168.255.11'], /its entry is not changed/],
    ['another hold', () => ['vip', 'set', 'web', '--hold', 'master'], /its entry is not changed/],
  ])(
    'refuses %s: names whose it is, since when, and what to do; nothing is changed',
    async (_what, args, says) => {
      const before = await web();
      const ran = await region.vipshift(...args());
      expect(ran).toMatchObject({ status: 3, stdout: '' });
      expect(ran.stderr).toMatch(
        new RegExp(
          `a forced failover of web to node-b \\(${id('b')}\\) is under way \\(change-4711, ordered by ann, begun \\S+Z: patching\\): ${says.source}`,
        ),
      );
      expect(ran.stderr).toContain(
        'next: wait for its end: vipshift failover --follow change-4711 --stage dev --region eu-central-1; or cancel it, which rolls it back: vipshift freeze web',
      );
      expect(await web()).toEqual(before);
    },
  );

  test('refuses to apply a file that changes the entry', async () => {
    const { vpcId } = region.vpc;
    const file = `vips:\n  web: { vpc: ${vpcId}, addresses: [192.168.255.12] }\n`;
    const ran = await run(['apply', '-', '--yes'], region.env, { stdin: file });
    expect(ran.status).not.toBe(0);
    expect(ran.stderr).toContain(`a forced failover of web to ${b()} is under way`);
    expect((await web()).addresses).toEqual(['192.168.255.10/32']);
  });

  test('lets pass what does not touch it: a pin to its own node, which VIP goes first', async () => {
    expect(await region.vipshift('pin', 'web', '--to', id('b'), ...why)).toMatchObject({ status: 0 });
    expect(await region.vipshift('vip', 'set', 'web', '--priority', 'first', '--yes')).toMatchObject({
      status: 0,
    });
    expect((await web()).forced).toEqual(forced);
  });

  test('refuses to take away the pin that it has set, and takes away another', async () => {
    const { untilMs, by, reason } = forced;
    const own = { node: id('b'), untilMs, by, reason };
    await region.vips.write(await web(), { ...(await web()), pin: own });
    const ran = await region.vipshift('unpin', 'web');
    expect(ran.status).toBe(3);
    expect(ran.stderr).toContain('the pin is its own, and stays until its end');
    await region.vips.write(await web(), { ...(await web()), pin: { ...own, by: 'bob' } });
    expect(await region.vipshift('unpin', 'web')).toMatchObject({ status: 0 });
    expect((await web()).pin).toBeUndefined();
  });

  test('cancels it by a freeze, and reports it', async () => {
    const ran = await region.vipshift('freeze', 'web', ...why);
    expect(ran.stdout).toMatch(
      /^web is frozen until \S+; the forced failover change-4711 is cancelled and rolled back\n$/,
    );
    expect(await web()).toMatchObject({ freeze: { reason: 'x' } });
    expect((await web()).forced).toBeUndefined();
  });

  test('cancels it by a freeze, as data', async () => {
    const ran = await region.vipshift('freeze', 'web', ...why, '--json');
    expect(documents(ran.stdout)).toEqual([expect.objectContaining({ cancelled: 'change-4711' })]);
  });

  test('cancels it by break-glass, which is for when a workflow is stuck, and reports it', async () => {
    const ran = await region.vipshift('failover', 'web', '--to', id('a'), '--break-glass', ...why);
    expect(ran.stderr).toContain(`cancelled: a forced failover of web to ${b()} is under way (change-4711`);
    expect(await web()).toMatchObject({ pin: { node: id('a') } });
    expect((await web()).forced).toBeUndefined();
  });

  test('forbids nothing once it has run out', async () => {
    await region.vips.write(await web(), {
      ...(await web()),
      forced: { ...forced, untilMs: epochMs(Date.now()) },
    });
    expect(await region.vipshift('pin', 'web', '--to', id('a'), ...why)).toMatchObject({ status: 0 });
  });
});
