// How long a VIP in a storm leads to a node that cannot serve it, though another one says MASTER.
import type { VrrpState } from '../../../shared/vip/claim.ts';
import type { History } from '../history/history.ts';
import { type Machine, sinceAt } from '../node/machine.ts';
import { instanceOf, isMaster } from '../node/vrrp.ts';
import type { Region } from '../world/region.ts';
import type { Scheduler } from '../world/scheduler.ts';
import { isInStorm, type Seen } from './flapping.ts';
import { leadsTo } from './truth.ts';

export interface Stuck {
  readonly vip: number;
  readonly node: string;
  /** `dead`: with this as its last word. */
  readonly why: 'withdrawn' | 'not master' | { readonly deadAs: VrrpState };
  readonly sinceMs: number;
  /** Undefined while it lasts. */
  endedAtMs?: number;
}

/** What is looked at, and what was seen so far. */
interface Watched extends Omit<Seen, 'story'> {
  readonly story: Pick<History, 'acts' | 'nodes' | 'vips'>;
  readonly sched: Pick<Scheduler, 'now'>;
  readonly region: Region;
  readonly machines: readonly Machine[];
  readonly deaths: readonly { readonly node: string; readonly atMs: number }[];
  readonly stuck: Stuck[];
}

/** After every change of EC2 or of the nodes. */
export function noteStuck(world: Watched): void {
  const now = world.sched.now();
  for (const [vip, spec] of world.story.vips.entries()) {
    const at = world.machines.find(({ id }) => leadsTo(world.region, spec, id));
    const open = world.stuck.findLast((s) => s.vip === vip && s.endedAtMs === undefined);
    const why = at === undefined ? undefined : whyNot(world, vip, at);
    // That the other one says BACKUP in between ends nothing.
    if (open !== undefined && (at?.id !== open.node || why === undefined)) open.endedAtMs = now;
    else if (open === undefined && at !== undefined && why !== undefined && hasOther(world, vip, at, why))
      if (isInStorm(world, spec.name, now)) world.stuck.push({ vip, node: at.id, why, sinceMs: now });
  }
}

function whyNot(world: Watched, vip: number, at: Machine): Stuck['why'] | undefined {
  const { state } = instanceOf(at, vip);
  if (!at.labelled) return undefined;
  if (state !== 'MASTER' && state !== 'BACKUP') return 'withdrawn';
  if (!at.alive) return { deadAs: state };
  return world.story.vips[vip]!.hold === 'master' && state === 'BACKUP' ? 'not master' : undefined;
}

/** Another node says MASTER: where this one is dead, since it died. */
function hasOther(world: Watched, vip: number, at: Machine, why: Stuck['why']): boolean {
  const diedAtMs = world.deaths.findLast(({ node }) => node === at.id)?.atMs ?? 0;
  const sinceMs = typeof why === 'object' ? diedAtMs : Number.NEGATIVE_INFINITY;
  return world.machines.some(
    (m) => m !== at && m.labelled && isMaster(m, vip) && sinceAt(m, instanceOf(m, vip)) > sinceMs,
  );
}
