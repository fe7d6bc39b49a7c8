// What a forced failover that is under way forbids: to pull the rug from under it. Freeze is the way to stop one.
import { liveForced } from '../../../shared/forced-failover/under-way.ts';
import type { EpochMs } from '../../../shared/time.ts';
import { forcedText } from '../../../shared/timeline/operator-action.ts';
import type { Forced, Vip } from '../../../shared/vip/vip.ts';
import { type CliError, refused } from '../exit.ts';
import { hint } from '../hint.ts';

/** `what`: what was asked for, and is not done. */
export const underWay = (vip: string, forced: Forced, what: string): CliError =>
  refused(
    `${forcedText(vip, forced)}: ${what}`,
    `wait for its end: ${hint(`failover --follow ${forced.execution}`)}; or cancel it, which rolls it back: ${hint(`freeze ${vip} --for 15m --reason …`)}`,
  );

export function refuseUnderWay(vip: Vip, now: EpochMs, what: string): void {
  const forced = liveForced(vip, now);
  if (forced !== undefined) throw underWay(vip.name, forced, what);
}
