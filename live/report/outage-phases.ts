// Parts: what one drill's failover was made of, from the record of the stage and that of the probe. Pure.
//
//   hit ── vrrp ──▶ node reported ── event ──▶ controller began ── controller ──▶ last mutation accepted
//   and of the probe's own table: accepted ── packets ──▶ first answer of the new node
//
// Honest limits: the instants are of up to four clocks (the node that was hit, the one that took over, Lambda's, the probe's), and nothing corrects
// them: a part below a millisecond may come out negative, and is reported that way. `accepted` is when the reply has reached the controller; packets may
// move before. A part whose evidence is missing is undefined, never zero.
import { type MilestoneKey, milestoneAt } from '../../shared/timeline/milestone.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';
import type { Stretch } from '../machines.ts';

export interface Parts {
  /** The node was hit → the other one says that it is master. */
  readonly vrrpMs: number | undefined;
  /** → the controller's first line: shim, PutEvents, the bus, Lambda's start. */
  readonly eventMs: number | undefined;
  /** → EC2 has accepted the last mutation. */
  readonly controllerMs: number | undefined;
  /** The mutation of the probe's table accepted → the first packet that the new node answered. */
  readonly packetsMs: number | undefined;
  /** The node was hit → the first packet that the new node answered. */
  readonly totalMs: number | undefined;
  /** The longest time without any answer, by the probe's clock alone. */
  readonly outageMs: number | undefined;
}

export const partNames = ['vrrpMs', 'eventMs', 'controllerMs', 'packetsMs', 'totalMs', 'outageMs'] as const;

export interface Evidence {
  readonly hitMs: number;
  /** What the echo of the node says that was to take over. */
  readonly successor: string;
  readonly failover: Failover | undefined;
  /** `TABLE DESTINATION` of the probe's subnet, as the record's steps have it. */
  readonly cell: string;
  /** From before the hit until all was calm again. */
  readonly stretches: readonly Stretch[];
}

export function partsOf({ hitMs, successor, failover, cell, stretches }: Evidence): Parts {
  const at = (key: MilestoneKey) => failover && milestoneAt(failover.stages, key);
  const said = at('node-reported');
  const began = at('claim-began');
  const accepted = failover?.steps.find((step) => step.cell === cell && step.result === 'done')?.doneAtMs;
  const moved = stretches.find((stretch) => stretch.who === successor && stretch.lastMs >= hitMs)?.firstMs;
  return {
    vrrpMs: between(hitMs, said),
    eventMs: between(said, began),
    controllerMs: between(began, at('last-accepted')),
    packetsMs: between(accepted, moved),
    totalMs: between(hitMs, moved),
    outageMs: longestGap(stretches),
  };
}

const between = (from: number | undefined, to: number | undefined): number | undefined =>
  from === undefined || to === undefined ? undefined : Math.round((to - from) * 1000) / 1000;

/** Between the end of one stretch and the beginning of the next; undefined where there is no next. */
export function longestGap(stretches: readonly Stretch[]): number | undefined {
  const gaps = stretches.slice(1).map(({ firstMs }, index) => firstMs - stretches[index]!.lastMs);
  return gaps.length === 0 ? undefined : Math.round(Math.max(...gaps) * 1000) / 1000;
}
