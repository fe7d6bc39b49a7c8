// How a VIP is stored in DynamoDB. The domain's shape, except for what one UpdateItem cannot write without reading: a map
// may not hold a value computed from another attribute. So the epochs of `open` are in a map of their own (`openEpoch`),
// and the lease's epoch is the item's `epoch`, which only rises when a lease is taken. For the same reason each node's
// transitions are a set of strings in an attribute of the item itself: a set can be added to where there was none.
//
// Rule: attributes are set and removed one by one, never the whole item, so that old code keeps what it does not know.
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { defined, ifDefined } from '../../optional.ts';
import { epochMs } from '../../time.ts';
import { byAge, type Transition, type Transitions } from '../../vip/flapping.ts';
import type { Lease, Open } from '../../vip/lease.ts';
import type { NodeState } from '../../vip/node-state.ts';
import type { Vip } from '../../vip/vip.ts';
import type { Item, Update } from './update-expression.ts';

/** Maps whose entries are set and removed one by one. */
const maps = ['members', 'claims', 'openEpoch', 'openCause'] as const;
type MapName = (typeof maps)[number];

const TRANSITIONS = 'transitions/';
/** The attribute with the transitions of a node. */
export const transitionsOf = (node: string): `${typeof TRANSITIONS}${string}` => `${TRANSITIONS}${node}`;

export const storedTransition = ({ atMs, since, boot }: Transition): string => `${atMs}/${since}/${boot}`;

const stored = /^(\d+)\/(\d+(?:\.\d+)?)\/(.*)$/s;

/** Undefined for what a newer version may have written otherwise. */
function transitionFrom(text: string): Transition | undefined {
  const [, atMs, since, boot] = stored.exec(text) ?? [];
  return boot === undefined ? undefined : { boot, since: Number(since), atMs: epochMs(Number(atMs)) };
}

interface Row extends Omit<Vip, 'name' | 'open' | 'lease' | 'heard' | 'heardDirectly' | 'transitions'> {
  readonly vip: string;
  readonly lease?: Omit<Lease, 'epoch'>;
  readonly openEpoch: Readonly<Record<string, number>>;
  readonly openCause: Readonly<Record<string, Open['cause']>>;
  /** Marks the last compare-and-set, so that the SDK's own repetition of it is recognised. */
  readonly token?: string;
  /** A number set; DynamoDB has no empty ones. */
  readonly heard?: ReadonlySet<number>;
  readonly heardDirectly?: ReadonlySet<number>;
  readonly [transitions: `${typeof TRANSITIONS}${string}`]: ReadonlySet<string> | undefined;
}

export function vipFrom(item: Item): Vip {
  const row = unmarshall(item) as Row;
  const { vip, openEpoch, openCause, lease, heard, heardDirectly, claims, token: _token, ...rest } = row;
  const { same, transitions } = withoutTransitions(rest);
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
    heard: inOrder(heard ?? []),
    ...defined({
      heardDirectly: heardDirectly && inOrder(heardDirectly),
      lease: lease && { ...lease, epoch: row.epoch },
      transitions,
    }),
  };
}

const inOrder = (windows: Iterable<number>): readonly number[] => [...windows].sort((a, b) => a - b);

function withoutTransitions<R extends Partial<Row>>(row: R) {
  const same: Record<string, unknown> = { ...row };
  const transitions: Record<string, readonly Transition[]> = {};
  for (const [attribute, value] of Object.entries(row)) {
    if (!attribute.startsWith(TRANSITIONS)) continue;
    const entries = [...(value as ReadonlySet<string>)].flatMap((text) => transitionFrom(text) ?? []);
    transitions[attribute.slice(TRANSITIONS.length)] = entries.sort(byAge);
    delete same[attribute];
  }
  return {
    same: same as R,
    transitions: Object.keys(transitions).length === 0 ? undefined : (transitions as Transitions),
  };
}

/** Older items do not say when the newest word was sent: then as late as it was said. */
const dated = (nodeState: NodeState): NodeState => ({
  ...{ stampMs: nodeState.seenMs, upMs: Math.floor(nodeState.seq / 1000) },
  ...nodeState,
});

function rowFrom(vip: Vip): Row {
  const { name, open, lease, heard, heardDirectly = [], transitions = {}, ...same } = vip;
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
      heardDirectly: heardDirectly.length === 0 ? undefined : new Set(heardDirectly),
    }),
    ...Object.fromEntries(
      Object.entries(transitions).map(([node, of]) => [
        transitionsOf(node),
        new Set(of.map(storedTransition)),
      ]),
    ),
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
