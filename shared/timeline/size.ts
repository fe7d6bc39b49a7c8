// How large a record is, as those who keep it count. Pure.
//
// DynamoDB developer guide, "Item sizes and formats": names and strings in UTF-8, a number one byte for two digits and one
// more, lists and maps 3 bytes and 1 for each element. Where the guide says "approximately" this counts the larger figure.

/** What DynamoDB takes as one item. */
export const ITEM_MAX = 409_600;
/** For the keys of table and indexes, which the store adds to an entry. */
const KEYS_MAX = 1024;
/** What an entry of the timeline may count. */
export const RECORD_MAX = ITEM_MAX - KEYS_MAX;

const encoder = new TextEncoder();
export function utf8Bytes(text: string): number {
  // Nearly every text is ASCII: counted without a copy.
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 0x7f) return encoder.encode(text).length;
  }
  return text.length;
}
export const jsonBytes = (value: unknown): number => utf8Bytes(JSON.stringify(value) ?? '');

/** The bytes of an object as an item; absent values are not stored. */
export const itemBytes = (item: object): number => sum(fieldsOf(item), fieldBytes);

type Field = readonly [name: string, value: unknown];
const fieldsOf = (of: object): readonly Field[] =>
  Object.entries(of).filter(([, value]) => value !== undefined);
const fieldBytes = ([name, value]: Field): number => utf8Bytes(name) + valueBytes(value);

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return utf8Bytes(value);
  if (typeof value === 'number') return Math.ceil(String(value).length / 2) + 1;
  if (Array.isArray(value)) return 3 + sum(value, (one) => 1 + valueBytes(one));
  if (typeof value === 'object' && value !== null)
    return 3 + sum(fieldsOf(value), (field) => 1 + fieldBytes(field));
  // True, false, null.
  return 1;
}

const sum = <T>(list: readonly T[], bytes: (one: T) => number): number =>
  list.reduce((all, one) => all + bytes(one), 0);
