// `~SEQ(…)` and `~LST(…)`: the rest of the line once for each value of a variable.

export interface Repetition {
  /** What is defined before each reading of `text`. */
  readonly rounds: readonly Readonly<Record<string, string>>[];
  readonly text: string;
}

/** More than any file has; keepalived's own example makes 65,024 instances, which no one reads here. */
const ROUNDS_MAX = 4096;

/** Undefined where it is not understood. */
export function repetitionIn(line: string): Repetition | undefined {
  const sequence = /^~SEQ(x?)[ \t]*\(([^)]*)\)[ \t]*(.*)$/s.exec(line);
  if (sequence !== null) return sequenceOf(sequence[2]!, sequence[1] === 'x', sequence[3]!);
  const list = /^~LST[ \t]*\(([^)]*)\)[ \t]*(.*)$/s.exec(line);
  return list === null ? undefined : listOf(list[1]!, list[2]!);
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const trimmed = (text: string): readonly string[] => text.split(',').map((part) => part.trim());

function sequenceOf(inner: string, isHex: boolean, text: string): Repetition | undefined {
  const [name = '', ...parts] = trimmed(inner);
  const numbers = parts.map(numberFrom);
  if (!NAME.test(name) || numbers.length < 1 || numbers.length > 3 || numbers.some(Number.isNaN))
    return undefined;
  const end = numbers.at(-1)!;
  const start = numbers.length === 1 ? (end < 0 ? -1 : 1) : numbers[0]!;
  const step = numbers.length === 3 ? numbers[1]! : start <= end ? 1 : -1;
  if (step === 0 || (start < end && step < 0) || (start > end && step > 0)) return undefined;
  const count = Math.floor((end - start) / step) + 1;
  if (count > ROUNDS_MAX) return undefined;
  const rounds = Array.from({ length: Math.max(count, 1) }, (_, n) => ({
    [name]: (start + n * step).toString(isHex ? 16 : 10),
  }));
  return { rounds, text };
}

/** As C's strtol reads it with base 0. */
function numberFrom(text: string): number {
  const [, sign, digits] = /^([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/.exec(text) ?? [];
  if (digits === undefined) return Number.NaN;
  const value = /^0[0-7]/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return sign === '-' ? -value : value;
}

function listOf(inner: string, text: string): Repetition | undefined {
  const parts = inner.match(/\{[^}]*\}|[^,{\s][^,{]*/g) ?? [];
  const [names = [], ...values] = parts.map((part): readonly string[] =>
    part.startsWith('{') ? trimmed(part.slice(1, -1)) : [part.trim()],
  );
  if (names.length === 0 || !names.every((name) => NAME.test(name)) || values.length === 0) return undefined;
  if (values.some((value) => value.length > names.length) || values.length > ROUNDS_MAX) return undefined;
  const rounds = values.map((value) => Object.fromEntries(names.map((name, n) => [name, value[n] ?? ''])));
  return { rounds, text };
}
