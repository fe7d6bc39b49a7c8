// The observation that is begun before the item is known, so that the describes run in parallel with the first write. It guesses
// the labels: the VIP's own name, or those that this environment has met before.
import type { Observation } from '../network/observation.ts';
import type { Ports } from '../switch/switch-vip.ts';
import { type DurationMs, seconds } from '../time.ts';
import type { Claim } from '../vip/claim.ts';
import { defaultScope, type Scope, sameScope } from '../vip/vip.ts';

/** After a wait for a lease the observation is made again: another holder may have written since. */
const LOOK_FRESH: DurationMs = seconds(2);

export interface Look {
  /** An observation of this VIP's scope: the one begun in advance if it looked at the right labels. */
  at(item: Scope): Promise<Observation>;
}

/**
 * Looks in advance under the default scope, which is right for every VIP whose labels are its name. `later`: not before `at`
 * is asked, which is also what `now` means where the claim most likely moves nothing.
 */
export function lookFor(ports: Ports, claim: Claim, when: 'now' | 'later'): Look {
  const { prefetchMemory } = ports;
  let scope = prefetchMemory.scopeOf(claim.vip) ?? defaultScope(claim.vip);
  let observing: Promise<Observation> | undefined;
  let beganAt = ports.clock.now();
  const begin = () => {
    beganAt = ports.clock.now();
    observing = ports.ec2.observe(scope);
    // It may fail before anything awaits it.
    observing.catch(() => undefined);
    return observing;
  };
  if (when === 'now' && prefetchMemory.mayPrefetch(claim, beganAt)) void begin();
  return {
    at(item) {
      const right = sameScope(scope, item);
      scope = { name: item.name, tableLabels: item.tableLabels, nodeLabels: item.nodeLabels };
      prefetchMemory.meet(scope);
      const fresh = ports.clock.now() - beganAt < LOOK_FRESH;
      return right && fresh && observing !== undefined ? observing : begin();
    },
  };
}
