// What a file changes in the registry: each entry is looked up and checked against the registry as it will be, before anything
// is written.
import { isPrefixList, overlaps, rangeFrom } from '../../shared/registry/ip-range.ts';
import type { FileEntry } from '../../shared/registry/manifest.ts';
import { differences } from '../../shared/registry/registry.ts';
import { newVip, type Vip } from '../../shared/vip/vip.ts';
import { drawnFrom, usedUp } from '../vip/pool.ts';
import { type Asking, type Prepared, prepare } from '../vip/prepare.ts';

export interface Change {
  readonly name: string;
  readonly was: Vip | undefined;
  readonly prepared: Prepared;
}

/** Each entry is checked against the registry as it will be: the other entries of the file, and VIPs that are not in it. */
export async function changesFor(
  asking: Asking,
  entries: readonly FileEntry[],
  vips: readonly Vip[],
  step: () => void,
): Promise<readonly Change[]> {
  const known = new Map(vips.map((vip) => [vip.name, vip]));
  const named = new Set(entries.map((entry) => entry.name));
  const future: Vip[] = vips.filter((vip) => !named.has(vip.name));
  const changes: Change[] = [];
  for (const entry of entries) {
    const was = known.get(entry.name);
    const prepared = await prepare(asking, wantedFrom(entry, was), was, future);
    future.push(newVip(prepared.entry));
    if (prepared.pool !== undefined || differences(was, prepared.entry).length > 0)
      changes.push({ name: entry.name, was, prepared });
    step();
  }
  return withDraws(changes, [...vips, ...future]);
}

/** A pool gives no address that the file names elsewhere. A used-up pool is found before anything is written. */
function withDraws(changes: readonly Change[], all: readonly Vip[]): readonly Change[] {
  const taken = new Set(all.flatMap((vip) => vip.addresses));
  const closing = [...taken].filter((address) => !isPrefixList(address));
  return changes.map((change) => {
    const { pool, closed = [] } = change.prepared;
    if (pool === undefined) return change;
    const next = drawnFrom(pool, change.prepared, taken);
    if (next === undefined) throw usedUp(pool, change.name);
    taken.add(next);
    return { ...change, prepared: { ...change.prepared, closed: [...closed, ...closing], next } };
  });
}

/** What was drawn from the pool in an earlier run is kept. */
function wantedFrom(entry: FileEntry, was: Vip | undefined) {
  const pool = entry.pool === undefined ? undefined : rangeFrom(entry.pool);
  const drawn = (was?.addresses ?? []).filter((address) => {
    const range = rangeFrom(address);
    return pool !== undefined && range !== undefined && overlaps(pool, range);
  });
  if (drawn.length === 0) return entry;
  const { pool: _pool, ...rest } = entry;
  return { ...rest, addresses: [...entry.addresses, ...drawn.slice(0, 1)] };
}

/**
 * In waves: a VIP goes after those that give up what it gets, and all of one wave at once. VIPs that exchange addresses in a
 * circle are the last wave: there the first one is refused, and a second run ends it.
 */
export function waves(changes: readonly Change[]): readonly (readonly Change[])[] {
  const thingsOf = (of: { readonly addresses: readonly string[]; readonly eips: readonly string[] }) => [
    ...of.addresses,
    ...of.eips,
  ];
  const holders = new Map<string, string>();
  for (const { name, was } of changes)
    for (const thing of was === undefined ? [] : thingsOf(was)) holders.set(thing, name);
  const waitsFor = new Map(
    changes.map(({ name, prepared }) => {
      const givers = thingsOf(prepared.entry).flatMap((thing) => holders.get(thing) ?? []);
      return [name, givers.filter((giver) => giver !== name)] as const;
    }),
  );
  const found: (readonly Change[])[] = [];
  const over = new Set<string>();
  for (let left = changes; left.length > 0; ) {
    const ready = left.filter(({ name }) => waitsFor.get(name)!.every((giver) => over.has(giver)));
    const wave = ready.length === 0 ? left : ready;
    for (const { name } of wave) over.add(name);
    found.push(wave);
    left = left.filter(({ name }) => !over.has(name));
  }
  return found;
}
