// Tables on a terminal of 80 columns and less, and whole where there is none.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cell, tableLines, tableOf } from '../../../../cli/command/output.ts';
import { cutTo, widthOf, wrapped } from '../../../../cli/command/print/fit.ts';

const paint = (_: unknown, text: string) => text;
const at = (fits: number | undefined, head: readonly string[], ...rows: readonly (readonly Cell[])[]) =>
  tableOf(head, rows, { paint, fits });
const id = 'i-0abc1234def567890';
const why = 'two nodes report MASTER: i-0abc1234def567890 and i-0fed9876abc543210, for 12 s';

describe('a table', () => {
  test('that fits is as wide as its cells', () => {
    expect(at(80, ['vip', 'owner'], ['web', id])).toEqual({
      lines: ['VIP  OWNER', `web  ${id}`],
      isCut: false,
    });
  });

  test('wraps the text of its last column where the others leave room', () => {
    const { lines, isCut } = at(66, ['vip', 'owner', 'why'], ['web', id, why]);
    expect(isCut).toBe(false);
    expect(lines).toEqual([
      'VIP  OWNER                WHY',
      `web  ${id}  two nodes report MASTER:`,
      '                          i-0abc1234def567890 and',
      '                          i-0fed9876abc543210, for 12 s',
    ]);
  });

  test('puts that text under the row where they do not, and cuts the widest of the others', () => {
    const { lines, isCut } = at(40, ['vip', 'from', 'to', 'why'], ['web', id, id, why]);
    expect(isCut).toBe(true);
    expect(lines[0]).toMatch(/^VIP +FROM +TO$/);
    expect(lines[1]).toBe('web  i-0abc1234def56…  i-0abc1234def567…');
    expect(
      lines
        .slice(2)
        .map((line) => line.trim())
        .join(' '),
    ).toBe(why);
    expect(lines.every((line) => widthOf(line) <= 40)).toBe(true);
  });

  test('cuts an id in its last column, and does not wrap it', () => {
    const { lines, isCut } = at(30, ['vip', 'health', 'id'], ['web', 'split brain', id]);
    expect(isCut).toBe(true);
    expect(lines).toEqual(['VIP  HEALTH       ID', 'web  split brain  i-0abc1234d…']);
  });

  test('without a terminal has every cell whole, in one line', () => {
    expect(tableLines(['vip', 'why'], [['web', why]])).toEqual([`VIP  WHY`, `web  ${why}`]);
    expect(at(undefined, ['vip', 'why'], ['web', why]).isCut).toBe(false);
  });

  test('counts characters as terminals draw them', () => {
    const { lines } = at(80, ['by', 'node'], ['王小明', 'a'], ['x', 'b']);
    expect(lines).toEqual(['BY      NODE', '王小明  a', 'x       b']);
    expect(cutTo('王小明', 5)).toBe('王小…');
  });

  test('keeps its columns with a row that lacks cells', () => {
    expect(at(80, ['a', 'b'], ['x']).lines).toEqual(['A  B', 'x']);
  });

  test('is never wider than the terminal, and text in its last column loses nothing', () => {
    const word = fc
      .string({ unit: 'grapheme', maxLength: 30 })
      .map((text) => text.replace(/[\p{C}\s]/gu, ''));
    const text = fc.array(word, { maxLength: 12 }).map((words) => words.filter((w) => w !== '').join(' '));
    const rows = fc.array(fc.tuple(word, word, text), { maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 40, max: 120 }), (cells, columns) => {
        const { lines } = at(columns, ['one', 'two', 'why'], ...cells);
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
        // Nothing wider is an id: up to there the last column is cut as the others are.
        if (Math.max(0, ...cells.map(([, , last]) => widthOf(last))) <= 24) return;
        const shown = lines.join('').replace(/\s/g, '');
        for (const [, , last] of cells)
          for (const part of last.split(' ').filter((w) => widthOf(w) <= 20)) expect(shown).toContain(part);
      }),
    );
  });
});

describe('a line', () => {
  test.each<readonly [string, number, readonly string[]]>([
    ['a b c', 3, ['a b', 'c']],
    ['abcdefgh ij', 3, ['abc', 'def', 'gh', 'ij']],
    ['', 10, ['']],
    ['日本語', 4, ['日本', '語']],
    ['日', 1, ['日', '']],
  ])('%j in %i columns: %j', (text, width, lines) => expect(wrapped(text, width)).toEqual(lines));
});
