// The observation that is begun before the item is known, so that the describes run in parallel with the first write. It guesses
// the labels: the VIP's own name, or those that this environment has met before.
import type { Observation } from '../network/observation.ts';
import type { Ports } from '../switch/switch-vip.ts';
import { type DurationMs, seconds } from '../time.ts';
import { defaultScope, type Scope, sameScope } from '../vip/vip.ts';

/** After a wait for a lease the observation is made again: another holder may have written since. */
const LOOK_FRESH: DurationMs = seconds(2);

export interface Look {
  /** An observation of this VIP's scope: the one begun in advance if it looked at the right labels. */
  at(item: Scope): Promise<Observation>;
}

/** Looks in advance under the default scope, which is right for every VIP whose labels are its name. */
export function lookFor(ports: Ports, name: string, when: 'now' | 'later' = 'now'): Look {
  let scope = ports.scopes.get(name) ?? defaultScope(name);
  let observing: Promise<Observation> | undefined;
  let beganAt = ports.clock.now();
  const begin = () => {
    beganAt = ports.clock.now();
    observing = ports.ec2.observe(scope);
    // It may fail before anything awaits it.
    observing.catch(() => undefined);
    return observing;
  };
  if (when === 'now') void begin();
  return {
    at(item) {
      const right = sameScope(scope, item);
      scope = { name: item.name, tableLabels: item.tableLabels, nodeLabels: item.nodeLabels };
      ports.scopes.set(name, scope);
      const fresh = ports.clock.now() - beganAt < LOOK_FRESH;
      return right && fresh && observing !== undefined ? observing : begin();
    },
  };
}
