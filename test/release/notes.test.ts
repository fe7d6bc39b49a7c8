// What the release workflow reads of the changelog.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sectionOf } from '../../build/release/notes.ts';

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

  it('are one line for each change, as the changelog is written', () => {
    const text = readFileSync(join(import.meta.dirname, '..', '..', 'CHANGELOG.md'), 'utf8');
    const [, newest = ''] = text.split(/^## /m);
    for (const line of newest
      .split('\n')
      .slice(1)
      .filter((one) => one !== ''))
      expect(line).toMatch(/^(?:- |### | {2})/);
  });
});
