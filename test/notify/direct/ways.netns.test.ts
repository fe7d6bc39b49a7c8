// Both ways from one spool entry: the bus and the function URL.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { errorType } from '../../../lab/shim/direct.ts';
import { shimPath } from '../../../lab/shim/node.ts';
import { both, busIsBack, busIsDown, node, ofKind, onTheBus, start, stopsAfterEach } from './both-ways.ts';

stopsAfterEach();

/** On a busy machine a call may come to nothing, and is said again only while the bus has not taken the claim. */
const busWaitsFor = (calls: number): void => {
  node.bus.fate = () =>
    node.direct.taken.length >= calls ? { kind: 'accept' } : { kind: 'status', status: 503 };
};

describe('a transition', () => {
  test('goes both ways, the same claim, each signed for its service', async () => {
    await both();
    busWaitsFor(1);
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await Promise.all([
      node.bus.until(() => onTheBus().length === 1),
      node.direct.until(() => node.direct.taken.length >= 1),
    ]);
    const { uptimeMs, ageMs, ...claim } = onTheBus()[0]!.detail;
    expect(node.direct.taken[0]).toMatchObject(claim);
    expect(node.direct.calls.every(({ fault }) => fault === undefined)).toBe(true);
    expect(uptimeMs - ageMs).toBe(Math.floor(claim.seq / 1000));
    await expect
      .poll(() => node.status(), { timeout: 60_000 })
      .toMatchObject({ direct: node.direct.url, directError: null });
    expect(node.status().directLastSaidAtMs).toEqual(expect.any(Number));
  });

  test('of several VIPs is one call for each of them', async () => {
    await both({ 'instance VI_DB': 'db, db2' });
    busWaitsFor(2);
    await node.start();
    await node.write('INSTANCE "VI_DB" BACKUP 100');
    await node.direct.until(() => node.direct.taken.length >= 2);
    expect(new Set(node.direct.taken.map(({ vip }) => vip))).toEqual(new Set(['db', 'db2']));
  });

  test('goes by the bus alone where no function URL is configured', async () => {
    await start();
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => onTheBus().length === 1);
    expect(node.direct.calls).toEqual([]);
    expect(node.status()).toMatchObject({ direct: null });
  });

  test('that the function URL took stays in the spool until the bus has it, and is not said again', async () => {
    await both();
    busIsDown();
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.direct.until(() => ofKind('transition').length === 1);
    const before = node.bus.requests.length;
    await node.bus.until(() => node.bus.requests.length >= before + 3);
    await node.write('INSTANCE "VI_WEB" BACKUP 254', 'INSTANCE "VI_WEB" FAULT 254');
    await node.direct.until(() => ofKind('transition').at(-1)!.state === 'FAULT');
    await expect.poll(() => node.status(), { timeout: 60_000 }).toMatchObject({ spooled: 3 });
    const said = ofKind('transition').map(({ seq }) => seq);
    expect(new Set(said).size, 'each once').toBe(said.length);
    busIsBack();
    await node.bus.until(() => onTheBus().length === 3);
    expect(onTheBus().map(({ detail }) => `${detail.state} ${detail.superseded}`)).toEqual([
      'MASTER true',
      'BACKUP true',
      'FAULT false',
    ]);
    expect(onTheBus().map(({ detail }) => detail.seq)).toEqual(expect.arrayContaining(said));
  });

  test('survives a shim that is killed between the two', async () => {
    await both();
    busIsDown();
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.direct.until(() => ofKind('transition').length === 1);
    await node.kill('SIGKILL');
    busIsBack();
    await node.start();
    await node.bus.until(() => onTheBus().length === 1);
    expect(onTheBus()[0]!.detail.seq).toBe(ofKind('transition')[0]!.seq);
  });
});

describe('selftest', () => {
  const selftest = async () => {
    const child = spawn(shimPath, ['selftest', '--config', node.configFile], {
      env: { PATH: process.env.PATH ?? '' },
    });
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const [status] = (await once(child, 'close')) as [number];
    return { status, out };
  };

  test('sends a probe each way, and has both ids', async () => {
    await both();
    await node.start();
    const { status, out } = await selftest();
    expect(out).toContain('web: taken by bus vipshift-test as event event-1');
    expect(out).toContain('web: taken by the function URL as call call-1');
    expect(status).toBe(5);
    expect(ofKind('probe')[0]).toMatchObject({ vip: 'web', seq: node.bus.claims('probe')[0]!.detail.seq });
  });

  test('says why the function URL refuses, and fails', async () => {
    await both();
    node.direct.fate = () => ({ kind: 'answer', status: 403, headers: errorType('AccessDeniedException') });
    await node.start();
    const { status, out } = await selftest();
    expect(out).toContain('web: taken by bus vipshift-test as event event-1');
    expect(out).toContain(
      'web: not taken by the direct way: the function URL answered HTTP 403: AccessDeniedException',
    );
    expect(out).toContain('the direct way is broken, see above; the bus is not');
    expect(status).toBe(1);
  });
});
