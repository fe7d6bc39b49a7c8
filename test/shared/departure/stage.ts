// A VIP of two nodes over the ports in memory, with the orders that were recorded and the events that were announced.
import type { DeparturePorts } from '../../../shared/departure/warned.ts';
import type { OperatorAction } from '../../../shared/timeline/operator-action.ts';
import { nodeStateFrom } from '../../../shared/vip/node-state.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import type { ScheduledEvent } from '../../../shared/warning/scheduled.ts';
import { claimOf, START, type Words, world } from '../../support/world.ts';

export const claims = (words: Readonly<Record<string, Words>>) =>
  Object.fromEntries(
    Object.entries(words).map(([node, said]) => [node, nodeStateFrom(claimOf(node, said), START)]),
  );
const both = claims({ 'i-a': { state: 'MASTER' }, 'i-b': { state: 'BACKUP' } });

/** Node a owns the VIP as MASTER, b stands by. */
export function stage(vip: Partial<Vip> = {}) {
  const w = world(['i-a', 'i-b'], { owner: 'i-a', claims: both, ...vip });
  const orders: OperatorAction[] = [];
  const warned: ScheduledEvent[] = [];
  const ports: DeparturePorts & typeof w.ports = {
    ...w.ports,
    region: 'eu-central-1',
    orders: {
      put: async (order) => {
        if (!orders.some(({ id, vip: of }) => id === order.id && of === order.vip)) orders.push(order);
      },
    },
    bus: { ...w.ports.bus, warned: async (event) => void warned.push(event) },
  };
  return { ...w, ports, orders, warned, item: async () => (await w.vips.read('web'))! };
}
export type Stage = ReturnType<typeof stage>;
