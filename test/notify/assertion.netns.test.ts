import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { VrrpEvent } from '../../lab/shim/bus.ts';
import { type Node, shimPath, startNode } from '../../lab/shim/node.ts';
import { type Keepalived, startKeepalived } from './keepalived.ts';

const CLOCK_STEP_US = 10_000;

let node: Node;
let keepalived: Keepalived | undefined;
afterEach(async () => {
  await keepalived?.kill();
  keepalived?.remove();
  keepalived = undefined;
  await node.stop();
});

const ofKind = (kind: string): VrrpEvent[] => node.bus.claims(kind);
const assertions = (): VrrpEvent['detail'][] => ofKind('assertion').map((event) => event.detail);

describe('without a keepalived that can be asked', () => {
  beforeEach(async () => {
    node = await startNode({ 'instance VI_DB': 'db' });
  });

  test('a MASTER asserts 1, 3 and 10 s after its transition and 10 s later, a BACKUP not again by then', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254', 'INSTANCE "VI_DB" BACKUP 100');
    const since = (vip: string): VrrpEvent['detail'][] => assertions().filter((detail) => detail.vip === vip);
    // The shim may be late on a busy machine, early by one step of its clock: each counts for the second that it was due at.
    const dueAt = ({ seq, since }: VrrpEvent['detail']): number =>
      [20, 10, 3, 1].find((second) => seq - since >= second * 1e6 - CLOCK_STEP_US) ?? 0;
    const seconds = (vip: string): number[] =>
      since(vip)
        .map(dueAt)
        .filter((second) => second > 0);
    await node.bus.until(() => seconds('web').includes(20));
    expect(seconds('web')).toEqual([1, 3, 10, 20]);
    expect(seconds('db')).toEqual([1, 3, 10]);
    expect(new Set(since('web').map((detail) => detail.since)).size, 'all speak of the one transition').toBe(
      1,
    );
    expect(since('web').every((detail) => detail.stateFrom === 'fifo')).toBe(true);
  });

  test('a changed priority is no transition, and is asserted at once', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => assertions().length > 0);
    await node.write('INSTANCE "VI_WEB" MASTER_PRIORITY 200');
    await node.bus.until(() => assertions().at(-1)!.priority === 200);
    expect(ofKind('transition')).toHaveLength(1);
    expect(assertions().at(-1)!.since).toBe(ofKind('transition')[0]!.detail.seq);
  });

  test('nothing is asserted while the spool waits: the transition has to come first', async () => {
    await node.start();
    node.bus.fate = (_, entries) =>
      entries.some(({ detail }) => detail.kind === 'transition') && node.bus.requests.length < 6
        ? { kind: 'status', status: 500 }
        : { kind: 'accept' };
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => assertions().length > 0);
    expect(node.bus.accepted[0]!.detail.kind).toBe('transition');
  });

  test('an assertion that the bus refused is not sent again: the next one says more', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => ofKind('transition').length === 1);
    let refused = 0;
    node.bus.fate = (_, entries) => {
      if (entries[0]!.detail.kind !== 'assertion' || refused > 0) return { kind: 'accept' };
      refused = entries[0]!.detail.seq;
      return { kind: 'status', status: 500 };
    };
    await node.bus.until(() => refused > 0 && assertions().some((detail) => detail.seq > refused));
    expect(assertions().map((detail) => detail.seq)).not.toContain(refused);
  });
});

describe('with a keepalived that can be asked', () => {
  const start = async (): Promise<void> => {
    await node.start({ PATH: keepalived!.path });
  };
  beforeEach(async () => {
    keepalived = await startKeepalived();
    node = await startNode(keepalived.config);
  });

  test('an assertion tells what keepalived says, priority included', async () => {
    keepalived!.say({
      VI_OTHER: { state: 1, priority: 1, changedAtMs: 0 },
      VI_WEB: { state: 2, priority: 200, changedAtMs: Date.now() },
    });
    await start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => assertions().length > 0);
    expect(assertions()[0]).toMatchObject({ state: 'MASTER', priority: 200, stateFrom: 'keepalived' });
    expect(assertions()[0]!.since).toBe(ofKind('transition')[0]!.detail.seq);
  });

  test('a transition that the shim never heard of is told at its start, as of when keepalived made it', async () => {
    const changedAtMs = Date.now() - 5000;
    keepalived!.say({ VI_WEB: { state: 2, priority: 254, changedAtMs } });
    await start();
    await node.bus.until(() => ofKind('transition').length === 1);
    const { detail } = ofKind('transition')[0]!;
    expect(detail).toMatchObject({ state: 'MASTER', priority: 254, atMs: changedAtMs });
    expect(detail.since).toBe(detail.seq);
    expect(detail.ageMs).toBeGreaterThan(4900);
  });

  test('a line that was lost with a killed shim is made up for', async () => {
    keepalived!.say({ VI_WEB: { state: 2, priority: 254, changedAtMs: Date.now() } });
    await start();
    await node.bus.until(() => ofKind('transition').length === 1);
    await node.kill('SIGKILL');
    keepalived!.say({ VI_WEB: { state: 1, priority: 254, changedAtMs: Date.now() } });
    await start();
    // The first may come twice, under its one number: it was killed as the bus took it.
    await node.bus.until(() => ofKind('transition').at(-1)!.detail.state === 'BACKUP');
    const [first, second] = [ofKind('transition')[0]!.detail, ofKind('transition').at(-1)!.detail];
    expect(second.since).toBeGreaterThan(first.since);
  });

  test('a clock that was set does not date a transition before the one that is known, nor into the future', async () => {
    keepalived!.say({ VI_WEB: { state: 2, priority: 254, changedAtMs: Date.now() + 3_600_000 } });
    await start();
    await node.bus.until(() => ofKind('transition').length === 1);
    const first = ofKind('transition')[0]!.detail;
    expect(first.atMs).toBeLessThanOrEqual(Date.now());
    keepalived!.say({ VI_WEB: { state: 1, priority: 254, changedAtMs: first.atMs - 60_000 } });
    await node.bus.until(() => ofKind('transition').length === 2);
    const second = ofKind('transition')[1]!.detail;
    expect(second.state).toBe('BACKUP');
    expect(second.since).toBeGreaterThan(first.since);
    expect(second.atMs).toBeGreaterThan(first.atMs);
  });

  test('a keepalived that died is not spoken for: a dead node has to fall silent', async () => {
    keepalived!.say({ VI_WEB: { state: 2, priority: 254, changedAtMs: Date.now() } });
    await start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => assertions().length > 0);
    await keepalived!.kill();
    const before = assertions().length;
    await node.write('vipshift probe 1');
    await node.bus.until(() => ofKind('probe').length === 1);
    // The assertions at 3 s and, after another line, at 1 s would have come by then.
    await node.write('INSTANCE "VI_WEB" FAULT 254');
    await node.bus.until(() => ofKind('transition').length === 2);
    await node.write('INSTANCE "VI_WEB" STOP 254');
    await node.bus.until(() => assertions().some((detail) => detail.state === 'STOP'));
    const later = assertions()
      .slice(before)
      .map((detail) => detail.state);
    expect(later.filter((state) => state !== 'STOP')).toEqual([]);
  });

  test('an instance that keepalived no longer has is not asserted: its answer is whole, and has others', async () => {
    keepalived!.say({ VI_WEB: { state: 2, priority: 254, changedAtMs: Date.now() } });
    await start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => assertions().length > 0);
    keepalived!.say({
      VI_FRONT: { state: 3, priority: 254, changedAtMs: Date.now() },
      VI_B: { state: 1, priority: 1, changedAtMs: 0 },
    });
    await expect
      .poll(() => node.stderr(), { timeout: 60_000 })
      .toMatch(/^<3>keepalived has no instance VI_WEB; it has VI_FRONT, VI_B: /m);
    const before = assertions().length;
    expect(node.status()).toMatchObject({ instanceError: expect.stringContaining('no instance VI_WEB') });
    // By the time of the probe those at 3 and 10 s are over.
    await expect
      .poll(() => node.status().vips, { timeout: 60_000 })
      .toMatchObject([{ forMs: expect.toSatisfy((ms: number) => ms > 10_500) }]);
    expect(assertions()).toHaveLength(before);
    keepalived!.say({ VI_WEB: { state: 2, priority: 254, changedAtMs: Date.now() } });
    await node.bus.until(() => assertions().length > before);
    await expect
      .poll(() => node.stderr(), { timeout: 60_000 })
      .toContain('<6>over: keepalived has no instance VI_WEB');
  });

  test('a change that no line announced is reported as that: the FIFO is not set, or keepalived was not reloaded', async () => {
    keepalived!.say({ VI_WEB: { state: 1, priority: 254, changedAtMs: Date.now() - 60_000 } });
    await start();
    await node.bus.until(() => ofKind('transition').length === 1);
    expect(node.stderr()).not.toContain('nothing came through');
    keepalived!.say({ VI_WEB: { state: 2, priority: 254, changedAtMs: Date.now() + 1500 } });
    await node.bus.until(() => ofKind('transition').length === 2);
    await expect
      .poll(() => node.status(), { timeout: 60_000 })
      .toMatchObject({
        wiringError: expect.stringMatching(/nothing came through the FIFO|does not have the FIFO .* open/),
      });
    await expect
      .poll(() => node.stderr(), { timeout: 60_000 })
      .toMatch(
        /^<3>keepalived .*is vrrp_notify_fifo set in keepalived.conf, and was keepalived reloaded since\?$/m,
      );
  });
});

describe('a pid file that names no keepalived', () => {
  test.each([
    ['999999999', 'a number that no process has'],
    ['1', 'another program'],
    ['', 'nothing'],
    ['abc', 'no number'],
  ])('(%j: %s) is reported, and nothing is asserted', async (pid) => {
    node = await startNode();
    const file = `${node.folder}/keepalived.pid`;
    writeFileSync(file, `${pid}\n`);
    writeFileSync(
      node.configFile,
      readFileSync(node.configFile, 'utf8').replace(/^keepalived_pid.*$/m, `keepalived_pid = ${file}`),
    );
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await expect
      .poll(() => node.stderr(), { timeout: 60_000 })
      .toMatch(
        /^<3>.*keepalived\.pid names no running keepalived \(.*\): nothing is asserted; keepalived_pid = none/m,
      );
    expect(node.status()).toMatchObject({ keepalived: 'gone', keepalivedError: expect.any(String) });
    await expect
      .poll(() => node.status().vips, { timeout: 60_000 })
      .toMatchObject([{ forMs: expect.toSatisfy((ms: number) => ms > 3500) }]);
    expect(assertions()).toHaveLength(0);
  });

  test('names a dead one after a kill: status says that it is gone', async () => {
    keepalived = await startKeepalived();
    node = await startNode(keepalived.config);
    keepalived.say({ VI_WEB: { state: 2, priority: 254, changedAtMs: Date.now() } });
    await node.start({ PATH: keepalived.path });
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => assertions().length > 0);
    await keepalived.kill();
    const text = execFileSync(shimPath, ['status', '--config', node.configFile], { encoding: 'utf8' });
    expect(text).toMatch(
      /^VIP web\s+keepalived is gone, so nothing is reported; its last word was MASTER, \d+ s ago, by INSTANCE VI_WEB$/m,
    );
  });
});
