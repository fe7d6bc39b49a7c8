// Spoils a list of words or lines in up to three places.
import fc from 'fast-check';

/** A new list: `at` is a place in it, or its end. */
export type Spoil = (parts: readonly string[], at: number) => readonly string[];

export const leaveOut: Spoil = (parts, at) => parts.toSpliced(at, 1);
export const double: Spoil = (parts, at) => parts.toSpliced(at, 0, parts[at] ?? '');
export const insert =
  (part: string): Spoil =>
  (parts, at) =>
    parts.toSpliced(at, 0, part);
export const change =
  (how: (part: string) => string): Spoil =>
  (parts, at) =>
    parts.toSpliced(at, 1, how(parts[at] ?? ''));

export const spoilt = (
  valid: fc.Arbitrary<readonly string[]>,
  spoils: fc.Arbitrary<Spoil>,
): fc.Arbitrary<readonly string[]> =>
  fc
    .tuple(valid, fc.array(fc.tuple(spoils, fc.nat({ max: 30 })), { maxLength: 3 }))
    .map(([parts, all]) => all.reduce((list, [spoil, at]) => spoil(list, at % (list.length + 1)), parts));
