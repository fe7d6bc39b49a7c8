// Choices of a generator, taken from fast-check one at a time.
import fc from 'fast-check';

export interface Draw {
  /** One of them. */
  of<T>(options: readonly T[]): T;
  /** True in one of `n` cases. */
  oneIn(n: number): boolean;
}

export const drawFrom = (g: fc.GeneratorValue): Draw => ({
  of: (options) => options[g(fc.nat, { max: options.length - 1 })]!,
  oneIn: (n) => g(fc.nat, { max: n - 1 }) === 0,
});

/** What `make` draws, `count` times; the same for the same seed. */
export const drawn = <T>(
  make: (draw: Draw) => T,
  { count, seed }: { count: number; seed: number },
): readonly T[] =>
  fc.sample(
    fc.gen().map((g) => make(drawFrom(g))),
    { numRuns: count, seed },
  );
