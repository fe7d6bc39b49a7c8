// `vipshift-notify check` says whether keepalived tracks the file by which the node leaves, with the lines to paste where it does
// not; and one leaving from IMDS's word to the file (shim.long.netns.test.ts has the others).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepalivedConfig } from '../../../cli/keepalived-config/config.ts';
import { keepalivedDefaults } from '../../../cli/keepalived-config/input.ts';
import { spotNotice } from '../../../lab/aws/notices.ts';
import { type Node, shimPath, startNode } from '../../../lab/shim/node.ts';

let folder: string;
let node: Node;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-tracked-'));
  node = await startNode({
    ...{ leaving_poll: 1, keepalived_pid: 'auto', keepalived_conf: `${folder}/keepalived.conf` },
    ...{ leaving_file: `${folder}/leaving`, demote_file: `${folder}/demote` },
  });
});
afterEach(async () => {
  await node.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** As `vipshift keepalived-config` writes it. */
const whole = (): string =>
  keepalivedConfig({
    ...keepalivedDefaults,
    ...{ demoteFile: `${folder}/demote`, leavingFile: `${folder}/leaving`, addresses: ['192.168.255.10'] },
    nodes: [
      { name: 'a', address: '10.0.1.10', interface: 've0' },
      { name: 'b', address: '10.0.1.11', interface: 've0' },
    ],
  }).a!;
const withoutLeaving = (text: string): string =>
  text
    .replace(/^#.*\n/gm, '')
    .replace(/track_file leaving \{[^}]*\}\n/, '')
    .replace(/^ *leaving\n/m, '');
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const read = (name: string): string =>
  existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trim() : 'none';

function checked(): string {
  const { status, stdout, stderr } = spawnSync(shimPath, ['check', '--config', node.configFile], {
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  return stdout + stderr;
}

test.each<[string, () => void, RegExp]>([
  ['both files', () => write('keepalived.conf', whole()), /^keepalived tracks \S+leaving$/m],
  [
    'both files, in one that is included',
    () => {
      write('keepalived.conf', 'include conf.d-*.conf\n');
      write('conf.d-a.conf', whole());
    },
    /^keepalived tracks \S+leaving$/m,
  ],
  [
    'the demote file alone: with what to paste',
    () => write('keepalived.conf', withoutLeaving(whole())),
    /tracks \S+demote only: .*in \S+keepalived.conf, before the vrrp_instance: track_file leaving \{ file "\S+leaving" \}; in it: track_file \{ leaving weight -200 \}/,
  ],
  [
    'neither: a comment, and a file that only begins like that, count for nothing',
    () => write('keepalived.conf', `# file "${folder}/leaving"\nfile "${folder}/leaving-2"\n`),
    /tracks neither \S+leaving nor \S+demote/,
  ],
  ['a file that is not there', () => undefined, /cannot read \S+keepalived.conf/],
])('keepalived tracks %s', (_what, prepare, says) => {
  prepare();
  expect(checked()).toMatch(says);
});

const startAsMaster = async (): Promise<void> => {
  await node.start();
  await node.write('INSTANCE "VI_WEB" MASTER 254');
  await node.bus.until(() => node.bus.claims('transition').length === 1);
  node.notices = spotNotice('terminate', Date.now() + 120_000);
};
const until = (condition: () => boolean): Promise<unknown> =>
  expect.poll(condition, { timeout: 20_000, interval: 20 }).toBe(true);

test('from IMDS’s word to the file: FAULT, and the claim says why', async () => {
  write('keepalived.conf', whole());
  write('demote', '0');
  await startAsMaster();
  await until(() => read('leaving') === '2');
  await until(() => node.bus.accepted.some(({ detail }) => detail.leaving === 'spot-terminate'));
  expect(read('demote')).toBe('0');
});

test('an older configuration: the pulse is made by the demote file', async () => {
  write('keepalived.conf', withoutLeaving(whole()));
  write('demote', '0');
  await startAsMaster();
  await until(() => read('demote') === '1');
  await until(() =>
    /leaving: spot-terminate; FAULT for 5000 ms, .*demote only: with preemption/.test(node.stderr()),
  );
  await node.kill('SIGTERM');
  expect(read('demote')).toBe('0');
});

test('an older configuration, and a node that someone has demoted: not ours to raise', async () => {
  write('keepalived.conf', withoutLeaving(whole()));
  write('demote', '1');
  await startAsMaster();
  await until(() => read('leaving') === '2');
  await node.kill('SIGTERM');
  expect(read('demote')).toBe('1');
});
