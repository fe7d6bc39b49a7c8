// Both ways from one spool entry: the bus and the function URL, neither in the other's way.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type CallFate, errorType } from '../../../lab/shim/direct.ts';
import { both, busIsBack, busIsDown, node, ofKind, onTheBus, stopsAfterEach } from './both-ways.ts';

stopsAfterEach();

const refusal = (status: number, headers: Readonly<Record<string, string>> = {}): CallFate => ({
  kind: 'answer',
  status,
  headers,
  body: '{"Message":"Forbidden"}',
});
const occurrences = (text: string): number => node.stderr().split(text).length - 1;

describe('neither way waits for the other', () => {
  test('a function URL that hangs: the bus takes one transition after the other while its callers wait', async () => {
    await both();
    node.direct.fate = () => ({ kind: 'hang' });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.direct.until(() => node.direct.open.size === 1);
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => onTheBus().length === 2);
    expect(node.status()).toMatchObject({ lastError: null });
  });

  test('a bus that hangs: the function URL has a transition which came after that', async () => {
    await both();
    node.bus.fate = () => ({ kind: 'hang' });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => node.bus.requests.length === 1);
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.direct.until(() => ofKind('transition').length === 2);
    expect(node.bus.requests, 'the first is still under way').toHaveLength(1);
  });

  test('a call that takes its time does not hold up the next', async () => {
    await both();
    let answer = (): void => undefined;
    const after = new Promise<void>((resolve) => {
      answer = resolve;
    });
    node.direct.fate = (call) => (call === 1 ? { kind: 'late', after } : { kind: 'take' });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.direct.until(() => node.direct.taken.length === 1);
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.direct.until(() => node.direct.taken.length === 2);
    answer();
  });

  test.each<[string, CallFate]>([
    ['429', refusal(429)],
    ['502', refusal(502)],
    ['a connection that is cut', { kind: 'reset' }],
    ['an answer that is lost', { kind: 'lost' }],
  ])('%s: the bus has the transition, and while it has not, the claim is said again', async (_, fate) => {
    await both();
    busIsDown();
    node.direct.fate = (call) => (call <= 2 ? fate : { kind: 'take' });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.direct.until(() => node.direct.calls.length === 3);
    expect(new Set(node.direct.calls.map(({ detail }) => detail.seq)).size).toBe(1);
    busIsBack();
    await node.bus.until(() => onTheBus().length === 1);
  });
});

test('a curl that never ends, as by a name server that does not answer: four at most, given up, and the bus has it all', async () => {
  await both();
  const calls = `${node.folder}/calls`;
  const wrapper = `#!/bin/bash\n[[ "$*" == *--parallel* ]] || exec /usr/bin/curl "$@"\necho $$ >>${calls}\nexec sleep 600\n`;
  writeFileSync(`${node.folder}/curl`, wrapper, { mode: 0o755 });
  writeFileSync(calls, '');
  await node.start({ PATH: `${node.folder}:${process.env.PATH}` });
  const pids = (): number[] => readFileSync(calls, 'utf8').split('\n').filter(Boolean).map(Number);
  const isThere = (pid: number): boolean => existsSync(`/proc/${pid}`);
  for (let n = 0; n < 8; n++) {
    await node.write(`INSTANCE "VI_WEB" ${n % 2 ? 'BACKUP' : 'MASTER'} ${n}`);
    await node.bus.until(() => onTheBus().length === n + 1);
    expect(pids().filter(isThere).length).toBeLessThanOrEqual(4);
  }
  await expect.poll(() => node.stderr(), { timeout: 60_000 }).toContain('curl did not end in time');
  await expect.poll(() => pids().filter(isThere), { timeout: 60_000 }).toEqual([]);
});

describe('a refusal', () => {
  test('of Lambda is said once, whatever comes; the bus goes on, and the way rests', async () => {
    await both();
    node.direct.fate = () => refusal(403, errorType('AccessDeniedException'));
    await node.start();
    for (const state of ['MASTER', 'BACKUP', 'FAULT', 'BACKUP', 'MASTER']) {
      const before = onTheBus().length;
      await node.write(`INSTANCE "VI_WEB" ${state} 254`);
      await node.bus.until(() => onTheBus().length > before);
    }
    await expect
      .poll(() => node.stderr(), { timeout: 60_000 })
      .toContain('<3>the function URL answered HTTP 403: AccessDeniedException');
    expect(occurrences('AccessDeniedException')).toBe(1);
    expect(node.direct.calls.length).toBeLessThan(5);
    await expect
      .poll(() => node.status())
      .toMatchObject({
        directError: 'the function URL answered HTTP 403: AccessDeniedException',
        lastError: null,
      });
  });

  test('of the controller has its reason, and the claim is not said again', async () => {
    await both();
    busIsDown();
    node.direct.fate = () => refusal(404, { 'vipshift-reason': 'not-a-member' });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await expect
      .poll(() => node.stderr(), { timeout: 60_000 })
      .toContain('<3>the controller refused the claim of web: not-a-member (HTTP 404)');
    const before = node.bus.requests.length;
    await node.bus.until(() => node.bus.requests.length >= before + 3);
    expect(node.direct.calls.filter(({ detail }) => detail.kind === 'transition')).toHaveLength(1);
  });

  test.each([
    ['a name that no one has', 'https://vipshift-direct.invalid', 'curl status 6 on the direct way'],
    ['no route', 'https://127.0.0.1:9', 'curl status 7 on the direct way'],
  ])('%s is said once, and the bus has every transition', async (_, url, message) => {
    await both({ direct: url, allow_http: 'yes' });
    await node.start();
    for (const state of ['MASTER', 'BACKUP', 'FAULT']) {
      const before = onTheBus().length;
      await node.write(`INSTANCE "VI_WEB" ${state} 254`);
      await node.bus.until(() => onTheBus().length > before);
    }
    await expect.poll(() => node.stderr(), { timeout: 60_000 }).toContain(message);
    expect(occurrences(message)).toBe(1);
  });

  test('of TLS is said once, and the bus has every transition', async () => {
    await both();
    // Speaks no TLS.
    const url = node.imds.url.replace('http:', 'https:');
    const text = readFileSync(node.configFile, 'utf8').replace(/^direct = .*$/m, `direct = ${url}`);
    writeFileSync(node.configFile, text);
    await node.start();
    for (const state of ['MASTER', 'BACKUP']) {
      const before = onTheBus().length;
      await node.write(`INSTANCE "VI_WEB" ${state} 254`);
      await node.bus.until(() => onTheBus().length > before);
    }
    await expect.poll(() => node.stderr(), { timeout: 60_000 }).toContain('curl status 35 on the direct way');
    expect(occurrences('curl status 35')).toBe(1);
  });
});

describe('an assertion', () => {
  const asserted = () => ofKind('assertion').length;

  test('goes by the bus alone while that works', async () => {
    await both();
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => node.bus.claims('assertion').length === 2);
    expect(asserted()).toBe(0);
  });

  test('goes directly once the bus has failed for two, whatever waits in the spool, and by the bus alone when that is back', async () => {
    await both();
    busIsDown();
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.direct.until(() => asserted() >= 2);
    expect(node.bus.accepted).toEqual([]);
    await expect.poll(() => node.status(), { timeout: 60_000 }).toMatchObject({ spooled: 1 });
    busIsBack();
    await node.bus.until(() => onTheBus().length === 1);
    const before = asserted();
    await node.bus.until(() => node.bus.claims('assertion').length >= 1);
    expect(asserted()).toBe(before);
  });

  test('does not go before a transition that this way has not said', async () => {
    await both();
    busIsDown();
    node.direct.fate = (_, { kind }) => (kind === 'transition' ? refusal(500) : { kind: 'take' });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.direct.until(() => node.direct.calls.length >= 6);
    expect(new Set(node.direct.calls.map(({ detail }) => detail.kind))).toEqual(new Set(['transition']));
  });
});
