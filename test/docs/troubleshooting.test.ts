// docs/troubleshooting.md against the code: the words that it explains are all there are, and what it quotes is what is printed.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checks } from '../../shared/doctor/finding.ts';
import { outcomes } from '../../shared/timeline/timeline.ts';
import { text } from './pages.ts';
import { codeIn, tableOf } from './tables.ts';

const root = join(import.meta.dirname, '..', '..');
const page = text('docs/troubleshooting.md');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

it('explains each health of a VIP that status knows', () => {
  const [, union = ''] =
    /export type Health =\n([^;]+);/.exec(read('shared/controller/status/reasons.ts')) ?? [];
  const healths = [...union.matchAll(/'([^']+)'/g)].map(([, word]) => word!);
  expect(healths.length).toBeGreaterThan(5);
  const rows = tableOf(page, 'health', 'it means', 'do');
  expect(rows.map(([health]) => codeIn(health!)[0]!).sort()).toEqual(healths.sort());
});

it('explains each outcome of a failover', () => {
  const rows = tableOf(page, 'outcome', 'it means', 'do');
  expect(rows.map(([outcome]) => codeIn(outcome!)[0]!).sort()).toEqual([...outcomes].sort());
});

it('has a row for each of the doctor’s checks, and no row for none', () => {
  const starts = tableOf(page, 'begins with', 'about', 'page').flatMap(([words]) => codeIn(words!));
  const names = Object.keys(checks);
  expect(names.filter((name) => !starts.some((start) => name.startsWith(start)))).toEqual([]);
  expect(starts.filter((start) => !names.some((name) => name.startsWith(start)))).toEqual([]);
});

describe('what it quotes', () => {
  const sources = globSync(['{cli,shared}/**/*.ts', 'notify/**/*'], { cwd: root })
    .filter((path) => /\.\w+$|vipshift-notify$/.test(path))
    .map(read)
    .join('\n');
  /** The tables of symptoms: what is looked at, what it shows. */
  const quoted = page
    .split('\n## ')
    .flatMap((section) => {
      if (section.includes('\n| look at | if | it means | do |\n'))
        return tableOf(section, 'look at', 'if', 'it means', 'do').map(([, shown]) => shown!);
      if (section.includes('\n| it says | it means | do |\n'))
        return tableOf(section, 'it says', 'it means', 'do').map(([shown]) => shown!);
      return [];
    })
    .flatMap(codeIn);

  it('is a good deal', () => expect(quoted.length).toBeGreaterThan(40));

  it.each([...new Set(quoted)])('%s is in the code, but for what … stands for', (quote) => {
    const parts = quote.split('…').map((part) => part.trim());
    expect(parts.filter((part) => part !== '' && !sources.includes(part))).toEqual([]);
  });
});
