/** A number from a command line. Throws a RangeError that names the option. */
export function whole(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new RangeError(`--${name} is ${JSON.stringify(text)}, expected a whole number`);
}
