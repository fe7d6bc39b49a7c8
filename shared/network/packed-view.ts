// A stored view as it is stored. Most of a large view says the same route again for each table and address: it is stored once,
// and each cell has its number, so that also the largest VIP's view fits an item.
import type { RouteSeen, TableSeen } from './observation.ts';
import type { StoredView } from './view-cache.ts';

interface PackedTable extends Omit<TableSeen, 'routes'> {
  /** For each address of `of`, in its order, the route's place in `kinds`; null where the table has none. */
  readonly cells: readonly (number | null)[];
}

export interface PackedView extends Omit<StoredView, 'tables' | 'of'> {
  readonly of: NonNullable<StoredView['of']>;
  readonly kinds: readonly RouteSeen[];
  readonly tables: readonly PackedTable[];
}

/** A view that does not say what it was made for has more than the cells of its addresses: it is stored as it is. */
export function packed(view: StoredView): PackedView | StoredView {
  const { of, tables, ...rest } = view;
  if (of === undefined) return view;
  const places = new Map<string, number>();
  const placeOf = (route: RouteSeen | undefined): number | null => {
    if (route === undefined) return null;
    const text = JSON.stringify([route.target, route.state, route.propagated]);
    const place = places.get(text) ?? places.size;
    places.set(text, place);
    return place;
  };
  const packedTables = tables.map(({ routes, ...table }) => ({
    ...table,
    cells: of.addresses.map((address) => placeOf(routes[address])),
  }));
  const kinds = [...places.keys()].map((text) => {
    const [target, state, propagated] = JSON.parse(text) as [string, RouteSeen['state'], boolean];
    return { target, state, propagated };
  });
  return { ...rest, of, kinds, tables: packedTables };
}

export function unpacked(stored: PackedView | StoredView): StoredView {
  if (!('kinds' in stored)) return stored;
  const { kinds, tables, ...rest } = stored;
  return { ...rest, tables: tables.map((table) => withRoutes(table, stored.of.addresses, kinds)) };
}

function withRoutes(
  { cells, ...table }: PackedTable,
  addresses: readonly string[],
  kinds: readonly RouteSeen[],
): TableSeen {
  const routes = addresses.flatMap((address, n) => {
    const place = cells[n];
    return place === null || place === undefined ? [] : [[address, kinds[place]!] as const];
  });
  return { ...table, routes: Object.fromEntries(routes) };
}
