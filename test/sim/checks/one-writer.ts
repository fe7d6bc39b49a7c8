// Guarantee 3: no attempt of a mutation starts with less lease left than it may take. The lease is that of the item at
// the very moment; its holder must be a nonce that the sending invocation has drawn.
import { ATTEMPT_MAX } from '../../../shared/vip/lease.ts';
import type { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';

export function oneWriter(world: World): readonly Violation[] {
  const found: Violation[] = [];
  for (const sent of world.log.sends) {
    const lease = sent.item?.lease;
    const say = (what: string) =>
      found.push({
        guarantee: 'one writer',
        vip: sent.vip,
        atMs: sent.atMs,
        what: `${sent.step.cell}: ${what}`,
      });
    if (lease === undefined) say(`${sent.by.name} sends without a lease`);
    else if (!sent.by.nonces.has(lease.holder))
      say(`${sent.by.name} sends under the lease of ${lease.holder}`);
    else {
      const left = lease.expiresAtMs - (world.epochAt + sent.atMs);
      if (left < ATTEMPT_MAX) say(`${sent.by.name} sends with ${Math.round(left)} ms of its lease left`);
    }
  }
  return found;
}
