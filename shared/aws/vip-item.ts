// How a VIP lies in DynamoDB. The domain's shape but for what one UpdateItem cannot write blindly: a map may not hold a
// value computed from another attribute, so the epochs of `open` lie in a map of their own (`openEpoch`), and the
// lease's epoch is the item's `epoch`, which only rises when a lease is taken.
//
// Rule: attributes are set and removed one by one, never the whole item, so that old code keeps what it does not know.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Stint } from '../claim.ts';
import type { Lease, Open } from '../lease.ts';
import type { Vip } from '../vip.ts';

export type Item = Record<string, AttributeValue>;

/** Maps whose entries are set and removed one by one. */
const maps = ['members', 'claims', 'openEpoch', 'openCause'] as const;
type MapName = (typeof maps)[number];

interface Row extends Omit<Vip, 'name' | 'open' | 'lease' | 'heard'> {
  readonly vip: string;
  readonly lease?: Omit<Lease, 'epoch'>;
  readonly openEpoch: Readonly<Record<string, number>>;
  readonly openCause: Readonly<Record<string, Open['cause']>>;
  /** Marks the last compare-and-set, so that the SDK's own repetition of it is recognised. */
  readonly token?: string;
  /** A number set; DynamoDB has no empty ones. */
  readonly heard?: ReadonlySet<number>;
}

const options = { removeUndefinedValues: true };
export const value = (plain: unknown): AttributeValue => marshall({ plain }, options).plain!;

export function vipFrom(item: Item): Vip {
  const row = unmarshall(item) as Row;
  const { vip, openEpoch, openCause, lease, heard, claims, token: _token, ...same } = row;
  const open: Record<string, Open> = {};
  for (const holder of Object.keys(openEpoch)) {
    const cause = openCause[holder];
    if (cause !== undefined) open[holder] = { epoch: openEpoch[holder]!, cause };
  }
  return {
    ...same,
    name: vip,
    open,
    claims: Object.fromEntries(Object.entries(claims).map(([node, stint]) => [node, dated(stint)])),
    heard: [...(heard ?? [])].sort((a, b) => a - b),
    ...(lease === undefined ? {} : { lease: { ...lease, epoch: row.epoch } }),
  };
}

/** Older items do not say when the newest word was sent: then as late as it was said. */
const dated = (stint: Stint): Stint => ({
  ...{ stampMs: stint.seenMs, upMs: Math.floor(stint.seq / 1000) },
  ...stint,
});

function rowFrom(vip: Vip): Row {
  const { name, open, lease, heard, ...same } = vip;
  const { epoch: _epoch, ...bare } = lease ?? { epoch: 0 };
  const holders = Object.keys(open);
  return {
    ...same,
    vip: name,
    openEpoch: Object.fromEntries(holders.map((h) => [h, open[h]!.epoch])),
    openCause: Object.fromEntries(holders.map((h) => [h, open[h]!.cause])),
    ...(lease === undefined ? {} : { lease: bare as Omit<Lease, 'epoch'> }),
    ...(heard.length === 0 ? {} : { heard: new Set(heard) }),
  };
}

/** An update under construction: names and values are numbered, so that no name has to be escaped. */
export class Update {
  readonly names: Record<string, string> = {};
  readonly values: Item = {};
  readonly #sets: string[] = [];
  readonly #removes: string[] = [];
  readonly #adds: string[] = [];

  name(attribute: string): string {
    const known = Object.keys(this.names).find((n) => this.names[n] === attribute);
    if (known !== undefined) return known;
    const name = `#n${Object.keys(this.names).length}`;
    this.names[name] = attribute;
    return name;
  }
  path(...attributes: readonly string[]): string {
    return attributes.map((a) => this.name(a)).join('.');
  }
  value(plain: unknown): string {
    const name = `:v${Object.keys(this.values).length}`;
    this.values[name] = value(plain);
    return name;
  }
  set(path: string, expression: string): void {
    this.#sets.push(`${path} = ${expression}`);
  }
  remove(path: string): void {
    this.#removes.push(path);
  }
  /** Adds to a number set; adding twice changes nothing. */
  add(path: string, numbers: readonly number[]): void {
    this.#adds.push(`${path} ${this.value(new Set(numbers))}`);
  }
  get expression(): string {
    const clause = (word: string, parts: readonly string[]) =>
      parts.length === 0 ? [] : [`${word} ${parts.join(', ')}`];
    return [
      ...clause('SET', this.#sets),
      ...clause('REMOVE', this.#removes),
      ...clause('ADD', this.#adds),
    ].join(' ');
  }
}

/** Adds to `update` what turns the item of `before` into that of `after`; `rev` is the caller's. */
export function differences(update: Update, before: Vip | undefined, after: Vip): void {
  const was: Partial<Row> = before === undefined ? {} : rowFrom(before);
  const is = rowFrom(after);
  const attributes = new Set([...Object.keys(was), ...Object.keys(is)] as (keyof Row)[]);
  for (const attribute of attributes) {
    if (attribute === 'rev' || attribute === 'vip') continue;
    if (before !== undefined && (maps as readonly string[]).includes(attribute)) {
      entryDifferences(update, attribute as MapName, was, is);
    } else if (is[attribute] === undefined) update.remove(update.path(attribute));
    else if (!alike(was[attribute], is[attribute]))
      update.set(update.path(attribute), update.value(is[attribute]));
  }
}

function entryDifferences(update: Update, map: MapName, was: Partial<Row>, is: Row): void {
  const old: Readonly<Record<string, unknown>> = was[map] ?? {};
  const now: Readonly<Record<string, unknown>> = is[map];
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
    if (now[key] === undefined) update.remove(update.path(map, key));
    else if (!alike(old[key], now[key])) update.set(update.path(map, key), update.value(now[key]));
  }
}

const alike = (a: unknown, b: unknown): boolean => a === b || text(a) === text(b);
const text = (a: unknown): string | undefined => JSON.stringify(a instanceof Set ? [...a] : a);
