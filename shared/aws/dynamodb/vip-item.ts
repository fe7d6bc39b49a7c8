// How a VIP is stored in DynamoDB. The domain's shape, except for what one UpdateItem cannot write without reading: a map
// may not hold a value computed from another attribute. So the epochs of `open` are in a map of their own (`openEpoch`),
// and the lease's epoch is the item's `epoch`, which only rises when a lease is taken.
//
// Rule: attributes are set and removed one by one, never the whole item, so that old code keeps what it does not know.
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { defined, ifDefined } from '../../optional.ts';
import type { Lease, Open } from '../../vip/lease.ts';
import type { NodeState } from '../../vip/node-state.ts';
import type { Vip } from '../../vip/vip.ts';
import type { Item, Update } from './update-expression.ts';

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
    claims: Object.fromEntries(Object.entries(claims).map(([node, nodeState]) => [node, dated(nodeState)])),
    heard: [...(heard ?? [])].sort((a, b) => a - b),
    ...defined({ lease: lease && { ...lease, epoch: row.epoch } }),
  };
}

/** Older items do not say when the newest word was sent: then as late as it was said. */
const dated = (nodeState: NodeState): NodeState => ({
  ...{ stampMs: nodeState.seenMs, upMs: Math.floor(nodeState.seq / 1000) },
  ...nodeState,
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
    ...defined({
      lease: lease && (bare as Omit<Lease, 'epoch'>),
      heard: heard.length === 0 ? undefined : new Set(heard),
    }),
  };
}

/** Adds to `update` what changes the item of `before` into that of `after`. The caller sets `rev`. */
export function differences(update: Update, before: Vip | undefined, after: Vip): void {
  const was: Partial<Row> = ifDefined(before, rowFrom) ?? {};
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
