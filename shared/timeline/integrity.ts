// The digest of a record: one hash over its canonical form. It stands in the record's log line, in another service with
// other permissions, so that an attacker who edits or deletes a record has to change the log as well.
//
// Canonical: JSON with the keys of every object sorted and absent values left out, so that the form does not depend on
// who wrote the object or on what DynamoDB did with it in between. Hashing comes from outside: this file is pure.
/** SHA-256 of the text's UTF-8, in hex. */
export type Hash = (text: string) => string;

export const digest = (entry: object, sha256: Hash): string => sha256(canonical(entry));

export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => canonical(one ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const parts = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`);
  return `{${parts.join(',')}}`;
}
