import { describe, expect, test } from 'vitest';
import { reasons } from './harmless.ts';
import { mutantsOf, mutated } from './mutants.ts';
import { suites, textOf, top } from './suites.ts';
import { judged } from './verdict.ts';

const programs = (text: string): readonly string[] => mutantsOf('x.ts', text).map((m) => mutated(text, m));

describe('mutants', () => {
  test.each([
    ['a condition negated', 'const x = a ? 1n : 2n;', ['const x = !(a) ? 1n : 2n;']],
    ['a bound moved by one', 'const x = a < b;', ['const x = a <= b;']],
    ['and for or', 'const x = a && b;', ['const x = a || b;']],
    ['an equality turned', 'const x = a === b;', ['const x = a !== b;']],
    ['a constant one more and one less', 'const x = 7;', ['const x = 8;', 'const x = (6);']],
    ['a statement dropped', 'a();', [';']],
    ['an `if` dropped or negated, and not dropped twice', 'if (a) b();', [';', 'if (!(a)) b();']],
    [
      'an equality that is a whole condition, turned once',
      'if (a === b) c();',
      [';', 'if (!(a === b)) c();'],
    ],
    ['a return dropped', 'function f() { return a; }', ['function f() { ; }']],
    ['no return that says what happens anyway', 'function f() { return undefined; }', []],
    ['nothing of types and imports', "import { a } from 'b'; type X = 1 | 2; declare const y: 3;", []],
  ])('are %s', (_what, text, wanted) => {
    expect(programs(text)).toEqual(wanted);
  });

  test('know their line, by which a survivor is found again', () => {
    expect(mutantsOf('x.ts', '\n\nf();').map((m) => [m.line, m.source])).toEqual([[3, 'f();']]);
  });
});

describe('what is named of the project', () => {
  test('a reason why a mutant is harmless stands on a line that there is', async () => {
    const lost = await Promise.all(
      reasons.map(async ({ file, line }) => ((await textOf(top + file)).includes(line) ? [] : [file, line])),
    );
    expect(lost.flat()).toEqual([]);
  });

  test('each suite that a mutant has to get past is a file', async () => {
    const texts = await Promise.all(suites.map((suite) => textOf(`${top}test/${suite}.test.ts`)));
    expect(texts).not.toContain('');
  });
});

describe('the judge', () => {
  const bundle = (cases: string, histories = 'undefined') =>
    `export const allCases = () => [${cases}]; export const judgeByHistories = async () => ${histories};`;
  const fails = (suite: string) => `{ name: 'n', suite: '${suite}', body: () => { throw new Error('no'); } }`;

  test.each([
    ['survived', bundle('')],
    ['test', bundle(fails('lease'))],
    ['property', bundle(fails('properties/merge'))],
    ['history', bundle('', "'history 1: order'")],
    ['stillborn', 'export const = 1;'],
    ['load', "throw new RangeError('lease constants');"],
    [
      'crash',
      bundle(
        "{ name: 'n', suite: 's', body: () => { setTimeout(() => { throw new Error('x'); }, 0); return new Promise(() => {}); } }",
      ),
    ],
    ['endless', bundle("{ name: 'n', suite: 's', body: () => new Promise(() => {}) }")],
  ])('says %s', async (kind, text) => {
    expect((await judged(text)).kind).toBe(kind);
  });

  test('ends what never ends, by its own CPU time', async () => {
    const text = bundle("{ name: 'n', suite: 's', body: () => { for (;;); } }");
    expect(await judged(text, 300)).toMatchObject({ kind: 'endless', by: expect.stringMatching(/CPU$/) });
  });
});
