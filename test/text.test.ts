// What people read is natural English in the words of docs/glossary.md, and names files that exist.
import { describe, expect, test } from 'vitest';
import { missingFiles } from './text/file-names.ts';
import { type Phrase, phrases } from './text/phrases.ts';
import { proseOf, textFiles, textOf } from './text/sources.ts';

/** Former words that are stored, are accepted on the command line, or are explained: the start of a path, and the text. */
const kept: readonly (readonly [start: string, text: string])[] = [
  ['docs/glossary.md', 'say *ledger* for registry, *lever* for demote file'],
  ['docs/glossary.md', '*stint* for node state'],
  ['docs/glossary.md', '(stored as `thaw`)'],
  ['cli/command/vip/forecast.ts', "'unpin' | 'thaw'"],
  ['cli/override/command.ts', "load: order('thaw')"],
  ['cli/override/command.ts', "formerly: ['thaw']"],
  ['cli/override/command.ts', 'an order `thaw`'],
  ['cli/keepalived-config/command.ts', "'--lever': '--demote-file'"],
  ['cli/override/override.ts', "'unpin' | 'freeze' | 'thaw'"],
  ['cli/override/override.ts', "kind === 'thaw'"],
  ['cli/override/override.ts', "case 'thaw'"],
  ['shared/timeline/milestone.ts', "'node-reported': 'node said so (its clock)'"],
  ['shared/timeline/milestone.ts', "unvouched: 'nobody vouches for the node"],
  ['shared/timeline/operator-action.ts', "'thaw'"],
  ['test/cli/command/common-options.test.ts', 'thaw'],
  ['test/cli/command/common-options.test.ts', '--lever'],
  ['test/cli/habits.test.ts', 'thaw'],
  ['test/cli/habits.test.ts', '--lever'],
  ['test/cli/timeline/failover-text.aws.test.ts', "'freeze', 'thaw'"],
  ['cli/timeline/bands.ts', "thaw: 'freeze'"],
  ['docs/schemas/', 'thaw'],
  ['test/cli/shape/json.aws.test.ts', "order: 'thaw'"],
  ['test/cli/timeline/bands.test.ts', "order('thaw'"],
  ['test/fuzz/lines.ts', "'thaw web'"],
  ['test/', 'node said so (its clock)'],
  ['test/shared/timeline/version-before.ts', "startsWith('node said so')"],
  ['test/shared/timeline/milestone.test.ts', "unvouched: 'nobody vouches for the node"],
  // The name of a random stream: another one would draw other histories.
  ['test/sim/history/generator.ts', "chance(seed, 'ledger')"],
];

const isKept = (path: string, around: string): boolean =>
  kept.some(([start, text]) => path.startsWith(start) && around.includes(text));

function found(path: string, source: string, list: readonly Phrase[] = phrases): readonly string[] {
  const { text, lineAt } = proseOf(source);
  return list.flatMap(({ pattern, say }) =>
    [...text.matchAll(pattern)]
      .filter(
        ({ 0: match, index }) =>
          !isKept(path, text.slice(Math.max(0, index - 60), index + match.length + 60)),
      )
      .map(({ 0: match, index }) => `${path}:${lineAt(index)}: "${match}", better: ${say}`),
  );
}

describe('the text that people read', () => {
  test('is looked at: the files are there', () => {
    expect(textFiles.length).toBeGreaterThan(600);
    for (const path of ['.ci/run', 'notify/vipshift-notify', 'runbook/failover.asl.json', 'cli/program.ts'])
      expect(textFiles).toContain(path);
  });

  test('has none of the phrases that the glossary replaces', () => {
    expect(textFiles.flatMap((path) => found(path, textOf(path)))).toEqual([]);
  });

  test('keeps only former words that are there', () => {
    const isThere = ([start, text]: (typeof kept)[number]) =>
      textFiles.some((path) => path.startsWith(start) && proseOf(textOf(path)).text.includes(text));
    expect(kept.filter((one) => !isThere(one))).toEqual([]);
  });

  test('names files that exist', () => {
    expect(textFiles.flatMap((path) => missingFiles(path, textOf(path)))).toEqual([]);
  });
});

describe('a phrase', () => {
  test.each([
    ['in a line', 'an ENI that bears the label'],
    ['across the lines of a comment', '// read back\n// beside\n// the timeline'],
    ['across the lines of a doc comment', '/**\n * one hour unless\n * told\n */'],
    ['across the lines of a paragraph', '# Page\n\nThe alarm says\nso at once.'],
    ['across the parts of a string', "const text = 'five minutes unless ' +\n  'told';"],
    ['in a string that begins with it', "usage('no such day', 'want 2026-11-22')"],
    ['with a capital', '# Whoever comes next'],
    ['as an identifier', 'const stint = nodeStateFrom(claim);'],
  ])('is found %s, once', (_where, text) => expect(found('a', text)).toHaveLength(1));

  test.each(['amendment', 'forbears', 'ledger_id', 'thaw-out', 'const want = 3;', 'wanted', 'unsaid so far'])(
    'is not found inside another word: %s',
    (text) => expect(found('a', text)).toEqual([]),
  );

  test('is reported with its line', () => {
    expect(found('a.ts', '// one\n// two, as nobody\n')).toEqual([
      expect.stringMatching(/^a\.ts:2: "nobody"/),
    ]);
  });
});

describe('a file name', () => {
  test.each([
    ['shared/vip/a.ts', '// The window in which the node was last heard (silent.ts).', 'silent.ts'],
    ['shared/vip/a.ts', '/** Also in aws/codes.ts. */', 'aws/codes.ts'],
    ['docs/a.md', 'see `shared/fault/codes.ts`', 'shared/fault/codes.ts'],
    ['notify/a.bash', '# sourced by lib/gone.bash', 'lib/gone.bash'],
  ])('of %s that does not exist is found: %s', (path, text, name) =>
    expect(missingFiles(path, text)).toEqual([`${path}:1: ${name} does not exist`]),
  );

  test.each([
    ['shared/vip/a.ts', '// As in shared/vip/lease.ts, aws/wire.ts and lease.ts.'],
    ['shared/vip/a.ts', "const name = 'gone.ts';"],
    ['docs/a.md', 'one scenario is `lab/scenarios/NAME.ts`'],
  ])('that exists, is code or stands for any is not: %s, %s', (path, text) =>
    expect(missingFiles(path, text)).toEqual([]),
  );
});
