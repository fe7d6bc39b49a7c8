// The SSM document of the stack, taken as an agent takes it, and its script run by a real shell.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SsmDocument, scriptOf } from '../../lab/aws/ssm-document.ts';
import { releaseCommand } from '../../shared/forced-failover/rejoin.ts';
import { packaged } from './support/packaged.ts';
import type { Template } from './support/template.ts';

let folder: string;
let document: SsmDocument;
let name: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vipshift-test-'));
  const { Resources } = JSON.parse(await packaged('prod', { handOverFolder: folder })) as Template;
  ({ Content: document, Name: name } = Resources.HandOverDocument!.Properties);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (Vip: string, Demoted: string) => scriptOf(document, { Vip: [Vip], Demoted: [Demoted] });

describe('the hand-over document', () => {
  it('writes into the file that keepalived tracks for the VIP, and into no other', () => {
    for (const vip of ['web', 'api']) writeFileSync(join(folder, vip), '0\n');
    execFileSync('sh', ['-c', script('web', '1')]);
    expect(['web', 'api'].map((vip) => readFileSync(join(folder, vip), 'utf8'))).toEqual(['1\n', '0\n']);
    execFileSync('sh', ['-c', script('web', '0')]);
    expect(readFileSync(join(folder, 'web'), 'utf8')).toBe('0\n');
  });

  it('fails where nothing is tracked, instead of making a file that no one reads', () => {
    const { status, stderr } = spawnSync('sh', ['-c', script('absent', '1')], { encoding: 'utf8' });
    expect([status, stderr.trim()]).toEqual([
      3,
      `no ${folder}/absent: keepalived tracks nothing for absent here, see docs/reference/nodes.md`,
    ]);
  });

  it.each([
    ['../../etc/passwd', '1'],
    ['web; reboot', '1'],
    ['$(reboot)', '1'],
    ['web', '2'],
  ])('takes no %j, %j: the parameters are checked before the shell sees them', (vip, demoted) => {
    expect(() => script(vip, demoted)).toThrow(/^(Vip|Demoted) is/);
  });

  it('is the one that the message’s command names', () => {
    expect(releaseCommand({ stage: 'prod' }, 'web', 'i-a')).toContain(`--document-name ${name} `);
  });
});

describe('an agent of the lab', () => {
  it('refuses a document that it would not carry out in full', () => {
    const step = document.mainSteps[0]!;
    for (const other of [
      { ...document, schemaVersion: '1.2' },
      { ...document, mainSteps: [step, step] },
      { ...document, mainSteps: [{ ...step, action: 'aws:runDocument' }] },
    ])
      expect(() => scriptOf(other, { Vip: ['web'], Demoted: ['1'] })).toThrow('expected a document');
    expect(() => scriptOf(document, { Vip: ['web'], Demoted: ['1'], More: ['x'] })).toThrow(
      'no parameter More',
    );
    expect(() => scriptOf(document, { Vip: ['web'] })).toThrow('Demoted is undefined, expected one String');
  });
});
