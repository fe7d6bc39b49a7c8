// keepalived's files on this machine: includes on disk, HOST=FILE, the shim's notify.conf, and what cannot be read.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepalivedFilesFindings } from '../../../cli/doctor/keepalived-files.ts';
import { keepalivedConfig } from '../../../cli/keepalived-config/config.ts';
import { keepalivedDefaults } from '../../../cli/keepalived-config/input.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-keepalived-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function written(path: string, text: string): string {
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, text);
  return whole;
}

const made = keepalivedConfig({
  ...keepalivedDefaults,
  nodes: [
    { name: 'a', address: '10.0.1.10', interface: 'ens5' },
    { name: 'b', address: '10.0.2.10', interface: 'ens6' },
    { name: 'c', address: '10.0.3.10', interface: 'ens5' },
  ],
  addresses: ['192.168.255.10'],
  process: 'nginx',
  checkUrl: 'http://127.0.0.1/healthy',
});

test('the files of keepalived-config are right, for each node and together', () => {
  const keepalived = Object.entries(made).map(([node, text]) => written(`${node}.conf`, text));
  expect(keepalivedFilesFindings({ keepalived })).toEqual([]);
  expect(keepalivedFilesFindings({})).toEqual([]);
});

test('includes are followed on disk, and folders among what they match are left out', () => {
  const file = written('k/keepalived.conf', 'include conf.d/*.conf\n');
  written('k/conf.d/a.conf', made.a!);
  mkdirSync(join(folder, 'k/conf.d/z.conf'));
  expect(keepalivedFilesFindings({ keepalived: [file] })).toEqual([]);
});

test('HOST=FILE reads a file as that host does; a file of that very name goes before', () => {
  const text = made.a!.replace('priority 254', '@a priority 0\n    @b priority 254');
  const file = written('k.conf', text);
  const found = (keepalived: string) => keepalivedFilesFindings({ keepalived: [keepalived] });
  expect(found(`a=${file}`)).toMatchObject([{ check: 'keepalived-refused' }]);
  expect(found(`b=${file}`)).toEqual([]);
  expect(found(file).map(({ check }) => check)).toEqual(['keepalived-refused', 'keepalived-peers']);
  const odd = written('x=y.conf', made.b!);
  expect(found(odd)).toEqual([]);
});

test('notify.conf says which FIFO and which names the shim has', () => {
  const keepalived = [written('a.conf', made.a!.replace(keepalivedDefaults.fifo, '/run/other.fifo'))];
  const conf = written(
    'notify.conf',
    '# ours\nbus = vipshift-prod\r\nfifo = /run/other.fifo\ninstance VI_WEB = web other\n group G = dns\n',
  );
  expect(keepalivedFilesFindings({ keepalived })).toMatchObject([{ check: 'keepalived-notify' }]);
  expect(keepalivedFilesFindings({ keepalived, notifyConf: conf })).toMatchObject([
    {
      check: 'keepalived-instance',
      severity: 'fault',
      subject: `${keepalived[0]} VI_WEB`,
      vips: ['web', 'other'],
    },
    { check: 'keepalived-instance', severity: 'fault', subject: `${keepalived[0]} G` },
    { check: 'keepalived-instance', severity: 'warning', subject: `${keepalived[0]} VI_1` },
  ]);
});

test.each(['nowhere.conf', 'a=nowhere.conf'])('%s, which cannot be read, is refused by name', (name) => {
  expect(() => keepalivedFilesFindings({ keepalived: [name] })).toThrow(
    expect.objectContaining({ message: expect.stringContaining('nowhere.conf'), status: 3 }),
  );
});
