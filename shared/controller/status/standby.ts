// Which nodes would take a VIP over now. Pure. A node is ready when it is eligible, by the same questions as a forced failover's
// preflight, and was heard lately.
//
// Limit: what only shows in packets (filters, the way to the bus) is the doctor's.

import { durationText } from '../../instants.ts';
import { type Texts, textOf } from '../../keyed.ts';
import { asNextOwner, type OwnerProblem, ownerProblemText } from '../../network/next-owner.ts';
import type { HostStates, Observation } from '../../network/observation.ts';
import { defined } from '../../optional.ts';
import { type EpochMs, epochMs, iso, plus } from '../../time.ts';
import { type Unfit, unfit } from '../../vip/election.ts';
import { dampedAt, flappingText } from '../../vip/flapping.ts';
import { UNHEARD_AFTER } from '../../vip/unheard.ts';
import type { Vip } from '../../vip/vip.ts';
import { drainOf, leavingOf } from '../../vip/vip.ts';

export interface StandbyStatus {
  readonly node: string;
  readonly ready: boolean;
  /** Why it is not ready, one sentence each; empty when it is. */
  readonly why: readonly string[];
  /** Since the node itself last vouched for its state; absent when it never did. */
  readonly ageMs?: number;
}

export interface StandbyFacts {
  /** Undefined where EC2 did not answer: then only what the nodes reported counts. */
  readonly seen: Observation | undefined;
  /** Undefined where EC2 did not tell the instances' states. */
  readonly hosts?: HostStates | undefined;
}

/** Every member but the owner, by id. */
export function standbysOf(vip: Vip, facts: StandbyFacts, now: EpochMs): readonly StandbyStatus[] {
  const nodes = Object.keys(vip.members).filter((node) => node !== vip.owner);
  return nodes.sort().map((node) => {
    const why = problemsOf(vip, node, facts, now);
    const seenMs = vip.claims[node]?.seenMs;
    const ageMs = seenMs === undefined ? undefined : now - seenMs;
    return { node, ready: why.length === 0, why, ...defined({ ageMs }) };
  });
}

function problemsOf(vip: Vip, node: string, { seen, hosts }: StandbyFacts, now: EpochMs): readonly string[] {
  const why: string[] = [];
  if (seen === undefined) {
    const reason = unfit(vip, node);
    if (reason !== undefined) why.push(reasonText(reason));
  } else {
    const { problems } = asNextOwner(vip, seen, node, hosts);
    why.push(...problems.map(standbyText));
  }
  const seenMs = vip.claims[node]?.seenMs;
  if (seenMs !== undefined && now >= plus(epochMs(seenMs), UNHEARD_AFTER))
    why.push(`last heard ${durationText(now - seenMs)} ago`);
  const drain = drainOf(vip, node, now);
  if (drain !== undefined) why.push(`is drained until ${iso(drain.untilMs)}`);
  const leaving = leavingOf(vip, node);
  if (leaving !== undefined) why.push(`is about to go (${leaving})`);
  const damped = dampedAt(vip, node, now);
  if (damped !== undefined) why.push(flappingText(damped));
  return why;
}

/** Without the node: who it is about is said before. */
const unfitTexts: Texts<Unfit> = {
  'no-member': () => 'is not a member',
  'never-heard': () => 'never reported',
  withdrawn: ({ state }) => `reported ${state}`,
  silent: () => 'is silent',
  drained: () => 'is drained',
  leaving: () => 'is about to go',
};

const reasonText = (why: Unfit): string => textOf(unfitTexts, why) ?? why.key;
const standbyText = (problem: OwnerProblem): string =>
  problem.key === 'unfit' ? reasonText(problem.why) : ownerProblemText(problem);
