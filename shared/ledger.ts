// The ledger: which VIPs there are. Changes go through VipStore.write, compare-and-set on `rev`, in a bounded number of
// tries, because claims and leases rewrite the same item all the time.
//
// Invariant: a VIP leaves a tombstone when it is removed, and goes on from its epoch when it comes back: an epoch is
// never given twice. What nodes said before the removal is forgotten with it, they say it anew within a minute.
import { Fault } from './fault.ts';
import type { Members } from './member.ts';
import type { EpochMs } from './time.ts';
import { type LedgerEntry, newVip, type Vip, type VipStore } from './vip.ts';

/** The item changes several times a second with 200 asserting nodes; each try costs a read and a write. */
const RACES_MAX = 20;

export const ledgerFields = [
  'addresses',
  'eips',
  'vpc',
  'account',
  'tableLabels',
  'nodeLabels',
  'hold',
  'priority',
] as const satisfies readonly (keyof LedgerEntry)[];

export function entryOf(vip: LedgerEntry): LedgerEntry {
  const { name, addresses, eips, vpc, account, tableLabels, nodeLabels, hold, priority } = vip;
  const entry = { name, addresses, eips, vpc, account, tableLabels, nodeLabels, hold };
  return priority === undefined ? entry : { ...entry, priority };
}

export const stands = (vip: Vip | undefined): vip is Vip =>
  vip !== undefined && vip.removedAtMs === undefined;

/** The item of a VIP that is registered, or registered again after its removal. */
export function registered(was: Vip | undefined, entry: LedgerEntry, members: Members): Vip {
  if (was === undefined) return { ...newVip(entry), members };
  const { removedAtMs: _removed, owner: _owner, pin: _pin, freeze: _freeze, forced: _forced, ...kept } = was;
  return { ...without(kept), ...entry, members, claims: {}, heard: [] };
}

/** The item after its ledger entry changed. Nodes that lose the label stop being members. */
export const changed = (was: Vip, entry: LedgerEntry, members: Members): Vip => ({
  ...without(was),
  ...entry,
  members,
});

/** What an entry need not have goes with the entry that had it; its members are waited for anew. */
const without = ({ priority: _priority, awaitedSinceMs: _awaited, ...rest }: Vip): Vip => rest;

export const removed = (was: Vip, atMs: EpochMs): Vip => ({ ...was, removedAtMs: atMs });

export interface Difference {
  readonly field: string;
  readonly from: string;
  readonly to: string;
}

/** What differs, field by field, as text; `was` undefined for a VIP that is new. */
export function differences(was: LedgerEntry | undefined, is: LedgerEntry): readonly Difference[] {
  const text = (entry: LedgerEntry | undefined, field: (typeof ledgerFields)[number]): string => {
    const value = entry?.[field] ?? (field === 'priority' ? 'normal' : '');
    return typeof value === 'string' ? value : value.join(', ');
  };
  return ledgerFields
    .map((field) => ({ field, from: text(was, field), to: text(is, field) }))
    .filter((d) => d.from !== d.to);
}

/**
 * Reads, changes and writes until nobody came between. `change` may throw to refuse; what it returns unchanged is not
 * written. A lost reply is settled by the next read, so `change` must be idempotent.
 */
export async function update(
  vips: VipStore,
  name: string,
  change: (was: Vip | undefined) => Vip | undefined,
): Promise<Vip | undefined> {
  for (let race = 1; race <= RACES_MAX; race++) {
    const was = await vips.read(name);
    const is = change(was);
    if (is === undefined || is === was) return was;
    const written = await vips.write(was, is);
    if (written !== undefined) return written;
  }
  throw new Fault(
    'refused',
    'Races',
    `${name} changed under our hands ${RACES_MAX} times in a row; try again`,
  );
}
