// What the workflow carries from state to state. Step Functions takes 256 KB of it in all, and a workflow that goes beyond ends
// there and then, perhaps with a master demoted: so of long lists it carries the first ones and the number of the others. EC2 and the
// record have the rest. Pure.
import { readable, SENTENCE_MAX } from '../bounded.ts';
import type { Place } from '../place.ts';
import { type Notice, noticeOf } from '../timeline/message.ts';
import type { Verified } from './execute.ts';
import type { SwitchResult } from './order.ts';
import type { Preflight } from './preflight.ts';

/** What a switch leaves in the workflow's data. */
export type SwitchSummary = Omit<SwitchResult, 'failover'> & {
  readonly why?: string;
  readonly unmet?: readonly string[];
  /** How many more cells could not follow. */
  readonly unmetLeft?: number;
  readonly notice?: Notice;
  /** How often it was asked to switch. */
  readonly round?: number;
};

/** Of each list. */
export const CARRIED_MAX = 50;
const WHY_MAX = 4000;

export function carriedPreflight(found: Preflight): Preflight {
  const { plan, conflicts, reasons } = found;
  const left = { plan: beyond(plan), conflicts: beyond(conflicts), reasons: beyond(reasons) };
  const carried = { ...found, reasons: sentences(reasons) };
  if (left.plan + left.conflicts + left.reasons === 0) return carried;
  return { ...carried, plan: first(plan), conflicts: first(conflicts), left };
}

/** How many calls it takes, carried or not. */
export const callsOf = ({ plan, left }: Preflight): number => plan.length + (left?.plan ?? 0);

/** And how many more cells there are, where it does not carry all of them. */
export type CarriedVerdict = Verified & {
  readonly left?: { readonly wrong: number; readonly conflicts: number };
};

export function carriedVerdict(found: Verified): CarriedVerdict {
  const left = { wrong: beyond(found.wrong), conflicts: beyond(found.conflicts) };
  const carried = { ...found, wrong: sentences(found.wrong), conflicts: sentences(found.conflicts) };
  return left.wrong + left.conflicts === 0 ? carried : { ...carried, left };
}

export function carriedSwitch(carried: SwitchResult, place: Place): SwitchSummary {
  const { failover, ...rest } = carried;
  const said =
    rest.outcome === 'switched' ? carriedCommit(rest) : { ...rest, why: readable(rest.why, WHY_MAX) };
  return failover === undefined ? said : { ...said, notice: noticeOf(failover, place) };
}

function carriedCommit<T extends { readonly unmet?: readonly string[] }>(
  committed: T,
): T & { readonly unmetLeft?: number } {
  if (committed.unmet === undefined) return committed;
  const left = beyond(committed.unmet);
  return { ...committed, unmet: sentences(committed.unmet), ...(left === 0 ? {} : { unmetLeft: left }) };
}

const sentences = (list: readonly string[]): readonly string[] =>
  first(list).map((text) => readable(text, SENTENCE_MAX));
const first = <T>(list: readonly T[]): readonly T[] => list.slice(0, CARRIED_MAX);
const beyond = (list: readonly unknown[]): number => Math.max(0, list.length - CARRIED_MAX);
