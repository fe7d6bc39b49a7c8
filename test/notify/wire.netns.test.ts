import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { VrrpEvent } from '../../lab/shim/bus.ts';
import { instanceId, type Node, roleId, signerOf, startNode } from '../../lab/shim/node.ts';
import { parseClaimEvent } from '../../shared/aws/events/claim-event.ts';

let node: Node;
beforeEach(async () => {
  node = await startNode({ 'instance VI_WEB': 'web', 'instance VI_DB': 'db, db2', 'group G_ALL': 'all' });
});
afterEach(() => node.stop());

const transitions = (): VrrpEvent[] => node.bus.claims('transition');
const ofKind = (kind: string): VrrpEvent[] => node.bus.claims(kind);

describe('an event', () => {
  test('carries the fields of the contract, signed so that an independent verifier agrees', async () => {
    await node.start();
    const wroteAtMs = Date.now();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    const event = transitions()[0]!;
    expect(event.source).toBe(`vipshift.notify/${roleId}:${instanceId}`);
    expect(event.detailType).toBe('VRRP State Change');
    expect(event.bus).toBe('vipshift-test');
    expect(event.detail).toMatchObject({
      version: 2,
      vip: 'web',
      node: instanceId,
      state: 'MASTER',
      kind: 'transition',
      instance: 'VI_WEB',
      priority: 254,
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      superseded: false,
      dropped: 0,
      shim: '1.0.0',
    });
    const { seq, since, uptimeMs, ageMs, atMs } = event.detail;
    expect(since).toBe(seq);
    expect(uptimeMs - ageMs).toBe(Math.floor(seq / 1000));
    expect(atMs).toBeGreaterThanOrEqual(wroteAtMs);
    expect(atMs).toBeLessThanOrEqual(Date.now());
    expect(node.bus.requests.every(({ fault }) => fault === undefined)).toBe(true);
  });

  test('is valid by the schema of events/, whatever its kind', async () => {
    const file = join(import.meta.dirname, '..', '..', 'events', 'vrrp-state-change.schema.json');
    const schema = JSON.parse(readFileSync(file, 'utf8')) as object;
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    await node.start();
    const states = ['MASTER', 'BACKUP', 'FAULT', 'STOP', 'DELETED', 'MASTER', 'MASTER_RX_LOWER_PRI'];
    await node.write(...states.map((state) => `INSTANCE "VI_WEB" ${state} 254`), 'vipshift probe 1');
    await node.bus.until(() => ofKind('probe').length > 0 && ofKind('assertion').length > 0);
    for (const event of node.bus.accepted) {
      const delivered = {
        version: '0',
        id: '4f0a7c1e-0000-4000-8000-000000000001',
        'detail-type': event.detailType,
        source: event.source,
        time: new Date(event.arrivedAtMs).toISOString(),
        detail: event.detail,
      };
      validate(delivered);
      expect(validate.errors ?? [], JSON.stringify(event.detail)).toEqual([]);
      expect(parseClaimEvent(delivered), 'as the controller reads it').toMatchObject({ ok: true });
    }
    expect(new Set(node.bus.accepted.map((event) => event.detail.kind))).toEqual(
      new Set(['transition', 'lower-advert', 'assertion', 'probe']),
    );
  });

  test('goes out once for each VIP of an instance, each with a number of its own; a sync group speaks too', async () => {
    await node.start();
    await node.write(
      'INSTANCE "VI_DB" BACKUP 100',
      'GROUP "G_ALL" MASTER 0',
      'INSTANCE "VI_UNKNOWN" MASTER 1',
    );
    await node.bus.until(() => transitions().length === 3);
    expect(transitions().map(({ detail }) => [detail.vip, detail.instance, detail.state])).toEqual([
      ['db', 'VI_DB', 'BACKUP'],
      ['db2', 'VI_DB', 'BACKUP'],
      ['all', 'G_ALL', 'MASTER'],
    ]);
    expect(new Set(transitions().map(({ detail }) => detail.seq)).size).toBe(3);
  });

  test('says superseded while a newer claim of its VIP waits behind it, and not because of another VIP', async () => {
    node.bus.fate = (_, entries) =>
      entries.length < 5 && transitions().length === 0 ? { kind: 'status', status: 500 } : { kind: 'accept' };
    await node.start();
    await node.write(
      'INSTANCE "VI_WEB" MASTER 254',
      'INSTANCE "VI_DB" MASTER 100',
      'INSTANCE "VI_WEB" BACKUP 254',
      'INSTANCE "VI_WEB" FAULT 254',
    );
    await node.bus.until(() => transitions().length === 5);
    expect(transitions().map(({ detail }) => `${detail.vip} ${detail.state} ${detail.superseded}`)).toEqual([
      'web MASTER true',
      'db MASTER false',
      'db2 MASTER false',
      'web BACKUP true',
      'web FAULT false',
    ]);
  });

  test('is stamped again at each attempt: its age is that of the attempt which got through', async () => {
    const attempts: VrrpEvent['detail'][] = [];
    node.bus.fate = (request, entries) => {
      attempts.push(entries[0]!.detail);
      return request <= 2 ? { kind: 'status', status: 503 } : { kind: 'accept' };
    };
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    const [first, , third] = attempts;
    expect(transitions()[0]!.detail).toEqual(third);
    // Both back-offs at their shortest, 75 and 150 ms, less one step of the clock.
    expect(third!.ageMs - first!.ageMs).toBeGreaterThanOrEqual(215);
    for (const { uptimeMs, ageMs, seq } of attempts) expect(uptimeMs - ageMs).toBe(Math.floor(seq / 1000));
  });
});

describe('a lower-advert', () => {
  test('goes out at once, and then not again within ten seconds: keepalived repeats it with every advert', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.write(...Array.from({ length: 50 }, () => 'INSTANCE "VI_WEB" MASTER_RX_LOWER_PRI 254'));
    await node.bus.until(() => ofKind('assertion').some(({ detail }) => detail.seq - detail.since > 900_000));
    expect(ofKind('lower-advert')).toHaveLength(1);
    const { detail } = ofKind('lower-advert')[0]!;
    expect(detail).toMatchObject({ state: 'MASTER', since: transitions()[0]!.detail.seq });
    expect(detail.seq).toBeGreaterThan(detail.since);
  });

  test('is kept over a failing bus, but not past a transition: it speaks of a node state that is over', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    node.bus.fate = () => ({ kind: 'status', status: 500 });
    const before = node.bus.requests.length;
    await node.write('INSTANCE "VI_WEB" MASTER_RX_LOWER_PRI 254');
    await node.bus.until(() => node.bus.requests.length > before);
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => node.bus.requests.length > before + 1);
    node.bus.fate = () => ({ kind: 'accept' });
    await node.bus.until(() => transitions().length === 2);
    await node.write('INSTANCE "VI_WEB" MASTER 254', 'INSTANCE "VI_WEB" MASTER_RX_LOWER_PRI 254');
    await node.bus.until(() => ofKind('lower-advert').length === 1);
    expect(ofKind('lower-advert')[0]!.detail.since).toBe(transitions()[2]!.detail.seq);
  });
});

describe('a bus that fails', () => {
  test('gets only the failed entries again, in their order, whatever the messages in its answer look like', async () => {
    let wereTogether = false;
    node.bus.fate = (_, entries) => {
      if (wereTogether) return { kind: 'accept' };
      if (entries.length < 6) return { kind: 'reset' };
      wereTogether = true;
      return { kind: 'partial', code: (index) => (index % 2 ? 'ThrottlingException' : undefined) };
    };
    await node.start();
    const states = ['MASTER', 'BACKUP', 'MASTER', 'BACKUP', 'FAULT', 'BACKUP'];
    await node.write(...states.map((state, index) => `INSTANCE "VI_WEB" ${state} ${index + 1}`));
    await node.bus.until(() => transitions().length === 6);
    expect(node.bus.requests.map((request) => request.entries).slice(-2)).toEqual([6, 3]);
    expect(transitions().map(({ detail }) => detail.priority)).toEqual([1, 3, 5, 2, 4, 6]);
  });

  test('is tried again at 100 ms, doubling, and at once when a new line comes', async () => {
    await node.start();
    const newest: VrrpEvent['detail'][] = [];
    node.bus.fate = (_, entries) => {
      newest.push(entries.at(-1)!.detail);
      return { kind: 'status', status: 500 };
    };
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => node.bus.requests.length === 5);
    const at = node.bus.requests.map((request) => request.atMs);
    for (const [index, wait] of [100, 200, 400, 800].entries()) {
      const gap = at[index + 1]! - at[index]!;
      expect(gap, `attempt ${index + 2}`).toBeGreaterThan(wait * 0.7);
    }
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => newest.at(-1)!.state === 'BACKUP');
    // By the shim's own clock, from the line to the attempt: the back-off alone is 1.2 s or more by now.
    expect(newest.at(-1)!.ageMs).toBeLessThan(1000);
  });

  test('that never answers is given up after two seconds, and lines that come meanwhile keep their own time', async () => {
    node.bus.fate = (request) => (request === 1 ? { kind: 'hang' } : { kind: 'accept' });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => node.bus.requests.length === 1);
    const wroteAtMs = Date.now();
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2);
    const [first, second] = transitions();
    expect(first!.detail.ageMs).toBeGreaterThan(1900);
    expect(second!.detail.atMs).toBeGreaterThanOrEqual(wroteAtMs);
    expect(second!.detail.ageMs).toBeGreaterThan(0);
    // The clock of ages has steps of 10 ms.
    expect(second!.detail.atMs + second!.detail.ageMs).toBeLessThanOrEqual(second!.arrivedAtMs + 20);
  });

  test('that calls one entry malformed does not hold up the others: it is dropped, and that is told', async () => {
    node.bus.fate = (_, entries) => ({
      kind: 'partial',
      code: (index) => (entries[index]!.detail.priority === 1 ? 'MalformedDetail' : undefined),
    });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 1', 'INSTANCE "VI_WEB" BACKUP 2');
    await node.bus.until(() => transitions().length === 1);
    await node.write('INSTANCE "VI_WEB" MASTER 3');
    await node.bus.until(() => transitions().length === 2);
    // By the next one that is sent: the second line, where the shim was so slow that it read each alone.
    expect(transitions().reduce((told, { detail }) => told + detail.dropped, 0)).toBe(1);
  });

  test('that refuses a whole request as invalid is asked with one entry at a time: only the bad one goes', async () => {
    node.bus.fate = (_, entries) =>
      entries.some(({ detail }) => detail.priority === 2)
        ? { kind: 'status', status: 400, body: '{"__type":"ValidationException","message":"no"}' }
        : { kind: 'accept' };
    await node.start();
    await node.write(
      'INSTANCE "VI_WEB" MASTER 1',
      'INSTANCE "VI_WEB" BACKUP 2',
      'INSTANCE "VI_WEB" MASTER 3',
    );
    await node.bus.until(() => transitions().length === 2);
    // The newest first, whatever waits.
    expect(transitions().map(({ detail }) => detail.priority)).toEqual([3, 1]);
    await node.bus.until(() => ofKind('assertion').length > 0);
    expect(ofKind('assertion')[0]!.detail.dropped).toBe(1);
  });

  test.each(['<html>welcome</html>', ''])(
    'whose 200 says only %j is not believed: some proxy answered',
    async (body) => {
      node.bus.fate = (request) =>
        request === 2 ? { kind: 'status', status: 200, body } : { kind: 'accept' };
      await node.start();
      await node.write('INSTANCE "VI_WEB" MASTER 254');
      await node.bus.until(() => transitions().length === 1);
      await node.write('INSTANCE "VI_WEB" BACKUP 254');
      await node.bus.until(() => transitions().length === 2);
      expect(node.bus.requests.length).toBeGreaterThanOrEqual(3);
    },
  );

  test('is asked without any proxy of the environment, and the shim reports that', async () => {
    await node.start({
      https_proxy: 'http://127.0.0.1:9',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      ALL_PROXY: 'http://127.0.0.1:9',
    });
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    await expect
      .poll(() => node.stderr(), { timeout: 60_000 })
      .toMatch(/^<4>a proxy in the environment .* is not used: .* proxy = http:\/\/HOST:PORT/m);
  });
});

describe('signatures', () => {
  test('with keys that were taken away are refused; fresh ones are fetched at once, not at their expiry', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    node.credentials = {
      ...node.credentials,
      accessKeyId: 'ASIALAB0000000000002',
      secretAccessKey: 'other/Secret+',
    };
    node.bus.signer = signerOf(node.credentials);
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2);
    // The old ones would have ended in six hours.
    const faults = node.bus.requests.map(({ fault }) => fault);
    expect([faults[0], faults.at(-1)]).toEqual([undefined, undefined]);
    expect(faults.find((fault) => fault !== undefined)).toContain('access key');
  });
});
