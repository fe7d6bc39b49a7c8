import { describe, expect, test } from 'vitest';
import { holds, type Item, updated } from '../../bench/fake/expression.ts';

const item: Item = {
  vip: { S: 'web' },
  rev: { N: '3' },
  members: { M: { 'i-a': { M: { eni: { S: 'eni-1' } } } } },
  heard: { NS: ['1', '2'] },
};
const words = {
  names: { '#m': 'members', '#a': 'i-a', '#b': 'i-b', '#r': 'rev', '#h': 'heard' },
  values: { ':one': { N: '1' }, ':three': { N: '3' }, ':we': { S: 'we' }, ':set': { NS: ['2', '3'] } },
};

describe('the benchmark’s DynamoDB decides conditions as DynamoDB does', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['attribute_exists(#m.#a)', true],
    ['attribute_exists(#m.#b)', false],
    ['attribute_not_exists(#m.#b) AND #r = :three', true],
    ['#r < :three OR begins_with(vip, :we)', true],
    ['NOT begins_with(vip, :we)', false],
    ['(#r <> :three) OR (#r >= :three AND attribute_not_exists(vip))', false],
    ['#r BETWEEN :one AND :three AND attribute_exists(vip)', true],
    ['#r BETWEEN :one AND :one', false],
    ['#r IN (:one, :three) AND attribute_exists(vip)', true],
    ['#r IN (:one)', false],
    ['size(#h) < :three', true],
    ['size(#h) < :one', false],
    ['(attribute_not_exists(#h) OR size(#h) < :three)', true],
    // An absent attribute compares with nothing.
    ['#m.#b > :one', false],
  ];
  for (const [condition, expected] of cases) {
    test(condition, () => expect(holds(condition, item, words)).toBe(expected));
  }
});

describe('and updates', () => {
  test('every right side is computed from the item as it was', () => {
    const after = updated('SET #r = #r + :one, copy = #r', item, words);
    expect([after.rev, after.copy]).toEqual([{ N: '4' }, { N: '3' }]);
    expect(item.rev).toEqual({ N: '3' });
  });

  test('if_not_exists, REMOVE and ADD to a set', () => {
    const after = updated(
      'SET seen = if_not_exists(seen, :one) + :one REMOVE #m.#a ADD #h :set',
      item,
      words,
    );
    expect(after).toMatchObject({ seen: { N: '2' }, members: { M: {} }, heard: { NS: ['1', '2', '3'] } });
    const texts = { ...words, values: { ':t': { SS: ['b', 'c'] } } };
    const first = updated('ADD told :t', item, texts);
    expect(first.told).toEqual({ SS: ['b', 'c'] });
    expect(updated('ADD told :t', { ...item, told: { SS: ['a', 'b'] } }, texts).told).toEqual({
      SS: ['a', 'b', 'c'],
    });
  });

  test('an expression that it does not know is an error and never a guess', () => {
    expect(() => holds('contains(vip, :we)', item, words)).toThrow('contains');
    expect(() => updated('SET #r = list_append(#r, :one)', item, words)).toThrow();
  });
});
