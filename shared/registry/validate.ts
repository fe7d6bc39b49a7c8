// What the registry refuses; each refusal names the conflict and what to do. Pure. The same checks serve `vip add`,
// `vip set`, `apply`, the pool and the doctor.
//
// Why outside every CIDR: a route inside the VPC's CIDR has to match a whole subnet (VPC guide, "Route tables"), so a
// /32 there cannot be routed to an ENI.

import type { RegistryEntry } from '../vip/vip.ts';
import {
  addressText,
  forbiddenBy,
  hasHostBits,
  highest,
  isPrefixList,
  isPublic,
  isSingle,
  lowest,
  overlaps,
  type Range,
  rangeFrom,
  rangeText,
} from './ip-range.ts';

/** What has to be known of a VPC. */
export interface VpcSeen {
  readonly vpc: string;
  readonly account: string;
  /** Every associated CIDR, IPv4 and IPv6, secondary ones too. */
  readonly cidrs: readonly string[];
}

export interface Refused {
  /** The option or field that is refused. */
  readonly what: string;
  readonly found: string;
  readonly wanted: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Tag values may hold more, but a label with a comma or a wildcard would be read as something else by EC2's filters. */
const LABEL = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const VPC_ID = /^vpc-[0-9a-f]{8,17}$/;
const EIP_ID = /^eipalloc-[0-9a-f]{8,17}$/;
export const ADDRESSES_MAX = 16;
export const EIPS_MAX = 16;

export const refusal = (r: Refused): string => `${r.what} ${r.found}: expected ${r.wanted}`;

export function nameRefused(name: string): readonly Refused[] {
  if (NAME.test(name)) return [];
  return [
    {
      what: 'name',
      found: JSON.stringify(name),
      wanted: 'a letter or digit, then letters, digits, ".", "_" or "-", at most 64',
    },
  ];
}

/** The address as EC2 spells it, or why it cannot be a VIP, whatever the VPC. */
export function vipAddress(text: string, allowPublic: boolean): string | Refused {
  if (isPrefixList(text)) return text;
  const no = (wanted: string): Refused => ({ what: 'address', found: text, wanted });
  const range = rangeFrom(text);
  if (range === undefined) return no('an IPv4 or IPv6 address, such as 192.168.255.10 or fd77:7669:7073::10');
  if (!isSingle(range)) {
    const one = hasHostBits(range)
      ? `a single address: ${addressText(range)} alone, the prefix /${range.prefix} leaves host bits over`
      : `a single address; the next free one of a range comes by --pool ${text}`;
    return no(one);
  }
  const reserved = forbiddenBy(range);
  if (reserved !== undefined) return no(`an address outside the reserved ranges; this one is ${reserved}`);
  if (isPublic(range) && !allowPublic) {
    return no('a private range (RFC 1918, RFC 6598, fc00::/7), or --allow-public if the range is yours');
  }
  return rangeText(range);
}

/**
 * Everything about an entry that needs no other VIP. Its addresses are already as EC2 spells them; `toCome` more will
 * be drawn from a pool.
 */
export const entryRefused = (entry: RegistryEntry, vpc: VpcSeen, toCome = 0): readonly Refused[] => [
  ...wordsRefused(entry, toCome),
  ...entry.addresses.flatMap((address) => insideRefused(address, vpc)),
];

/** What is wrong with an entry whatever there is in the VPC. */
export const wordsRefused = (entry: RegistryEntry, toCome: number): readonly Refused[] => [
  ...nameRefused(entry.name),
  ...listRefused(entry, toCome),
  ...(VPC_ID.test(entry.vpc) ? [] : [{ what: 'VPC', found: entry.vpc, wanted: 'vpc-…' }]),
];

function listRefused(entry: RegistryEntry, toCome: number): readonly Refused[] {
  const refused: Refused[] = [];
  const { addresses, eips } = entry;
  if (addresses.length + toCome === 0 && eips.length === 0) {
    refused.push({ what: 'addresses', found: 'none', wanted: '--address, --pool or --eip' });
  }
  if (addresses.length + toCome > ADDRESSES_MAX)
    refused.push({
      what: 'addresses',
      found: `${addresses.length + toCome}`,
      wanted: `at most ${ADDRESSES_MAX}`,
    });
  if (eips.length > EIPS_MAX)
    refused.push({ what: 'EIPs', found: `${eips.length}`, wanted: `at most ${EIPS_MAX}` });
  for (const twice of repeated([...addresses, ...eips]))
    refused.push({ what: 'address or EIP', found: `${twice} given twice`, wanted: 'each once' });
  for (const eip of eips.filter((e) => !EIP_ID.test(e)))
    refused.push({ what: 'EIP', found: eip, wanted: 'an allocation id, eipalloc-…, or a public address' });
  for (const label of [...entry.tableLabels, ...entry.nodeLabels].filter((l) => !LABEL.test(l)))
    refused.push({ what: 'label', found: JSON.stringify(label), wanted: 'letters, digits, ".", "_", "-"' });
  if (entry.tableLabels.length === 0 || entry.nodeLabels.length === 0)
    refused.push({ what: 'labels', found: 'none', wanted: 'at least one for tables and one for nodes' });
  return refused;
}

const repeated = (values: readonly string[]): readonly string[] =>
  values.filter((value, i) => values.indexOf(value) !== i);

/** An address inside a CIDR of the VPC: its first one, or a secondary one. */
export interface Inside extends Refused {
  readonly secondary: boolean;
}

/** Refused if the address is inside a CIDR of the VPC. */
export function insideRefused(address: string, vpc: VpcSeen): readonly Inside[] {
  const range = rangeFrom(address);
  if (range === undefined) return [];
  const [first] = vpc.cidrs;
  return vpc.cidrs
    .filter((cidr) => touches(cidr, range))
    .map((cidr) => ({
      what: 'address',
      found: `${address} is inside ${cidr}, a ${cidr === first ? '' : 'secondary '}CIDR of ${vpc.vpc}`,
      wanted: 'an address outside every CIDR of the VPC: EC2 takes no single-address route inside one',
      secondary: cidr !== first,
    }));
}

const touches = (cidr: string, range: Range): boolean => {
  const other = rangeFrom(cidr);
  return other !== undefined && overlaps(other, range);
};

/**
 * Conflicts with the rest of the registry. An address serves one VIP of the whole registry, across VPCs, too: neither a
 * transit gateway nor a reader of the record could tell two of them apart.
 */
export function clashes(entry: RegistryEntry, others: readonly RegistryEntry[]): readonly Refused[] {
  return others
    .filter((other) => other.name !== entry.name)
    .flatMap((other) => [
      ...entry.addresses
        .filter((address) => other.addresses.includes(address))
        .map((address) => clash('address', address, other.name)),
      ...entry.eips.filter((eip) => other.eips.includes(eip)).map((eip) => clash('EIP', eip, other.name)),
    ]);
}

export const clash = (what: string, found: string, other: string): Refused => ({
  what,
  found: `${found} belongs to VIP ${other}`,
  wanted: `another one; it is free once VIP ${other} gives it up (vipshift vip show ${other})`,
});

/** Addresses inside a prefix list of another VIP: both would route them. */
export function heldByList(
  entry: RegistryEntry,
  other: string,
  list: string,
  entries: readonly string[],
): readonly Refused[] {
  return entry.addresses.flatMap((address) => {
    const range = rangeFrom(address);
    const holding = range === undefined ? undefined : entries.find((held) => touches(held, range));
    return holding === undefined
      ? []
      : [
          {
            what: 'address',
            found: `${address} is in ${holding} of ${list}, which belongs to VIP ${other}`,
            wanted: `an address outside it, or the entry taken out of ${list} first`,
          },
        ];
  });
}

export interface PrefixList {
  readonly list: string;
  /** Undefined: there is no such list. */
  readonly entries: readonly string[] | undefined;
}

/** What the addresses of a VIP are checked against. */
export interface Surroundings {
  readonly vpc: VpcSeen;
  readonly others: readonly RegistryEntry[];
  readonly allowPublic: boolean;
}

/** A prefix list may hold whole ranges. Each must pass the same checks as a single address. */
/** `entry`: the one of the list that is refused; undefined where it is the list. */
export interface ListRefused extends Refused {
  readonly entry?: string;
}

export function prefixListRefused(
  { list, entries }: PrefixList,
  { vpc, others, allowPublic }: Surroundings,
): readonly ListRefused[] {
  const no = (found: string, wanted: string): ListRefused => ({ what: `prefix list ${list}`, found, wanted });
  if (entries === undefined || entries.length === 0)
    return [
      no('does not exist, or is empty', 'a managed prefix list of this account and Region, with entries'),
    ];
  return entries.flatMap((entry) => {
    const range = rangeFrom(entry);
    if (range === undefined) return [];
    const reserved = forbiddenBy(range);
    const other = others.find((vip) => vip.addresses.some((address) => touches(address, range)));
    return [
      ...insideRefused(entry, vpc).map(({ found, wanted }) => no(found, wanted)),
      ...(reserved === undefined ? [] : [no(entry, `nothing reserved; this is ${reserved}`)]),
      ...(isPublic(range) && !allowPublic ? [no(entry, 'private ranges, or --allow-public')] : []),
      ...(other === undefined
        ? []
        : [no(`${entry} holds an address of VIP ${other.name}`, 'each address once')]),
    ].map((refused) => ({ ...refused, entry }));
  });
}

/** The first address of a pool that is neither taken nor refused; the two ends of an IPv4 range are left out. */
export function nextFree(pool: Range, taken: ReadonlySet<string>, vpc: VpcSeen): string | undefined {
  const { family } = pool;
  const last = highest(pool);
  const spare = family === 4 && pool.prefix < 31 ? 1n : 0n;
  const limit = BigInt(POOL_TRIED_MAX);
  for (let base = pool.base + spare; base <= last - spare && base - pool.base < limit; base++) {
    const address = rangeText({ family, base, prefix: family === 4 ? 32 : 128 });
    if (!taken.has(address) && insideRefused(address, vpc).length === 0) return address;
  }
  return undefined;
}

/** A pool wholly inside the VPC has no usable address; one that reaches out of it has some. */
export function poolInside(pool: Range, vpc: VpcSeen): readonly Refused[] {
  const around = vpc.cidrs.find((cidr) => {
    const range = rangeFrom(cidr);
    return range?.family === pool.family && lowest(range) <= lowest(pool) && highest(pool) <= highest(range);
  });
  if (around === undefined) return [];
  return [
    {
      what: 'pool',
      found: `${rangeText(pool)} is inside ${around}, a CIDR of ${vpc.vpc}`,
      wanted: 'a range outside every CIDR of the VPC: EC2 takes no single-address route inside one',
    },
  ];
}

/** Larger pools are searched up to here. */
export const POOL_TRIED_MAX = 65_536;

/** A pool that could never provide an address is refused before any request to AWS. */
export function poolFrom(text: string, allowPublic: boolean): Range | Refused {
  const range = rangeFrom(text);
  const no = (wanted: string): Refused => ({ what: 'pool', found: text, wanted });
  if (range === undefined || !text.includes('/')) return no('a range, such as 192.168.255.0/24');
  if (hasHostBits(range)) return no(`no host bits: ${rangeText({ ...range, base: lowest(range) })}`);
  const reserved = forbiddenBy(range);
  if (reserved !== undefined) return no(`a range that touches nothing reserved; this one is ${reserved}`);
  if (isPublic(range) && !allowPublic) return no('a private range, or --allow-public if the range is yours');
  return range;
}
