// Many draws of one arbitrary. What fails is made as small as it gets, and printed with the command that draws just this again.
import fc from 'fast-check';

export const inputs = ['events', 'calls', 'lines', 'files'] as const;
export type Input = (typeof inputs)[number];

export interface Draws {
  readonly runs: number;
  readonly seed: number;
  /** Which of the seed's values alone, as a failure names it. */
  readonly path?: string;
}

/** Throws an Error that shows the smallest value for which `judge` throws, and why. */
export async function drawAll<T>(
  input: Input,
  { runs, seed, path }: Draws,
  values: fc.Arbitrary<T>,
  judge: (value: T) => Promise<void>,
): Promise<void> {
  const all = { numRuns: runs, seed };
  const one = { numRuns: 1, seed, endOnFailure: true };
  const details = await fc.check(
    fc.asyncProperty(values, judge),
    path === undefined
      ? all
      : { ...one, examples: fc.sample(values, { ...one, path }).map((value) => [value]) },
  );
  if (!details.failed) return;
  const again = `npm run fuzz -- --replay ${input} --seed ${seed} --path ${path ?? details.counterexamplePath}`;
  const smallest = `the smallest of ${input} that fails: ${fc.stringify(details.counterexample?.[0])}`;
  throw new Error(`${smallest}\nAgain: ${again}`, { cause: details.errorInstance });
}
