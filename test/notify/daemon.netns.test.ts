import { execFileSync, spawn } from 'node:child_process';
import { linkSync, renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { VrrpEvent } from '../../lab/shim/bus.ts';
import { instanceId, type Node, residentBytes, roleId, shimPath, startNode } from '../../lab/shim/node.ts';

let node: Node;
beforeEach(async () => {
  node = await startNode({ 'group G_DB': 'db' });
});
afterEach(() => node.stop());

const transitions = (): VrrpEvent[] => node.bus.claims('transition');
const probes = (): VrrpEvent[] => node.bus.accepted.filter((event) => event.detail.kind === 'probe');

/** Not by spawnSync: bus, IMDS and STS live in this process. */
function shim(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(shimPath, [...args, '--config', node.configFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, stdout, stderr })));
}

test('the daemon stays under 8 MB after a thousand transitions and a bus that was away meanwhile', async () => {
  const child = await node.start();
  node.bus.fate = () => ({ kind: 'status', status: 500 });
  const states = Array.from({ length: 1000 }, (_, index) => (index % 2 ? 'BACKUP' : 'MASTER'));
  await node.write(...states.map((state) => `INSTANCE "VI_WEB" ${state} 254`));
  await node.bus.until(() => node.bus.requests.length > 5);
  const full = residentBytes(child.pid!);
  node.bus.fate = () => ({ kind: 'accept' });
  await node.write('INSTANCE "VI_WEB" BACKUP 254');
  await node.bus.until(() => transitions().at(-1)?.detail.superseded === false, 300_000);
  expect(full).toBeLessThan(8e6);
  expect(residentBytes(child.pid!)).toBeLessThan(8e6);
}, 330_000);

test('a second daemon on the same folders is refused: two would draw the same numbers', async () => {
  await node.start();
  await node.write('INSTANCE "VI_WEB" MASTER 254');
  await node.bus.until(() => transitions().length === 1 && node.bus.accepted.length > 1);
  const second = await shim('run');
  expect(second.status).toBe(1);
  expect(second.stderr).toMatch(/already running as process \d+/);
});

test('a FIFO that is recreated under its name is followed, and what lay in the old one is not lost', async () => {
  await node.start();
  await node.write('INSTANCE "VI_WEB" MASTER 1');
  await node.bus.until(() => transitions().length === 1);
  const fifo = `${node.folder}/notify.fifo`;
  // In one step, as the shim makes a FIFO itself where there is none.
  execFileSync('mkfifo', ['-m', '600', `${fifo}.new`]);
  linkSync(fifo, `${fifo}.old`);
  renameSync(`${fifo}.new`, fifo);
  // As keepalived does, which made it and holds it open.
  const maker = await open(fifo, 'r+');
  try {
    await maker.write('INSTANCE "VI_WEB" BACKUP 2\n');
    await node.bus.until(() => transitions().length === 2);
  } finally {
    await maker.close();
  }
  await expect.poll(() => node.stderr(), { timeout: 60_000 }).toContain('is another one now');
});

describe('status', () => {
  test('says of a running shim what it sent, what waits, and how each VIP stands', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => node.bus.accepted.some(({ detail }) => detail.kind === 'assertion'));
    await expect
      .poll(() => node.status(), { timeout: 60_000 })
      .toMatchObject({
        running: true,
        version: '1.0.0',
        bus: 'vipshift-test',
        node: instanceId,
        user: `${roleId}:${instanceId}`,
        region: 'eu-west-1',
        spooled: 0,
        dropped: 0,
        lastError: null,
        vips: [
          { vip: 'web', state: 'MASTER', priority: 254, voice: 'INSTANCE VI_WEB' },
          { vip: 'db', state: 'UNKNOWN', voice: 'GROUP G_DB' },
        ],
      });
    const text = await shim('status');
    expect(text.status).toBe(0);
    expect(text.stdout).toContain('VIP web      MASTER for');
    expect(text.stdout).toContain('VIP db       no word of GROUP G_DB yet');
  });

  test('of a bus that fails gives its last words, and what waits behind them', async () => {
    node.bus.fate = () => ({
      kind: 'status',
      status: 400,
      body: '{"__type":"x#Throttling\\"Exception","message":"a \\"b\\" c"}',
    });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => node.bus.requests.length >= 3);
    await expect
      .poll(() => node.status(), { timeout: 60_000 })
      .toMatchObject({ spooled: 1, lastError: expect.stringContaining('refused the request') });
  });

  test('of a shim that does not run has status 4, and still tells what waits on disk', async () => {
    node.bus.fate = () => ({ kind: 'status', status: 500 });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254', 'INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => node.bus.requests.some(({ entries }) => entries === 2));
    await node.kill('SIGKILL');
    const ended = await shim('status', '--json');
    expect(ended.status).toBe(4);
    expect(JSON.parse(ended.stdout)).toMatchObject({ running: false, pid: null, spooled: 2 });
  });
});

describe('selftest', () => {
  let page: Server | undefined;
  afterEach(() => {
    page?.close();
    page?.closeAllConnections();
    page = undefined;
  });

  test('sends a probe for every VIP through FIFO and daemon, and says how the record is read: 5, not 0', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    const ended = await shim('selftest');
    expect(ended.status).toBe(5);
    expect(probes().map(({ detail }) => detail.vip)).toEqual(['web', 'db']);
    expect(probes()[0]!.detail).toMatchObject({ state: 'MASTER', since: transitions()[0]!.detail.seq });
    expect(ended.stdout).toMatch(/web: taken by bus vipshift-test as event event-\d+/);
    expect(ended.stdout).toMatch(/npx vipshift explain web\/probe\/event-\d+/);
  });

  const show = async (text: () => string): Promise<string> => {
    page = createServer((_, response) => response.end(text()));
    await new Promise<void>((resolve) => page!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(page.address() as AddressInfo).port}/`;
  };

  test('is well only if the page of --confirm-url names the events: a 200 of the bus proves nothing', async () => {
    await node.start();
    let looks = 0;
    const url = await show(() =>
      ++looks < 2 ? 'nothing yet' : node.bus.accepted.map((_, index) => `event-${index + 1}`).join(),
    );
    const ended = await shim('selftest', '--confirm-url', url);
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout).toContain('recorded every probe');
  });

  test('gives the reason of a bus that refuses', async () => {
    await node.start();
    node.bus.fate = () => ({
      kind: 'status',
      status: 403,
      body: '{"__type":"AccessDeniedException","message":"no"}',
    });
    const ended = await shim('selftest');
    expect(ended.status).toBe(1);
    expect(ended.stdout).toContain(
      'web: not taken by the bus: the bus refused the request: AccessDeniedException: no',
    );
  });

  test('without a daemon is refused: nothing would read the FIFO', async () => {
    expect(await shim('selftest')).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('not running'),
    });
  });
});
