// What happens beside a forced failover, in the states where it hurts: while someone thinks about the approval, between a look
// and the demotion, between the demotion and the claim, during the switch.

import type { Execution } from '../functions/execution.ts';
import type { Beside, Deed } from '../history/history.ts';
import { troubled, type World } from './world.ts';

export function strikeBeside(world: World, execution: Execution, state: string): void {
  const { beside = [] } = execution.act;
  for (const one of beside) {
    if (one.at !== state) continue;
    world.sched.after(one.afterMs, () => {
      const deeds = troubled(world) ? deedsOf(world, execution, one) : [];
      for (const { inMs = 0, ...deed } of deeds) {
        const atMs = Math.min(world.sched.now() + inMs, world.story.quietAtMs - 1);
        if (inMs === 0) world.perform({ ...(deed as Deed), atMs });
        else world.sched.at(atMs, () => world.perform({ ...(deed as Deed), atMs }));
      }
    });
  }
}

function deedsOf(
  world: World,
  { order, vip }: Execution,
  { does, forMs, older }: Beside,
): readonly (Deed & { inMs?: number })[] {
  const index = (id: string | undefined) => world.machines.findIndex((m) => m.id === id);
  const target = index(order.to);
  const owner = index(world.net.vips.items.get(order.vip)?.owner);
  const third = world.machines.findIndex((_, n) => n !== target);
  switch (does) {
    case 'target fails':
      return target < 0
        ? []
        : [
            { does: 'fails', node: target },
            { does: 'recovers', node: target, inMs: forMs },
          ];
    case 'target dies':
      return target < 0 ? [] : [{ does: 'dies', node: target }];
    case 'target is untagged':
      return target < 0
        ? []
        : [
            { does: 'is untagged', node: target },
            { does: 'is tagged', node: target, inMs: forMs },
          ];
    case 'owner fails':
      return owner < 0
        ? []
        : [
            { does: 'fails', node: owner },
            { does: 'recovers', node: owner, inMs: forMs },
          ];
    case 'owner dies':
      return owner < 0 ? [] : [{ does: 'dies', node: owner }];
    case 'is frozen':
      return [{ does: 'freeze', vip, forMs, older }];
    case 'is pinned elsewhere':
      return [{ does: 'pin', vip, node: owner < 0 ? third : owner, forMs, older }];
    case 'is unpinned':
      return [{ does: 'unpin', vip, older }];
    case 'is removed':
      return [
        { does: 'is removed', vip, older },
        { does: 'is registered', vip, inMs: forMs },
      ];
    case 'is ordered elsewhere': {
      const rest = { mode: 'via-keepalived', pinMinutes: 0, claimWaitSeconds: 10 } as const;
      return [{ does: 'forced failover', vip, node: third, ...rest }];
    }
    default:
      return does satisfies never;
  }
}
