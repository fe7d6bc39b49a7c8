/** Values of the lab's command lines; each throws with a sentence where one is wrong. */

export function wholeNumber(
  option: string,
  given: string,
  { from, to }: { from: number; to: number },
): number {
  const value = Number(given);
  if (!Number.isInteger(value) || value < from || value > to)
    throw new Error(`${option} is "${given}", expected a whole number from ${from} to ${to}`);
  return value;
}

export function oneOf<T extends string>(option: string, given: string, known: readonly T[]): T {
  const found = known.find((one) => one === given);
  if (found === undefined) throw new Error(`${option} is "${given}", expected one of: ${known.join(', ')}`);
  return found;
}
