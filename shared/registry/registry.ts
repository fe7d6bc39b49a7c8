// The registry: which VIPs there are. Changes go through VipStore.write, a compare-and-set on `rev`, in a bounded number
// of tries, because claims and leases rewrite the same item all the time.
//
// Invariant: a removed VIP leaves a tombstone, and continues from its epoch when it is added again: no epoch is used
// twice. Claims from before the removal are dropped with it; the nodes report again within a minute.
import { Fault } from '../fault.ts';
import { defined } from '../optional.ts';
import type { EpochMs } from '../time.ts';
import type { Members } from '../vip/member.ts';
import { compareAndSet, type VipStore } from '../vip/store.ts';
import { newVip, type RegistryEntry, type Vip } from '../vip/vip.ts';

/** The item changes several times a second with 200 asserting nodes; each try costs a read and a write. */
const RACES_MAX = 20;

export const registryFields = [
  'addresses',
  'eips',
  'vpc',
  'account',
  'tableLabels',
  'nodeLabels',
  'hold',
  'priority',
] as const satisfies readonly (keyof RegistryEntry)[];

export function entryOf(vip: RegistryEntry): RegistryEntry {
  const { name, addresses, eips, vpc, account, tableLabels, nodeLabels, hold, priority } = vip;
  return { name, addresses, eips, vpc, account, tableLabels, nodeLabels, hold, ...defined({ priority }) };
}

export const isRegistered = (vip: Vip | undefined): vip is Vip =>
  vip !== undefined && vip.removedAtMs === undefined;

/** The item of a VIP that is registered, or registered again after its removal. */
export function registered(was: Vip | undefined, entry: RegistryEntry, members: Members): Vip {
  if (was === undefined) return { ...newVip(entry), members };
  const { removedAtMs: _removed, owner: _owner, ...kept } = was;
  return { ...withoutOrders(without(kept)), ...entry, members, claims: {}, heard: [] };
}

/** The item after its registry entry changed. Nodes that lose the label stop being members. */
export const changed = (was: Vip, entry: RegistryEntry, members: Members): Vip => ({
  ...without(was),
  ...entry,
  members,
});

/** What operators had ordered before it was removed is over. */
function withoutOrders(vip: Vip): Vip {
  const { pin: _pin, freeze: _freeze, drains: _drains, forced: _forced, ...rest } = vip;
  return rest;
}

/** Optional fields of the old entry go with it; its members are waited for again. */
const without = ({ priority: _priority, awaitedSinceMs: _awaited, ...rest }: Vip): Vip => rest;

export const removed = (was: Vip, atMs: EpochMs): Vip => ({ ...was, removedAtMs: atMs });

export interface Difference {
  readonly field: string;
  readonly from: string;
  readonly to: string;
}

/** What differs, field by field, as text; `was` undefined for a VIP that is new. */
export function differences(was: RegistryEntry | undefined, is: RegistryEntry): readonly Difference[] {
  const text = (entry: RegistryEntry | undefined, field: (typeof registryFields)[number]): string => {
    const value = entry?.[field] ?? (field === 'priority' ? 'normal' : '');
    return typeof value === 'string' ? value : value.join(', ');
  };
  return registryFields
    .map((field) => ({ field, from: text(was, field), to: text(is, field) }))
    .filter((d) => d.from !== d.to);
}

/**
 * Reads, changes and writes until no other writer came between. `change` may throw to refuse; what it returns unchanged is not
 * written. A lost reply is settled by the next read, so `change` must be idempotent.
 */
export async function update(
  vips: VipStore,
  name: string,
  change: (was: Vip | undefined) => Vip | undefined,
): Promise<Vip | undefined> {
  const from = await vips.read(name);
  const { is, item } = await compareAndSet(vips, { name, from, racesMax: RACES_MAX }, change);
  if (is !== 'lost') return item;
  throw new Fault('refused', 'Races', `${name} was changed by others ${RACES_MAX} times in a row; try again`);
}
