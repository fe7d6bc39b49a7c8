// A failover needs no disk: disks that are full or read-only neither empty the spool nor keep the node from reporting.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { VrrpEvent } from '../../../lab/shim/bus.ts';
import { type Node, startNode } from '../../../lab/shim/node.ts';

const flags = process.getuid?.() === 0 ? ['-m'] : ['-Urm'];

let node: Node;
let holder: ChildProcess;

/** Small disks of their own for these folders of the node, in a mount namespace that outlives the shim. */
async function mountDisks(...names: string[]): Promise<void> {
  for (const name of names) mkdirSync(`${node.folder}/${name}`, { mode: 0o700 });
  const mounts = names.map((name) => `mount -t tmpfs -o size=64k,mode=700 none ${node.folder}/${name}`);
  const script = `set -e; ${['true', ...mounts].join('; ')}; echo mounted; exec sleep infinity`;
  holder = spawn('unshare', [...flags, 'bash', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(holder.stdout!, 'data');
}
/** With the holder's root: where the tests run in a chroot, the namespace's own is another. */
const entering = (): string[] => [
  'nsenter',
  '--root',
  '-t',
  String(holder.pid),
  ...flags.map((flag) => flag.replace('r', '')),
];
const inside = (...command: string[]): string => {
  const [program, ...args] = [...entering(), ...command];
  return execFileSync(program!, args, { encoding: 'utf8' });
};
/** Where the disk is seen from outside. */
const at = (name: string): string => `/proc/${holder.pid}/root${node.folder}/${name}`;
function fill(name: string): void {
  try {
    writeFileSync(at(`${name}/filler`), Buffer.alloc(128 * 1024));
  } catch {
    // Full now, which is the purpose.
  }
}
const start = (): Promise<ChildProcess> => node.start({}, { by: entering() });
const status = (): Record<string, unknown> =>
  JSON.parse(
    inside(
      `${import.meta.dirname}/../../../notify/vipshift-notify`,
      'status',
      '--json',
      '--config',
      node.configFile,
    ),
  );

const transitions = (): VrrpEvent['detail'][] => node.bus.claims('transition').map(({ detail }) => detail);
const states = (): string[] =>
  [...new Map(transitions().map((detail) => [detail.seq, detail])).values()]
    .sort((a, b) => a.seq - b.seq)
    .map(({ state }) => state);
const failing = () => ({ kind: 'status', status: 500 }) as const;

beforeEach(async () => {
  node = await startNode();
});
afterEach(async () => {
  await node.stop();
  const ended = once(holder, 'exit');
  holder.kill('SIGKILL');
  await ended;
});

describe('a full disk under the spool', () => {
  test('keeps what lies there: after a restart and a kill it is sent', async () => {
    await mountDisks('state');
    node.bus.fate = failing;
    await start();
    await node.write('INSTANCE "VI_WEB" STOP 254', 'INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => node.bus.requests.some(({ entries }) => entries === 2));
    fill('state');
    await node.kill();
    await start();
    await expect
      .poll(() => status(), { timeout: 60_000 })
      .toMatchObject({
        spooled: 2,
        spoolError: expect.stringMatching(/cannot write .*\/state\/spool: is the disk full or read-only\?/),
      });
    await node.kill('SIGKILL');
    expect(readFileSync(at('state/spool'), 'utf8').match(/^\+ /gm)).toHaveLength(2);
    node.bus.fate = () => ({ kind: 'accept' });
    await start();
    await node.bus.until(() => transitions().length >= 2);
    expect(states()).toEqual(['STOP', 'BACKUP']);
  });

  test('keeps no line from the journal, which goes on in run_dir: one that came meanwhile survives a kill', async () => {
    await mountDisks('state');
    node.bus.fate = failing;
    await start();
    await node.write('INSTANCE "VI_WEB" MASTER 1');
    await node.bus.until(() => node.bus.requests.length > 0);
    fill('state');
    await node.write(
      ...Array.from(
        { length: 60 },
        (_, index) => `INSTANCE "VI_WEB" ${index % 2 ? 'MASTER' : 'BACKUP'} ${index}`,
      ),
    );
    await expect.poll(() => status(), { timeout: 60_000 }).toMatchObject({ spooled: 61 });
    expect(status()).toMatchObject({ spoolError: expect.stringContaining('meanwhile the spool is kept in') });
    await node.kill('SIGKILL');
    node.bus.fate = () => ({ kind: 'accept' });
    await start();
    await node.bus.until(() => states().length === 61);
  });

  test('is no fault of the node’s identity: a node that never had one reports at once', async () => {
    await mountDisks('state');
    fill('state');
    await start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    expect(status()).toMatchObject({ credentialsError: null });
  });

  test('that gets room again has the spool again, and says that it is over', async () => {
    await mountDisks('state');
    fill('state');
    node.bus.fate = failing;
    await start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await expect
      .poll(() => status(), { timeout: 60_000 })
      .toMatchObject({ spooled: 1, spoolError: expect.any(String) });
    rmSync(at('state/filler'));
    await expect.poll(() => status(), { timeout: 90_000 }).toMatchObject({ spoolError: null });
    expect(readFileSync(at('state/spool'), 'utf8')).toMatch(/^\+ .* MASTER 254 web /m);
    await expect.poll(() => node.stderr(), { timeout: 30_000 }).toMatch(/^<6>over: cannot write/m);
  });
});

test('a read-only disk under the spool is said once, and the node reports', async () => {
  await mountDisks('state');
  inside('mount', '-o', 'remount,ro', `${node.folder}/state`);
  await start();
  await node.write('INSTANCE "VI_WEB" MASTER 254');
  await node.bus.until(() => transitions().length === 1);
  await node.write('INSTANCE "VI_WEB" BACKUP 254');
  await node.bus.until(() => transitions().length === 2);
  expect(node.stderr().match(/^<3>cannot write .*spool/gm)).toHaveLength(1);
});

test.each([
  ['full', (name: string) => fill(name)],
  ['read-only', (name: string) => void inside('mount', '-o', 'remount,ro', `${node.folder}/${name}`)],
])('with every folder %s the node reports all the same, with keys that lie nowhere', async (_, spoil) => {
  await mountDisks('run', 'state');
  for (const name of ['run', 'state']) spoil(name);
  await start();
  await node.write('INSTANCE "VI_WEB" MASTER 254');
  await node.bus.until(() => transitions().length === 1);
  node.credentials = { ...node.credentials, accessKeyId: 'ASIALAB0000000000002' };
  node.bus.signer = { ...node.bus.signer, accessKeyId: 'ASIALAB0000000000002' };
  await node.write('INSTANCE "VI_WEB" BACKUP 254');
  await node.bus.until(() => transitions().length === 2);
  await expect
    .poll(() => node.stderr(), { timeout: 60_000 })
    .toContain('meanwhile the spool is kept in memory only');
});

test('a run_dir that fills up while the shim runs keeps nothing from the bus', async () => {
  await mountDisks('run');
  await start();
  await node.write('INSTANCE "VI_WEB" MASTER 254');
  await node.bus.until(() => transitions().length === 1);
  // A body that lay there could be cut.
  expect(inside('sh', '-c', `grep -l Entries ${node.folder}/run/* || true`)).toBe('');
  fill('run');
  await node.write('INSTANCE "VI_WEB" BACKUP 254');
  await node.bus.until(() => transitions().length === 2);
  expect(node.bus.requests.every(({ entries }) => entries > 0)).toBe(true);
  expect(status(), 'the last whole one').toMatchObject({ running: true });
});

test('a state_dir that others may write is not used, and one that was repaired is', async () => {
  await mountDisks();
  mkdirSync(`${node.folder}/state`);
  chmodSync(`${node.folder}/state`, 0o777);
  await node.start();
  await node.write('INSTANCE "VI_WEB" MASTER 254');
  await node.bus.until(() => transitions().length === 1);
  await expect
    .poll(() => node.status(), { timeout: 60_000 })
    .toMatchObject({
      spoolError: expect.stringMatching(/has mode 777, so that others may write it: chmod go-w/),
    });
  chmodSync(`${node.folder}/state`, 0o700);
  await expect.poll(() => node.status(), { timeout: 90_000 }).toMatchObject({ spoolError: null });
});
