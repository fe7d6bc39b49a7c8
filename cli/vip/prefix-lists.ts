// Managed prefix lists among the registry's addresses. An address inside such a list belongs to the list's VIP, so what each
// list holds has to be looked up before anything is registered. Without a list in the registry nothing is asked.
import { isPrefixList } from '../../shared/registry/ip-range.ts';
import {
  heldByList,
  type PrefixList,
  prefixListRefused,
  type Refused,
  type Surroundings,
} from '../../shared/registry/validate.ts';
import type { RegistryEntry } from '../../shared/vip/vip.ts';
import type { Lookups } from './lookups.ts';

export interface Lists {
  readonly problems: readonly Refused[];
  /** Ranges of other VIPs' lists: no pool may draw from them. */
  readonly closed: readonly string[];
}

export async function listsAround(
  look: Lookups,
  entry: RegistryEntry,
  surroundings: Surroundings,
): Promise<Lists> {
  const { others } = surroundings;
  const [own, foreign] = await Promise.all([listsOf(look, [entry]), listsOf(look, others)]);
  const ranges = own.flatMap(({ entries }) => entries ?? []);
  const all = { ...entry, addresses: [...entry.addresses, ...ranges] };
  return {
    problems: [
      ...own.flatMap((held) => prefixListRefused(held, surroundings)),
      ...foreign.flatMap(({ vip, list, entries }) => heldByList(all, vip, list, entries ?? [])),
    ],
    closed: foreign.flatMap(({ entries }) => entries ?? []),
  };
}

interface Held extends PrefixList {
  readonly vip: string;
}

const listsOf = (look: Lookups, vips: readonly RegistryEntry[]): Promise<readonly Held[]> =>
  Promise.all(
    vips.flatMap(({ name, addresses }) =>
      addresses.filter(isPrefixList).map(async (list) => {
        return { vip: name, list, entries: await look.prefixList(list) };
      }),
    ),
  );
