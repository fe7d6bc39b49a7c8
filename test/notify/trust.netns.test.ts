import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shimPath, startNode } from '../../lab/shim/node.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-trust-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lib = join(shimPath, '../lib/send/trust.bash');

test("Amazon's roots are found in a bundle with comments, as on Amazon Linux, and nothing else is", () => {
  const block = (name: string): string =>
    `# ${name}\n-----BEGIN CERTIFICATE-----\n${name.replaceAll(' ', '')}\n-----END CERTIFICATE-----\n\n`;
  const names = [
    'ACCVRAIZ1',
    'Amazon Root CA 1',
    'Amazon Root CA 4',
    'Starfield Root Certificate Authority - G2',
    'Starfield Services Root Certificate Authority - G2',
    'TeliaSonera Root CA v1',
  ];
  writeFileSync(join(folder, 'bundle.pem'), names.map(block).join(''));
  const roots = execFileSync('bash', ['-c', `source ${lib}; roots_of_bundle ${folder}/bundle.pem`], {
    encoding: 'utf8',
  });
  expect([...roots.matchAll(/^# (.*)$/gm)].map((match) => match[1])).toEqual([
    'Amazon Root CA 1',
    'Amazon Root CA 4',
    'Starfield Services Root Certificate Authority - G2',
  ]);
  expect(roots.match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
});

test.each([
  ["a server that Amazon's roots do not vouch for is checked against the system's whole store", false],
  ['so is every server when someone has removed the file with the roots', true],
])('%s', async (_, isRemoved) => {
  const node = await startNode({ ca_file: '/placeholder' });
  try {
    writeFileSync(node.configFile, readFileSync(node.configFile, 'utf8').replace(/^ca_file.*\n/m, ''));
    const calls = join(folder, 'calls');
    // Plays a system whose whole store knows the bus: a process without a bundle of its own gets that one.
    const wrapper = `#!/bin/bash
echo "$*" >>${calls}
[[ "$*" == *--cacert* ]] && exec /usr/bin/curl "$@"
exec /usr/bin/curl "$@" --cacert ${node.bus.caFile}
`;
    writeFileSync(join(folder, 'curl'), wrapper, { mode: 0o755 });
    await node.start({ PATH: `${folder}:${process.env.PATH}` });
    if (isRemoved) rmSync(`${node.folder}/run/roots.pem`, { force: true });
    await node.write('INSTANCE "VI_WEB" MASTER 254');
    await node.bus.until(() => node.bus.accepted.length > 0);
    const sent = readFileSync(calls, 'utf8')
      .split('\n')
      .filter((call) => call.includes('PutEvents'));
    expect(sent[0]).toContain('roots.pem');
    expect(sent.at(-1)).not.toContain('--cacert');
  } finally {
    await node.stop();
  }
});
