// What the release workflow reads of the changelog.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { sectionOf } from '../../build/release/notes.ts';
import { VERSION } from '../../shared/version.ts';

const root = join(import.meta.dirname, '..', '..');

const changelog = `# Changelog

## 1.1.0, unreleased

- new

## 1.0.0, 2026-12-31

- first
- second

## 0.9.0, 2026-11-30

- old
`;

describe('the notes of a release', () => {
  it('are the section of its version', () => {
    expect(sectionOf(changelog, '1.0.0')).toBe('- first\n- second');
    expect(sectionOf(changelog, '0.9.0')).toBe('- old');
  });

  it('are missing where there is no such section, or it has no date yet: the workflow then stops', () => {
    expect(sectionOf(changelog, '1.1.0')).toBeUndefined();
    expect(sectionOf(changelog, '2.0.0')).toBeUndefined();
  });

  it('are one line for each change under the heading of its area, none twice, and none left unsorted at the end', () => {
    const [, newest = ''] = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split(/^## /m);
    const [, ...lines] = newest.split('\n').filter((one) => one !== '');
    for (const line of lines) expect(line).toMatch(/^(?:- |### )/);
    const headings = lines.filter((line) => line.startsWith('### '));
    expect(headings).toEqual([
      ...[
        '### Failover and reconcile',
        '### Forced failovers and orders',
        '### Doctor',
        '### Record and audit',
      ],
      ...['### Nodes', '### Deployment and permissions', '### Lab, demo and live', '### Command line'],
      '### Documents',
    ]);
    expect(lines[0]).toBe(headings[0]);
    // Reworded ones as well: what begins alike is about the same.
    const begun = lines.filter((line) => line.startsWith('- ')).map((line) => line.slice(0, 60));
    expect(begun.filter((one, i) => begun.indexOf(one) !== i)).toEqual([]);
  });
});

describe('the release workflow', () => {
  const workflow = parse(readFileSync(join(root, '.github/workflows/release.yml'), 'utf8')) as {
    readonly jobs: Readonly<Record<string, { readonly steps: readonly { name?: string; run?: string }[] }>>;
  };
  const step = (job: string, name: string) =>
    workflow.jobs[job]!.steps.find((one) => one.name === name)!.run!;

  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vipshift-notes-'));
    cpSync(join(root, 'build/release/notes.ts'), join(folder, 'build/release/notes.ts'));
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** As the runner does it, with a changelog whose newest section has this heading. */
  const first = (tag: string, heading: string) => {
    const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').replace(/^## .*$/m, `## ${heading}`);
    writeFileSync(join(folder, 'CHANGELOG.md'), text);
    // bash takes a socket as its input for a remote shell's, and reads .bashrc.
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, GITHUB_REF_NAME: tag };
    const script = step('build', 'The tag is the version, and the changelog has its date');
    const { status, stderr } = spawnSync('bash', ['--norc', '-ec', script], {
      cwd: folder,
      env,
      stdio: [...stdio],
      encoding: 'utf8',
    });
    return { status, stderr };
  };

  it('reads its notes from the changelog’s section, and attaches them', () => {
    expect(first(`v${VERSION}`, `${VERSION}, 2026-12-31`)).toEqual({ status: 0, stderr: '' });
    const notes = readFileSync(join(folder, 'dist/notes.md'), 'utf8');
    expect(notes).toMatch(/^### Failover and reconcile\n\n- /);
    expect(notes).toContain('### Documents');
    expect(notes).toContain(`/blob/v${VERSION}/docs/upgrade.md)`);
    expect(step('attach', 'Attach')).toContain('--notes-file notes.md');
  });

  it('stops where the section has no date, or the tag is not the version', () => {
    const { status, stderr } = first(`v${VERSION}`, `${VERSION}, unreleased`);
    expect(status).toBe(1);
    expect(stderr).toContain(`no section "## ${VERSION}, YYYY-MM-DD"`);
    expect(first('v9.9.9', `${VERSION}, 2026-12-31`).status).toBe(1);
  });
});

describe('what goes with a release', () => {
  it('says how to upgrade to it, and which versions are supported', () => {
    const text = (page: string) => readFileSync(join(root, page), 'utf8');
    const [, byVersion = ''] = text('docs/upgrade.md').split(/^## By version$/m);
    const rows = byVersion.split(/^## /m)[0]!.match(/^\| .* \| (\S+) \| .+ \|$/gm);
    expect(rows?.some((row) => row.split('|')[2]!.trim() === VERSION)).toBe(true);
    expect(text('SECURITY.md')).toMatch(/## Supported versions\n\nThe newest minor version/);
  });
});
