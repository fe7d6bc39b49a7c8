// What the workflow carries from state to state. Step Functions takes 256 KB of it in all, and a workflow that goes beyond ends
// there and then, perhaps with a master demoted: so of long lists it carries the first ones and the number of the others. EC2 and the
// record have the rest. Pure.
import { readable } from '../bounded.ts';
import { type Notice, noticeOf } from '../timeline/message.ts';
import type { Verified } from './execute.ts';
import type { SwitchResult } from './order.ts';
import type { Preflight } from './preflight.ts';

/** What a switch leaves in the workflow's data. */
export type SwitchSummary = Omit<SwitchResult, 'failover'> & {
  readonly why?: string;
  readonly unmet?: readonly string[];
  readonly notice?: Notice;
  /** How often it was asked to switch. */
  readonly round?: number;
};

const CARRIED_MAX = 100;
const WHY_MAX = 4000;

export function carriedPreflight(found: Preflight): Preflight {
  const { plan, conflicts, reasons } = found;
  const left = { plan: beyond(plan), conflicts: beyond(conflicts), reasons: beyond(reasons) };
  if (left.plan + left.conflicts + left.reasons === 0) return found;
  return { ...found, plan: first(plan), conflicts: first(conflicts), reasons: first(reasons), left };
}

/** How many calls it takes, carried or not. */
export const callsOf = ({ plan, left }: Preflight): number => plan.length + (left?.plan ?? 0);

export const carriedVerdict = (found: Verified): Verified => ({
  ...found,
  wrong: first(found.wrong),
  conflicts: first(found.conflicts),
});

export function carriedSwitch(carried: SwitchResult, stage: string): SwitchSummary {
  const { failover, ...rest } = carried;
  const said =
    rest.outcome === 'switched' ? carriedCommit(rest) : { ...rest, why: readable(rest.why, WHY_MAX) };
  return failover === undefined ? said : { ...said, notice: noticeOf(failover, stage) };
}

const carriedCommit = <T extends { readonly unmet?: readonly string[] }>(committed: T): T =>
  committed.unmet === undefined ? committed : { ...committed, unmet: first(committed.unmet) };

const first = <T>(list: readonly T[]): readonly T[] => list.slice(0, CARRIED_MAX);
const beyond = (list: readonly unknown[]): number => Math.max(0, list.length - CARRIED_MAX);
