// Between two tests of one VIP: a suite makes its nodes MASTER within a minute as often as nodes do in years, which is what damping
// is for (docs/decisions/0035). What a test is about has to come from its own transitions.
import { update } from '../../../shared/registry/registry.ts';
import type { VipStore } from '../../../shared/vip/store.ts';

/** Forgets how often the nodes of this VIP became MASTER lately. */
export async function calm(vips: VipStore, name: string): Promise<void> {
  await update(vips, name, (vip) => {
    if (vip?.transitions === undefined) return vip;
    const { transitions: _transitions, ...calmed } = vip;
    return calmed;
  });
}
