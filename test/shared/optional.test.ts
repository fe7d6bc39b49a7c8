import { describe, expect, expectTypeOf, test } from 'vitest';
import { defined } from '../../shared/optional.ts';

describe('optional fields', () => {
  test('are absent where they are undefined, and stand in their order where they are not', () => {
    expect(Object.entries(defined({ b: 1, a: undefined, c: false }))).toEqual([
      ['b', 1],
      ['c', false],
    ]);
    expect('a' in defined({ a: undefined })).toBe(false);
  });

  test('keep null, empty text and 0: they are values', () => {
    expect(defined({ a: null, b: '', c: 0 })).toEqual({ a: null, b: '', c: 0 });
  });

  test('are optional by type, without undefined; the others stay as they are', () => {
    const node = undefined as string | undefined;
    expectTypeOf(defined({ node, vip: 'web' as string })).toExtend<{ vip: string; node?: string }>();
  });
});
