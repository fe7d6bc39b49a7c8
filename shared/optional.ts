// Optional fields of records. Absent and undefined differ: types distinguish them (exactOptionalPropertyTypes), DynamoDB refuses
// undefined, and `in` tells them apart.

type Optional<T> = { [K in keyof T]: undefined extends T[K] ? K : never }[keyof T];

export type Defined<T> = Omit<T, Optional<T>> & { [K in Optional<T>]?: Exclude<T[K], undefined> };

/** What `of` makes of the value; undefined stays undefined. */
export const ifDefined = <T, Made>(value: T | undefined, of: (value: T) => Made): Made | undefined =>
  value === undefined ? undefined : of(value);

/** The same fields, in their order, without those that are undefined: `{ vip, ...defined({ node, label }) }`. */
export function defined<const T extends object>(fields: T): Defined<T> {
  // Without lists in between: this is called for every claim, hundreds of times in a sweep.
  const kept: Partial<T> = {};
  for (const name of Object.keys(fields) as (keyof T)[]) {
    if (fields[name] !== undefined) kept[name] = fields[name];
  }
  return kept as Defined<T>;
}
