// The doctor on addresses that somebody else may have: a route broader than the VIP's that leads to a transit gateway, a
// peering or on-premises says that the address lies there. The VIP's own route is longer and wins, so whoever bears the
// address there is not reached any more (VPC guide, "Route priority": the longest prefix first).
//
// Limit: a host is not asked whether it bears the address; a default route says nothing.
import type { Finding } from './doctor.ts';
import type { NetworkFacts } from './doctor-facts.ts';
import { overlaps, rangeFrom } from './ledger-address.ts';

export function shadowFindings({ vip, tables }: NetworkFacts): readonly Finding[] {
  return vip.addresses.flatMap((address) => {
    const own = rangeFrom(address);
    if (own === undefined) return [];
    const broader = tables.flatMap(({ table, outward }) =>
      outward
        .filter(({ destination }) => {
          const range = rangeFrom(destination);
          return range !== undefined && range.prefix > 0 && range.prefix < own.prefix && overlaps(range, own);
        })
        .map(({ destination, target }) => `${destination} → ${target} in ${table}`),
    );
    if (broader.length === 0) return [];
    return [
      {
        check: 'address-elsewhere',
        severity: 'warning',
        subject: address,
        found: `lies in what is routed elsewhere: ${broader.sort().join(', ')}`,
        wanted: 'an address that nobody behind that route has: the VIP’s route is longer and hides it',
        remedy: `ask whoever gives addresses out there; else another one: vipshift vip set ${vip.name} --address ADDRESS`,
      } satisfies Finding,
    ];
  });
}
