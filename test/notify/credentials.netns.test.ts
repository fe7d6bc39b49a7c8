import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { VrrpEvent } from '../../lab/shim/bus.ts';
import { instanceId, type Node, roleId, signerOf, startNode } from '../../lab/shim/node.ts';

let node: Node;
beforeEach(async () => {
  node = await startNode();
});
afterEach(() => node.stop());

const transitions = (): VrrpEvent[] => node.bus.claims('transition');
const keyRequests = (): number =>
  node.imds.requests.filter((request) => request.endsWith('/security-credentials/vipshift-node')).length;

/** Every command line and environment that belongs to this node's processes, as any user of the machine could read them. */
function visible(): string {
  const texts: string[] = [];
  for (const pid of readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && Number(name) !== process.pid,
  )) {
    try {
      const cmdline = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (cmdline.includes(node.folder)) texts.push(cmdline, readFileSync(`/proc/${pid}/environ`, 'utf8'));
    } catch {
      // It ended meanwhile.
    }
  }
  return texts.join('\n');
}

describe('secrets', () => {
  test('are never on a command line or in an environment, at start, while sending and while refreshing', async () => {
    const seen: string[] = [];
    // Looks whenever the bus, STS or IMDS is being asked, which is when curl runs.
    node.bus.fate = (request) => {
      seen.push(visible());
      return request === 1
        ? { kind: 'status', status: 400, body: '{"__type":"ExpiredTokenException"}' }
        : { kind: 'accept' };
    };
    const { credentials } = node;
    Object.defineProperty(node, 'credentials', {
      get: () => {
        seen.push(visible());
        return credentials;
      },
    });
    Object.defineProperty(node, 'userId', {
      get: () => {
        seen.push(visible());
        return `${roleId}:${instanceId}`;
      },
    });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254', 'INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2 && keyRequests() >= 2);
    expect(seen.filter((text) => text.includes('curl')).length).toBeGreaterThan(3);
    for (const secret of [credentials.secretAccessKey, credentials.sessionToken, credentials.accessKeyId])
      expect(seen.join('\n')).not.toContain(secret);
    expect(seen.join('\n')).not.toContain('x-aws-ec2-metadata-token:');
  });

  test('lie in files that only their owner reads', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    for (const folder of ['run', 'state'])
      for (const name of readdirSync(`${node.folder}/${folder}`))
        expect(statSync(`${node.folder}/${folder}/${name}`).mode & 0o777, name).toBe(0o600);
    for (const name of readdirSync(`${node.folder}/state`))
      expect(readFileSync(`${node.folder}/state/${name}`, 'utf8')).not.toContain(
        node.credentials.secretAccessKey,
      );
  });
});

describe('the user id', () => {
  test('is learned from STS once and kept on disk: a second start does not ask again', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    const [askedSts, askedKeys] = [node.sts.callers.length, keyRequests()];
    expect(askedSts).toBeGreaterThan(0);
    await node.kill();
    writeFileSync(`${node.folder}/run/credentials`, '');
    await node.start();
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2);
    expect(keyRequests()).toBeGreaterThan(askedKeys);
    expect(node.sts.callers).toHaveLength(askedSts);
  });

  test('is learned again after a denial: the role may have been recreated under its old name', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    node.userId = `AROANEW0000000000001:${instanceId}`;
    node.bus.fate = (_, entries) =>
      entries[0]!.source.includes('AROANEW')
        ? { kind: 'accept' }
        : {
            kind: 'status',
            status: 400,
            body: '{"__type":"AccessDeniedException","Message":"not authorized"}',
          };
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2);
    expect(transitions()[1]!.source).toBe(`vipshift.notify/AROANEW0000000000001:${instanceId}`);
  });

  test('of a denied entry is learned again, too: EventBridge may refuse one entry inside a 200', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    node.userId = `AROANEW0000000000001:${instanceId}`;
    node.bus.fate = (_, entries) => ({
      kind: 'partial',
      code: () => (entries[0]!.source.includes('AROANEW') ? undefined : 'NotAuthorizedForSourceException'),
    });
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2);
  });

  test('of another instance, left on disk by an image, is not used', async () => {
    const { mkdirSync } = await import('node:fs');
    mkdirSync(`${node.folder}/state`);
    writeFileSync(
      `${node.folder}/state/identity`,
      `${roleId}:i-0fff000000000000f i-0fff000000000000f vipshift-node\n`,
    );
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    expect(transitions()[0]!.source).toContain(instanceId);
  });

  test('that does not name this instance is refused: its user id proves nothing', async () => {
    node.userId = `${roleId}:some-session`;
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await expect.poll(() => node.stderr(), { timeout: 60_000 }).toContain('so its user id proves nothing');
    expect(node.bus.requests).toHaveLength(0);
  });

  test('comes from role_id where a node has no way to STS', async () => {
    await node.stop();
    node = await startNode({ role_id: 'AROACONFIG0000000001', endpoint_sts: 'http://127.0.0.1:9' });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    expect(transitions()[0]!.source).toBe(`vipshift.notify/AROACONFIG0000000001:${instanceId}`);
  });
});

describe('credentials', () => {
  test('of the shim before are used at once: after a restart nothing waits for the metadata service', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    await node.kill();
    const before = node.imds.requests.length;
    await node.start();
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2);
    expect(node.imds.requests.length).toBe(before);
  });

  test('that end within ten minutes are renewed ahead of their end', async () => {
    node.credentials = { ...node.credentials, expiresAtMs: Date.now() + 3_600_000 };
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    await node.kill();
    const about = `${node.folder}/run/credentials.about`;
    const soon = Math.floor(Date.now() / 1000) + 300;
    writeFileSync(about, readFileSync(about, 'utf8').replace(/^\d+/, String(soon)));
    const before = keyRequests();
    await node.start();
    await expect.poll(keyRequests, { timeout: 60_000 }).toBeGreaterThan(before);
  });

  test('that the metadata service does not give are asked for again and again, the claims waiting', async () => {
    await node.imds.stop();
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await expect.poll(() => node.stderr(), { timeout: 60_000 }).toContain('no IMDSv2 token');
    await expect.poll(() => node.status(), { timeout: 60_000 }).toMatchObject({ spooled: 1, user: null });
    const { startImds } = await import('../../lab/aws/imds.ts');
    const again = await startImds({
      port: Number(new URL(node.imds.url).port),
      instanceId,
      roleName: 'vipshift-node',
      region: 'eu-west-1',
      credentials: () => node.credentials,
    });
    try {
      await node.bus.until(() => transitions().length === 1);
    } finally {
      await again.stop();
    }
    expect(transitions()[0]!.detail.ageMs).toBeGreaterThan(50);
  });

  test('that expired are fetched again when the bus refuses them, whatever their end was', async () => {
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    const before = keyRequests();
    node.credentials = { ...node.credentials, sessionToken: 'newToken==' };
    node.bus.signer = signerOf(node.credentials);
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2);
    expect(keyRequests()).toBeGreaterThan(before);
    // A request that was signed with the old ones may still be under way, and its refusal fetch once more.
    expect(node.bus.requests.some(({ fault }) => fault !== undefined)).toBe(true);
  });
});
