// What is needed to move a VIP by hand where the registry does not answer: what tags and routes in EC2 alone show. Pure.
//
// Invariant: nothing of another VIP is taken for this one's. Destinations are inferred only where the tables with its label
// route a single one to its nodes; of Elastic IPs no tag tells whose they are where a label is shared, so they are never sure.

import type { Members } from '../vip/member.ts';
import type { RegistryEntry } from '../vip/vip.ts';
import { type EniSeen, membersSeen, type Observation, tablesOf } from './observation.ts';

/** The VPC and account of the node's labelled ENIs, each once; with several it is not known which the VIP is in. */
export function placesOf(
  seen: Observation,
  nodeLabels: readonly string[],
): readonly Pick<EniSeen, 'vpc' | 'account'>[] {
  const places = new Map<string, Pick<EniSeen, 'vpc' | 'account'>>();
  for (const { label, node, vpc, account } of seen.enis)
    if (node !== undefined && nodeLabels.includes(label)) places.set(`${vpc} ${account}`, { vpc, account });
  return [...places.values()];
}

/** Destinations that the VIP's tables route to its nodes, or to nothing any more. */
export function destinationsSeen(entry: RegistryEntry, seen: Observation): readonly string[] {
  const members: Members = membersSeen(entry, seen, {});
  const own = new Set(Object.values(members).map(({ eni }) => eni));
  const found = tablesOf(entry, seen).flatMap(({ routes }) =>
    Object.entries(routes).flatMap(([destination, { target, state }]) =>
      own.has(target) || state === 'blackhole' ? [destination] : [],
    ),
  );
  return [...new Set(found)].sort();
}
