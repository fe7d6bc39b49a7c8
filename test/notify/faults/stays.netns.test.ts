// The daemon stays up whatever is wrong around it: it reports it once, and goes on as soon as it is right.
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { VrrpEvent } from '../../../lab/shim/bus.ts';
import { type Node, startNode } from '../../../lab/shim/node.ts';

let node: Node;
let holder: FileHandle | undefined;
beforeEach(async () => {
  node = await startNode();
});
afterEach(async () => {
  await holder?.close();
  holder = undefined;
  await node.stop();
});

const transitions = (): VrrpEvent['detail'][] => node.bus.claims('transition').map(({ detail }) => detail);
const fifo = (): string => `${node.folder}/notify.fifo`;
const linesWith = (text: string): string[] =>
  node
    .stderr()
    .split('\n')
    .filter((line) => line.includes(text));
/** The folders of a shim without a configuration are the default ones, which are not this machine's here. */
const withOwnRun = [
  'unshare',
  ...(process.getuid?.() === 0 ? ['-m'] : ['-Urm']),
  'bash',
  '-c',
  'mount -t tmpfs none /run && mount -t tmpfs none /var/lib && exec "$@"',
  'run',
];
const STANDING_BY = { until: 'nothing is reported until that is corrected' };

describe('a wrong configuration', () => {
  test.each([
    ['an unknown key', (text: string) => `${text}buss = x\n`, 'unknown key "buss"'],
    ['a bad value', (text: string) => `${text}spool_max = 3\n`, 'spool_max is "3", expected a number'],
    ['no VIP', (text: string) => text.replace(/^instance.*\n/m, ''), 'names no VIP'],
    [
      'a file that is not there',
      (text: string) => text.replace(/^(ca_file = ).*$/m, '$1/nowhere.pem'),
      'ca_file is "/nowhere.pem"',
    ],
    ['no file', () => undefined, 'run vipshift-notify install'],
  ])(
    '(%s) is said once, with the FIFO open; after its repair and a restart the lines that waited are delivered',
    async (_, spoil, message) => {
      const right = readFileSync(node.configFile, 'utf8');
      const wrong = spoil(right);
      if (wrong === undefined) rmSync(node.configFile);
      else writeFileSync(node.configFile, wrong);
      // As the socket unit does.
      execFileSync('mkfifo', ['-m', '600', fifo()]);
      holder = await open(fifo(), 'r+');
      const child = await node.start({}, { ...STANDING_BY, by: wrong === undefined ? withOwnRun : [] });
      await node.write('INSTANCE "VI_WEB" MASTER 254', 'INSTANCE "VI_WEB" BACKUP 254');
      expect(linesWith(message)).toHaveLength(1);
      expect(linesWith(message)[0]).toMatch(/^<3>/);
      expect(child.exitCode).toBeNull();
      expect(node.bus.requests).toHaveLength(0);
      writeFileSync(node.configFile, right);
      await node.kill();
      await node.start();
      await node.bus.until(() => transitions().length === 2);
      expect(transitions().map(({ state }) => state)).toEqual(['MASTER', 'BACKUP']);
    },
  );
});

describe('a FIFO that others may write', () => {
  const remake = (spoil: (path: string) => void): void => {
    execFileSync('mkfifo', ['-m', '600', `${fifo()}.new`]);
    spoil(`${fifo()}.new`);
    renameSync(`${fifo()}.new`, fifo());
  };

  test.each([
    ['at its start', true],
    ['while it runs, as a keepalived with another script_user remakes it', false],
  ])('is not read %s: they could speak for this node; one that is ours again is', async (_, atStart) => {
    if (!atStart) {
      await node.start();
      await node.write('INSTANCE "VI_WEB" MASTER 254');
      await node.bus.until(() => transitions().length === 1);
    }
    const seen = transitions().length;
    remake((path) => chmodSync(path, 0o620));
    if (atStart) await node.start();
    await expect
      .poll(() => node.stderr(), { timeout: 60_000 })
      .toMatch(/^<3>the FIFO .* has mode 620.*chmod go-w/m);
    expect(node.status()).toMatchObject({ running: true, fifoError: expect.stringContaining('mode 620') });
    holder = await open(fifo(), 'r+');
    await holder.write('INSTANCE "VI_WEB" FAULT 1\n');
    await holder.close();
    holder = undefined;
    remake(() => undefined);
    await expect.poll(() => node.stderr(), { timeout: 60_000 }).toContain('is another one now');
    await node.write('INSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === seen + 1);
    expect(transitions().at(-1)!.state).toBe('BACKUP');
    expect(node.status()).toMatchObject({ fifoError: null });
  });

  test.runIf(process.getuid?.() === 0)(
    'because it is theirs: the message has keepalived’s way to say the owner',
    async () => {
      await node.start();
      remake((path) => chownSync(path, 65_534, 65_534));
      await expect
        .poll(() => node.stderr(), { timeout: 60_000 })
        .toMatch(/^<3>the FIFO .* belongs to \S+: .* vrrp_notify_fifo \S+\/notify\.fifo root/m);
    },
  );
});

describe('a line', () => {
  const raw = async (text: string): Promise<void> => {
    const file = await open(fifo(), 'r+');
    try {
      await file.write(text);
    } finally {
      await file.close();
    }
  };

  test.each([
    ['torn behind a whole one', 'INSTANCE "VI_WEB" BACKUP 100\nINST'],
    ['torn within its name', 'INSTANCE "VI_WEB" BACKUP 100\nINSTANCE "VI_'],
    ['torn within its state', 'INSTANCE "VI_WEB" BACKUP 100\nINSTANCE "VI_WEB" MAS'],
    ['without its first letter', 'NSTANCE "VI_WEB" BACKUP 100\n'],
    ['torn at the start', 'CE "VI_WEB" MASTER 2\nINSTANCE "VI_WEB" BACKUP 100\n'],
    ['of a virtual server, torn', 'INSTANCE "VI_WEB" BACKUP 100\nVS [10.0.0.1]:tcp'],
  ])('%s holds nothing up, and the whole one that follows it is taken', async (_, text) => {
    await node.start();
    await raw(text);
    await node.bus.until(() => transitions().length === 1);
    expect(transitions()[0]).toMatchObject({ state: 'BACKUP', priority: 100 });
    await node.write('INSTANCE "VI_WEB" MASTER 200');
    await node.bus.until(() => transitions().length === 2);
    expect(transitions()[1]).toMatchObject({ state: 'MASTER', priority: 200 });
  });

  test('that says all but has no end is taken without it', async () => {
    await node.start();
    await raw('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
    await raw('\nINSTANCE "VI_WEB" BACKUP 254');
    await node.bus.until(() => transitions().length === 2);
    // Not how many were bad: on a busy machine bash loses a first letter, and the line is taken and counted.
    expect(transitions()).toMatchObject([
      { state: 'MASTER', priority: 254 },
      { state: 'BACKUP', priority: 254 },
    ]);
  });

  test('about virtual and real servers is not ours, and no bad line', async () => {
    await node.start();
    await node.write(
      'VS [10.0.0.1]:tcp:80 UP',
      'RS [10.0.0.2]:tcp:80 [10.0.0.1]:tcp:80 DOWN',
      'VS FWM 5 DOWN',
      'INSTANCE "VI_WEB" MASTER 254',
    );
    await node.bus.until(() => transitions().length === 1);
    expect(node.status()).toMatchObject({ badLines: 0 });
  });

  test.each(['99999999999999999999999', '18446744073709551616', '4294967552', '256'])(
    'with the priority %s is sent with the highest that there is',
    async (priority) => {
      await node.start();
      await node.write(`INSTANCE "VI_WEB" MASTER ${priority}`);
      await node.bus.until(() => transitions().length === 1);
      expect(transitions()[0]!.priority).toBe(255);
    },
  );

  test.each([
    ['NUL bytes', '\0INST\0ANCE "VI_\0WEB" BACK\0'],
    ['UTF-8 and half of a letter', 'INSTANCE "ВИП" MASTER 1\nINSTANCE "\u{1f600}\u00e9'],
    ['quotes and backslashes', 'INSTANCE "a\\"b"" MASTER 1\n""""\\\\ INSTANCE "'],
    ['words for a shell', '$(reboot) `reboot` a[$(reboot)] INSTANCE "$(reboot)" MASTER $(reboot)'],
    ['line ends of every kind', '\r\n\r\r\n\n\n\v\f'],
    ['escape sequences', '\u001b[31mINSTANCE "VI_WEB" \u0007'],
    [
      'numbers that are none',
      'INSTANCE "VI_WEB" BACKUP 0x10\nINSTANCE "VI_WEB" BACKUP -1\nINSTANCE "VI_WEB" BACKUP 08',
    ],
    [
      'states that are none',
      'INSTANCE "VI_WEB" backup 1\nINSTANCE "VI_WEB" DOWN 1\nINSTANCE "VI_WEB"  MASTER 1',
    ],
    [
      'commands of the shim that are none',
      'vipshift\nvipshift probe\nvipshift probe x\nvipshift wiring maybe\nvipshift stop now',
    ],
  ])('of %s leaves the daemon as it was, and the whole one that follows is taken', async (_, text) => {
    await node.start();
    await raw(text);
    await raw('\nINSTANCE "VI_WEB" MASTER 254\n');
    await node.bus.until(() => transitions().at(-1)?.state === 'MASTER');
    expect(transitions().at(-1)).toMatchObject({ priority: 254, vip: 'web' });
    expect(node.stderr()).toMatch(/^[\n -~]+$/);
    expect(node.status()).toMatchObject({ running: true });
  });

  test('of a megabyte without an end leaves the daemon as it was', async () => {
    await node.start();
    await raw('x'.repeat(50_000));
    for (let part = 0; part < 20; part++) await raw('INSTANCE "'.repeat(5000));
    await node.write('', 'INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => transitions().length === 1);
  });
});

test('the journal has one line for a transition, with a priority and without a name, and none of it twice', async () => {
  await node.start();
  await node.write('INSTANCE "VI_WEB" MASTER 254', 'INSTANCE "VI_WEB" BACKUP 100');
  await node.bus.until(() => transitions().length === 2);
  expect(linesWith('VIP web')).toEqual([
    '<6>VIP web: MASTER, priority 254, by INSTANCE VI_WEB',
    '<6>VIP web: BACKUP, priority 100, by INSTANCE VI_WEB',
  ]);
  expect(node.stderr()).toMatch(/^(<[346]>[^<\n]+\n)+$/);
});

test('nothing that a server answers gets onto a line of its own, in status or journal', async () => {
  node.bus.fate = () => ({
    kind: 'status',
    status: 400,
    body: '{"__type":"X","message":"line1\nend\nuser EVIL\r\npid 1\u001b[31m\u0007 \u009bx"}',
  });
  await node.start();
  await node.write('INSTANCE "VI_WEB" MASTER 254');
  await expect
    .poll(() => node.status(), { timeout: 60_000 })
    .toMatchObject({
      running: true,
      lastError: expect.stringContaining('line1 end user EVIL'),
    });
  expect(node.status().user).not.toBe('EVIL');
  expect(node.stderr()).toMatch(/^[\n -~]+$/);
});

test('a reply of a megabyte of braces neither holds the daemon up nor is believed', async () => {
  node.bus.fate = (request) =>
    request <= 2
      ? {
          kind: 'status',
          status: 200,
          body: `{"FailedEntryCount":1,"Entries":[${'{'.repeat(request === 1 ? 900_000 : 60_000)}`,
        }
      : { kind: 'accept' };
  await node.start();
  await node.write('INSTANCE "VI_WEB" MASTER 254');
  await node.bus.until(() => transitions().length === 1);
  expect(transitions()[0]!.ageMs).toBeLessThan(20_000);
});
