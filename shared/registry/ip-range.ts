// Addresses and ranges as the registry compares them: numbers of 32 or 128 bits with a prefix length. IPv6 is written in
// one way only (RFC 5952), because EC2 hands destinations back in that form and the plan compares them as text.
//
// Limit: IPv4 inside IPv6 (`::ffff:192.0.2.1`) is not understood; EC2 takes no such route.

export interface Range {
  readonly family: 4 | 6;
  /** Its lowest address, unless host bits were set. */
  readonly base: bigint;
  readonly prefix: number;
}

const width = (family: 4 | 6): number => (family === 4 ? 32 : 128);

/** `192.168.255.10`, `192.168.255.0/24`, `fd77::10`; without a prefix a single address. Undefined when it is none. */
export function rangeFrom(text: string): Range | undefined {
  const [address = '', length, ...rest] = text.split('/');
  if (rest.length > 0) return undefined;
  const family = address.includes(':') ? 6 : 4;
  const base = family === 4 ? ipv4From(address) : ipv6From(address);
  if (base === undefined) return undefined;
  if (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const prefix = length === undefined ? width(family) : Number(length);
  return prefix <= width(family) ? { family, base, prefix } : undefined;
}

function ipv4From(text: string): bigint | undefined {
  const parts = text.split('.');
  // Leading zeros are octal to some parsers and decimal to others.
  if (parts.length !== 4 || !parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p) && Number(p) < 256))
    return undefined;
  return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function ipv6From(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const given = groups.flat();
  if (!given.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const missing = 8 - given.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = halves.length === 1 ? given : [...groups[0]!, ...Array(missing).fill('0'), ...groups[1]!];
  return all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

/** As EC2 spells it, prefix included. */
export const rangeText = (range: Range): string => `${addressText(range)}/${range.prefix}`;

export const addressText = ({ family, base }: Pick<Range, 'family' | 'base'>): string =>
  family === 4 ? ipv4Text(base) : ipv6Text(base);

const ipv4Text = (base: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => String((base >> shift) & 255n)).join('.');

function ipv6Text(base: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((base >> BigInt(16 * (7 - i))) & 0xffffn).toString(16));
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  if (best.length < 2) return groups.join(':');
  const head = groups.slice(0, best.start).join(':');
  return `${head}::${groups.slice(best.start + best.length).join(':')}`;
}

const hostBits = (range: Range): bigint => BigInt(width(range.family) - range.prefix);

export const hasHostBits = (range: Range): boolean => range.base !== lowest(range);
export const isSingle = (range: Range): boolean => range.prefix === width(range.family);
export const sizeOf = (range: Range): bigint => 1n << hostBits(range);
export const lowest = (range: Range): bigint => (range.base >> hostBits(range)) << hostBits(range);
export const highest = (range: Range): bigint => lowest(range) + sizeOf(range) - 1n;

export const overlaps = (a: Range, b: Range): boolean =>
  a.family === b.family && lowest(a) <= highest(b) && lowest(b) <= highest(a);

/** A managed prefix list: many ranges behind one route, named by its id. */
export const isPrefixList = (text: string): boolean => /^pl-[0-9a-f]{8,17}$/.test(text);

/** How the AWS CLI names a route's destination of this kind. */
export const destinationOption = (address: string): string =>
  isPrefixList(address)
    ? '--destination-prefix-list-id'
    : address.includes(':')
      ? '--destination-ipv6-cidr-block'
      : '--destination-cidr-block';

interface Special {
  readonly range: Range;
  readonly name: string;
}
const special = (rows: readonly (readonly [string, string])[]): readonly Special[] =>
  rows.map(([text, name]) => ({ range: rangeFrom(text)!, name }));

/** Never a VIP: hosts or EC2 treat these in a way of their own. */
const forbidden = special([
  ['0.0.0.0/8', 'this network (RFC 791)'],
  ['127.0.0.0/8', 'loopback (RFC 1122)'],
  ['169.254.168.0/22', 'reserved by EC2 for its own services (VPC guide, route tables)'],
  ['169.254.0.0/16', 'link-local (RFC 3927); EC2 answers there itself'],
  ['224.0.0.0/4', 'multicast (RFC 5771)'],
  ['240.0.0.0/4', 'reserved (RFC 1112)'],
  ['::/8', 'reserved, loopback and unspecified (RFC 4291)'],
  ['fd00:ec2::/32', 'reserved by EC2 for its own services (VPC guide, route tables)'],
  ['fe80::/10', 'link-local (RFC 4291)'],
  ['ff00::/8', 'multicast (RFC 4291)'],
]);

const internal = special([
  ['10.0.0.0/8', 'RFC 1918'],
  ['172.16.0.0/12', 'RFC 1918'],
  ['192.168.0.0/16', 'RFC 1918'],
  ['100.64.0.0/10', 'RFC 6598'],
  ['fc00::/7', 'RFC 4193'],
]);

/** The name of the forbidden range that `range` overlaps. */
export const forbiddenBy = (range: Range): string | undefined =>
  forbidden.find((f) => overlaps(f.range, range))?.name;

/** Whether it is in use on the Internet, or reserved for documentation: a VIP would hide the real address. */
export const isPublic = (range: Range): boolean =>
  !internal.some(
    (i) =>
      i.range.family === range.family &&
      lowest(i.range) <= lowest(range) &&
      highest(range) <= highest(i.range),
  );
