// Would this node take the VIP over now? What a forced failover asks before it begins and the doctor asks of every member,
// in one place. Pure.
//
// Limit: what only shows in packets (filters, the way to the bus) is the doctor's; a failover does not wait for those lists.

import { toleratedFault } from '../fault.ts';
import { type Texts, textOf } from '../keyed.ts';
import { type Unfit, unfit, unfitText } from '../vip/election.ts';
import type { Member } from '../vip/member.ts';
import type { Vip } from '../vip/vip.ts';
import { type Conflict, unmetCells } from './conflict.ts';
import type { Ec2 } from './ec2.ts';
import { type HostStates, membersSeen, type Observation, type TableSeen, tablesOf } from './observation.ts';
import { type Plan, plan } from './plan.ts';

/** Default quota of a route table (VPC guide, "Quotas"); it can be raised, then a full table is only nearly full. */
export const ROUTES_PER_TABLE = 500;

export type OwnerProblem =
  | { readonly key: 'unfit'; readonly why: Unfit }
  /** `state` is undefined where EC2 shows no such instance. */
  | { readonly key: 'not-running'; readonly node: string; readonly state: string | undefined }
  | {
      readonly key: 'no-eni';
      readonly node: string;
      readonly labels: readonly string[];
      readonly vpc: string;
    }
  | { readonly key: 'check-on'; readonly eni: string }
  | { readonly key: 'unmet'; readonly conflict: Conflict }
  | { readonly key: 'table-full'; readonly table: string; readonly total: number; readonly missing: number };

const texts: Texts<OwnerProblem> = {
  unfit: ({ why }) => `not fit: ${unfitText(why)}`,
  'not-running': ({ node, state }) =>
    state === undefined
      ? `EC2 shows no instance ${node}`
      : `the instance ${node} is ${state}, expected running`,
  'no-eni': ({ node, labels, vpc }) =>
    `EC2 shows no ENI of ${node} in use with the label ${labels.join(' or ')} in ${vpc}`,
  'check-on': ({ eni }) =>
    `source/destination check is on at ${eni}: EC2 drops what is not addressed to the ENI itself`,
  unmet: ({ conflict }) => unmetCells([conflict])[0]!,
  'table-full': ({ table, total, missing }) =>
    `${table} has ${total} of ${ROUTES_PER_TABLE} routes and ${missing} are missing: no headroom`,
};

export const ownerProblemText = (problem: OwnerProblem): string => textOf(texts, problem) ?? problem.key;

export interface NextOwner {
  /** Undefined where EC2 shows no ENI of the node with the VIP's label. */
  readonly target: Member | undefined;
  /** What the failover would do. */
  readonly todo: Plan;
  readonly problems: readonly OwnerProblem[];
}

/**
 * What EC2 says of the node itself; undefined where it does not tell. A failover is not held up by that: an outage is when it is
 * needed most.
 */
export async function statesOf(ec2: Pick<Ec2, 'hostState'>, node: string): Promise<HostStates | undefined> {
  try {
    const state = await ec2.hostState(node);
    return new Map(state === undefined ? [] : [[node, state]]);
  } catch (error) {
    toleratedFault(error);
    return undefined;
  }
}

/** `hosts`: undefined where EC2 did not tell the instances' states; then nothing is said of them. */
export function asNextOwner(vip: Vip, seen: Observation, node: string, hosts?: HostStates): NextOwner {
  const found = membersSeen(vip, seen, vip.members);
  const known = { ...vip, members: { ...vip.members, ...found } };
  const target = found[node];
  const todo: Plan = target === undefined ? { steps: [], conflicts: [] } : plan(known, seen, target, true);
  const why = unfit(known, node);
  const problems: OwnerProblem[] = why === undefined ? [] : [{ key: 'unfit', why }];
  const state = hosts?.get(node);
  if (hosts !== undefined && state !== 'running') problems.push({ key: 'not-running', node, state });
  if (target === undefined) problems.push({ key: 'no-eni', node, labels: vip.nodeLabels, vpc: vip.vpc });
  else if (seen.enis.find((e) => e.eni === target.eni)?.sourceDestCheck === true)
    problems.push({ key: 'check-on', eni: target.eni });
  for (const conflict of todo.conflicts)
    if (conflict.kind === 'unmet') problems.push({ key: 'unmet', conflict });
  return { target, todo, problems: [...problems, ...fullTables(known, seen, todo)] };
}

const fullTables = (vip: Vip, seen: Observation, todo: Plan): readonly OwnerProblem[] =>
  tablesOf(vip, seen).flatMap((table): readonly OwnerProblem[] => {
    const missing = created(table, todo);
    const total = table.total ?? 0;
    return total + missing > ROUTES_PER_TABLE
      ? [{ key: 'table-full', table: table.table, total, missing }]
      : [];
  });

const created = (table: TableSeen, todo: Plan): number =>
  todo.steps.filter((s) => s.call === 'CreateRoute' && s.table === table.table && s.from === 'nothing')
    .length;
