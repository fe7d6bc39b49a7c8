// Stands in for vitest while a mutant is judged: the same tests, bundled with the mutant, run in one thread without a
// server. Only what those tests use; an unknown matcher throws, and the unmutated run, which comes first, would tell.
import { isDeepStrictEqual } from 'node:util';

type Body = () => unknown;
export interface Case {
  readonly name: string;
  /** The file it is from, without `.test.ts`. */
  readonly suite: string;
  readonly body: Body;
}

const cases: Case[] = [];
const names: string[] = [];
let suite = '';

export const allCases = (): readonly Case[] => cases;
export function beginSuite(name: string): void {
  suite = name;
}

export function describe(name: string, body: Body): void {
  names.push(name);
  body();
  names.pop();
}

export function test(name: string, body: Body): void {
  cases.push({ name: [...names, name].join(' > '), suite, body });
}
test.each = (rows: readonly unknown[]) => (name: string, body: (...row: never[]) => unknown) => {
  for (const row of rows) test(name, () => body(...((Array.isArray(row) ? row : [row]) as never[])));
};
export const it = test;
describe.each = (rows: readonly unknown[]) => (name: string, body: (...row: never[]) => unknown) => {
  for (const row of rows) describe(name, () => body(...((Array.isArray(row) ? row : [row]) as never[])));
};
export const expectTypeOf = () => new Proxy(() => undefined, { get: () => () => undefined });

/** `undefined` fields count as absent, as in vitest's toEqual. */
function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [k, plain(v)]));
  if (value instanceof Set || value instanceof Date || value instanceof Error) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .map(([k, v]) => [k, plain(v)]),
  );
}

interface Asymmetric {
  readonly agrees: (value: unknown) => boolean;
}
const isAsymmetric = (value: unknown): value is Asymmetric =>
  typeof value === 'object' && value !== null && 'agrees' in value;

const equal = (a: unknown, b: unknown): boolean =>
  isAsymmetric(b) ? b.agrees(a) : isDeepStrictEqual(plain(a), plain(b));

function matches(is: unknown, wanted: unknown): boolean {
  if (isAsymmetric(wanted)) return wanted.agrees(is);
  if (Array.isArray(wanted)) {
    return Array.isArray(is) && is.length === wanted.length && wanted.every((w, i) => matches(is[i], w));
  }
  if (wanted !== null && typeof wanted === 'object' && !(wanted instanceof Map)) {
    if (is === null || typeof is !== 'object') return false;
    return Object.entries(wanted).every(([k, w]) => matches((is as Record<string, unknown>)[k], w));
  }
  return equal(is, wanted);
}

const says = (error: unknown, wanted: unknown): boolean => {
  if (wanted === undefined) return true;
  if (wanted instanceof RegExp) return wanted.test((error as Error).message);
  if (typeof wanted === 'string') return (error as Error).message.includes(wanted);
  if (typeof wanted === 'function') return error instanceof wanted;
  return matches(error, wanted);
};

const length = (value: unknown): number => (value as { length: number }).length;
const has = (of: unknown, wanted: unknown): boolean =>
  typeof of === 'string' ? of.includes(wanted as string) : [...(of as Iterable<unknown>)].includes(wanted);

type Matcher = (is: never, wanted: never, more: never) => boolean;
const matchers: Readonly<Record<string, Matcher>> = {
  toBe: (is, wanted) => Object.is(is, wanted),
  toEqual: equal,
  toStrictEqual: (is, wanted) => isDeepStrictEqual(is, wanted),
  toMatchObject: matches,
  toHaveLength: (is, wanted) => length(is) === wanted,
  toBeUndefined: (is) => is === undefined,
  toBeDefined: (is) => is !== undefined,
  toBeTypeOf: (is, wanted) => typeof is === wanted,
  toBeNull: (is) => is === null,
  toBeTruthy: (is) => Boolean(is),
  toBeGreaterThan: (is, wanted) => is > wanted,
  toBeGreaterThanOrEqual: (is, wanted) => is >= wanted,
  toBeLessThan: (is, wanted) => is < wanted,
  toBeLessThanOrEqual: (is, wanted) => is <= wanted,
  toBeCloseTo: (is, wanted, digits: number | undefined) => Math.abs(is - wanted) < 10 ** -(digits ?? 2) / 2,
  toContain: has,
  toContainEqual: (is: readonly unknown[], wanted) => is.some((one) => equal(one, wanted)),
  toMatch: (is: string, wanted: string | RegExp) =>
    typeof wanted === 'string' ? is.includes(wanted) : wanted.test(is),
  toHaveProperty: (is, wanted: string) => Object.hasOwn(is, wanted),
  toBeInstanceOf: (is, wanted: never) => (is as unknown) instanceof (wanted as new () => unknown),
};

const fail = (name: string, is: unknown, wanted: unknown): never => {
  throw new Error(
    `${name}: found ${String(JSON.stringify(is))?.slice(0, 200)}, expected ${String(JSON.stringify(wanted))?.slice(0, 200)}`,
  );
};

function against(is: unknown, not: boolean): Record<string, unknown> {
  const bound: Record<string, unknown> = {};
  for (const [name, matcher] of Object.entries(matchers)) {
    bound[name] = (wanted: never, more: never) => {
      if (matcher(is as never, wanted, more) === not) fail(name, is, wanted);
    };
  }
  bound.toThrow = (wanted: unknown) => {
    let thrown: unknown;
    try {
      (is as Body)();
    } catch (error) {
      thrown = error ?? new Error('undefined');
    }
    if ((thrown !== undefined && says(thrown, wanted)) === not) fail('toThrow', thrown, wanted);
  };
  return bound;
}

const later = (promise: Promise<unknown>, rejects: boolean) =>
  new Proxy(
    {},
    {
      get: (_, name: string) => async (wanted: unknown, more: unknown) => {
        const settled = await promise.then(
          (value) => ({ rejected: false, value }),
          (value: unknown) => ({ rejected: true, value }),
        );
        if (settled.rejected !== rejects) fail(rejects ? 'rejects' : 'resolves', settled.value, wanted);
        if (name === 'toThrow')
          return says(settled.value, wanted) ? undefined : fail(name, settled.value, wanted);
        return (against(settled.value, false)[name] as (w: unknown, m: unknown) => void)(wanted, more);
      },
    },
  );

export function expect(is: unknown): Record<string, unknown> {
  return Object.assign(against(is, false), {
    not: against(is, true),
    rejects: later(is as Promise<unknown>, true),
    resolves: later(is as Promise<unknown>, false),
  });
}
expect.arrayContaining = (all: readonly unknown[]): Asymmetric => ({
  agrees: (is) => Array.isArray(is) && all.every((wanted) => is.some((one) => equal(one, wanted))),
});
expect.objectContaining = (wanted: unknown): Asymmetric => ({ agrees: (is) => matches(is, wanted) });
expect.stringContaining = (part: string): Asymmetric => ({
  agrees: (is) => typeof is === 'string' && is.includes(part),
});
expect.anything = (): Asymmetric => ({ agrees: (is) => is !== undefined && is !== null });
expect.any = (type: new () => unknown): Asymmetric => ({
  agrees: (is) => is instanceof type || typeof is === type.name.toLowerCase(),
});
