// Files that go away under the running shim, or that say what they cannot: it goes on, and asserts nothing that it does not know.
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { VrrpEvent } from '../../../lab/shim/bus.ts';
import { type Node, startNode } from '../../../lab/shim/node.ts';
import { type Keepalived, startKeepalived } from '../keepalived.ts';

let node: Node;
afterEach(() => node.stop());

const ofKind = (kind: string): VrrpEvent['detail'][] => node.bus.claims(kind).map(({ detail }) => detail);
const transitions = () => ofKind('transition');
const failing = () => ({ kind: 'status', status: 500 }) as const;
const configure = (change: (text: string) => string): void =>
  writeFileSync(node.configFile, change(readFileSync(node.configFile, 'utf8')));

describe('a file of the shim’s own that someone removes while it runs', () => {
  beforeEach(async () => {
    node = await startNode();
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
  });

  test('keeps no claim from the bus where it is the one with the keys', async () => {
    rmSync(`${node.folder}/run/credentials`);
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2);
  });

  test('with its whole run_dir is said, and there is a status again', async () => {
    rmSync(`${node.folder}/run`, { recursive: true });
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2);
    await expect.poll(() => node.stderr(), { timeout: 60_000 }).toMatch(/^<6>over: .*\/run is gone/m);
    await expect
      .poll(() => node.status(), { timeout: 60_000 })
      .toMatchObject({ running: true, runDirError: null });
    expect(statSync(`${node.folder}/run`).mode & 0o777).toBe(0o700);
  });

  test.each(['state/spool', 'state'])('loses no claim where it is %s: it is made again', async (path) => {
    node.bus.fate = failing;
    rmSync(`${node.folder}/${path}`, { recursive: true });
    await node.write('INSTANCE "VI_WEB" FAULT 254');
    // Said once it is in the journal.
    await expect.poll(() => node.stderr(), { timeout: 60_000 }).toContain('VIP web: FAULT');
    await node.kill('SIGKILL');
    // A request of the one that was killed may still be on its way.
    const killedAtMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
    node.bus.fate = (_, entries) =>
      entries[0]!.detail.uptimeMs > killedAtMs ? { kind: 'accept' } : failing();
    await node.start();
    await node.bus.until(() => transitions().length === 2);
    expect(transitions()[1]!.state).toBe('FAULT');
  });
});

describe('a journal', () => {
  test('with numbers of the future, names that are none and states that keepalived has not, is read as far as it makes sense', async () => {
    node = await startNode();
    await node.start();
    await node.kill('SIGKILL');
    const spool = `${node.folder}/state/spool`;
    const seq = Number(/^seq (\d+)$/m.exec(readFileSync(spool, 'utf8'))![1]);
    const claim = (number: number, state: string, name: string) =>
      `+ ${number} ${number} 1 ${state} 254 web INSTANCE ${name}\n`;
    writeFileSync(
      spool,
      [
        readFileSync(spool, 'utf8'),
        'seq 999999999999999999\n',
        'word web MASTER 254 8000000000000000\n',
        claim(8_000_000_000_000_000, 'MASTER', 'VI_WEB'),
        claim(seq + 1, 'MASTER', 'VI"},{"x'),
        claim(seq + 2, 'EVIL', 'VI_WEB'),
        claim(seq + 3, 'FAULT', 'VI_WEB'),
      ].join(''),
    );
    await node.start();
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2);
    expect(transitions().map(({ state }) => state)).toEqual(['FAULT', 'BACKUP']);
    const uptimeUs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e6;
    expect(transitions()[1]!.seq).toBeLessThanOrEqual(uptimeUs + 20_000);
  });

  test('that is a folder is no journal: the spool is kept elsewhere, and nothing is put into it', async () => {
    node = await startNode();
    mkdirSync(`${node.folder}/state/spool/inner`, { recursive: true, mode: 0o700 });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    expect(node.status()).toMatchObject({ spoolError: expect.stringContaining('/state/spool') });
    expect(execFileSync('ls', [`${node.folder}/state/spool`], { encoding: 'utf8' })).toBe('inner\n');
    expect(node.stderr()).toMatch(/^(<[346]>[^<\n]+\n)+$/);
  });

  test('has the word of an instance, which is not asserted for the one that the VIP is given to now', async () => {
    node = await startNode({ 'instance VI_WEB': 'web', 'instance VI_DB': 'db' });
    await node.start();
    await node.write('INSTANCE "VI_WEB" MASTER 254', 'INSTANCE "VI_DB" BACKUP 100');
    await node.bus.until(() => transitions().length === 2);
    await node.kill();
    configure((text) =>
      text
        .replace(/^instance VI_WEB.*$/m, 'instance VI_WEB = db')
        .replace(/^instance VI_DB.*$/m, 'instance VI_DB = web'),
    );
    const before = node.bus.accepted.length;
    await node.start();
    expect(node.status()).toMatchObject({ vips: [{ state: 'UNKNOWN' }, { state: 'UNKNOWN' }] });
    // Whatever is asserted goes before it, the spool being empty.
    await node.write('vipshift probe 1');
    await node.bus.until(() => ofKind('probe').length === 2);
    expect(ofKind('probe').map(({ state }) => state)).toEqual(['BACKUP', 'BACKUP']);
    await node.write('INSTANCE "VI_DB" MASTER 100');
    await node.bus.until(() =>
      ofKind('assertion').some(({ vip, state }) => vip === 'web' && state === 'MASTER'),
    );
    expect(
      node.bus.accepted.slice(before).filter(({ detail }) => detail.kind !== 'probe' && detail.vip === 'db'),
    ).toEqual([]);
  });
});

test.each([
  ['region', 'us-west-2'],
  ['role_id', 'AROACONFIG0000000001'],
])('a corrected %s counts at once, not when the keys are fetched again', async (key, value) => {
  node = await startNode();
  await node.start();
  await node.write('INSTANCE "VI_WEB" MASTER 254');
  await node.bus.until(() => transitions().length === 1);
  await node.kill();
  configure((text) => `${text}${key} = ${value}\n`);
  // As where a clock was set back meanwhile.
  utimesSync(node.configFile, 0, 0);
  if (key === 'region') node.bus.signer = { ...node.bus.signer, region: value };
  await node.start();
  await node.write('INSTANCE "VI_WEB" BACKUP 254');
  await node.bus.until(() => transitions().length === 2);
  const { fault } = node.bus.requests.at(-1)!;
  expect([fault, node.bus.requests.filter((request) => request.fault !== undefined)]).toEqual([
    undefined,
    [],
  ]);
  if (key === 'role_id') expect(node.bus.accepted.at(-1)!.source).toContain(value);
});

describe('keepalived’s answer in a folder where others may write', () => {
  let keepalived: Keepalived;
  let file: string;
  beforeEach(async () => {
    keepalived = await startKeepalived();
    node = await startNode(keepalived.config);
    file = keepalived.config.keepalived_json!;
  });
  afterEach(async () => {
    await keepalived.kill();
    keepalived.remove();
  });
  const answer = JSON.stringify([
    { data: { iname: 'VI_WEB', state: 2, effective_priority: 254, last_transition: 1.000001 } },
  ]);

  /** The state that is asserted after a line, with a keepalived that does not answer itself. */
  const assertedAfterBackup = async (): Promise<VrrpEvent['detail']> => {
    keepalived.pause();
    await node.start({ PATH: keepalived.path });
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length > 0 && ofKind('assertion').length > 0);
    return ofKind('assertion').at(-1)!;
  };

  test('is asked for without a write to it: what lies under its name, a link to a file of root’s, keeps its text', async () => {
    const precious = `${node.folder}/precious`;
    writeFileSync(precious, 'root:x:0:0\n');
    linkSync(precious, file);
    expect(await assertedAfterBackup()).toMatchObject({ state: 'BACKUP', stateFrom: 'fifo' });
    expect(readFileSync(precious, 'utf8')).toBe('root:x:0:0\n');
  });

  test('is not followed where it is a link', async () => {
    writeFileSync(`${node.folder}/planted`, answer);
    symlinkSync(`${node.folder}/planted`, file);
    // New each time that it is looked at.
    const planting = setInterval(() => utimesSync(`${node.folder}/planted`, new Date(), new Date()), 50);
    try {
      expect(await assertedAfterBackup()).toMatchObject({ state: 'BACKUP', stateFrom: 'fifo' });
    } finally {
      clearInterval(planting);
    }
  });

  test.runIf(process.getuid?.() === 0)('is not believed where another user has made it', async () => {
    // New each time that it is looked at.
    const planting = setInterval(() => {
      rmSync(file, { force: true });
      writeFileSync(`${file}.new`, answer);
      chownSync(`${file}.new`, 65_534, 65_534);
      execFileSync('mv', [`${file}.new`, file]);
    }, 20);
    try {
      expect(await assertedAfterBackup()).toMatchObject({ state: 'BACKUP', stateFrom: 'fifo' });
    } finally {
      clearInterval(planting);
    }
    expect(transitions().map(({ state }) => state)).toEqual(['BACKUP']);
  });

  test('is not needed: keepalived 2.3 puts it into run_dir, and there it is found', async () => {
    await node.stop();
    node = await startNode({ ...keepalived.config, keepalived_json: 'auto' });
    mkdirSync(`${node.folder}/run`, { mode: 0o700 });
    symlinkSync(`${node.folder}/run/keepalived.json`, file);
    keepalived.say({ VI_WEB: { state: 2, priority: 200, changedAtMs: Date.now() } });
    await node.start({ PATH: keepalived.path });
    await node.bus.until(() => ofKind('assertion').some(({ stateFrom }) => stateFrom === 'keepalived'));
    expect(transitions()).toMatchObject([{ state: 'MASTER', priority: 200 }]);
  });
});

test('a pid file that is a FIFO holds nothing up', async () => {
  node = await startNode();
  execFileSync('mkfifo', [`${node.folder}/pid`]);
  configure((text) => text.replace(/^keepalived_pid.*$/m, `keepalived_pid = ${node.folder}/pid`));
  await node.start();
  await node.write('INSTANCE "VI_WEB" MASTER 254');
  await node.bus.until(() => ofKind('assertion').length > 0);
});
