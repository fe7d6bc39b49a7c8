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
export const itemBytes = (item: object): number => fieldsBytes(item, 0);

/** A record may have thousands of steps, so nothing is copied to be counted. */
function fieldsBytes(of: object, forEach: number): number {
  let bytes = 0;
  for (const name of Object.keys(of)) {
    const value = (of as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) bytes += forEach + utf8Bytes(name) + valueBytes(value);
  }
  return bytes;
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return utf8Bytes(value);
  if (typeof value === 'number') return Math.ceil(String(value).length / 2) + 1;
  if (Array.isArray(value)) return value.reduce((all: number, one) => all + 1 + valueBytes(one), 3);
  if (typeof value === 'object' && value !== null) return 3 + fieldsBytes(value, 1);
  // True, false, null.
  return 1;
}
