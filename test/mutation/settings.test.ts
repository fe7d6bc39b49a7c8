// What the settings name is there, and what is taken out of the score says why.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root, sourcesOf } from '../architecture/sources.ts';
import settings from './stryker.config.json' with { type: 'json' };
import suites from './vitest.config.ts';

describe('the settings', () => {
  test.each([...settings.mutate, ...(suites.test?.include ?? [])])(
    'name files that there are: %s',
    (glob) => {
      expect(globSync(glob, { cwd: root })).not.toEqual([]);
    },
  );

  test('name each file of a list: one that was renamed would not be mutated any more', () => {
    const named = settings.mutate.flatMap((glob) => {
      const [, folder, names = ''] = /^([^{]*)\{(.*)\}\.ts$/.exec(glob) ?? [];
      return folder === undefined ? [glob] : names.split(',').map((name) => `${folder}${name}.ts`);
    });
    expect(named.filter((path) => globSync(path, { cwd: root }).length === 0)).toEqual([]);
  });
});

describe('a mutant that is disabled', () => {
  const COMMENT = /\/\/ Stryker disable next-line [A-Z]\w+(?:,[A-Z]\w+)*: \S.{15,}$/;
  const comments = (text: string) => text.split('\n').filter((line) => line.includes('Stryker disable'));

  test('is one of the next line, of a named kind, and has its reason', () => {
    const found = sourcesOf('shared').flatMap(({ text }) => comments(text));
    expect(found.filter((line) => !COMMENT.test(line))).toEqual([]);
  });

  test.each([
    '// Stryker disable next-line all: because all of this is the same',
    '// Stryker disable next-line EqualityOperator',
    '// Stryker disable EqualityOperator: and so is everything below',
  ])('is not accepted as %s', (line) => expect(line).not.toMatch(COMMENT));
});

describe('the command', () => {
  test.each([
    [['shared/no-such-file.ts'], 'no such file in the project: shared/no-such-file.ts'],
    [['--quick'], "Unknown option '--quick'"],
  ])('refuses %j with status 2, before it installs anything', (args, message) => {
    const ran = spawnSync(process.execPath, [join(root, 'test/mutation/main.ts'), ...args], {
      encoding: 'utf8',
    });
    expect([ran.status, ran.stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
