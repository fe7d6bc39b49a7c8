/**
 * Ending: what must hold when a scenario is over, checked against EC2, the router, the record and the client's answers.
 *
 * Every check is made and each failure is reported in one sentence with what was expected and what was found; none hides another.
 */
import type { Failover } from '../../../shared/timeline/timeline.ts';
import type { Vip } from '../../../shared/vip/vip.ts';
import type { Outage } from '../node/client.ts';
import type { NodeLabel } from '../sandbox/topology.ts';
import type { Ending, Scenario } from './scenario.ts';
import type { ScenarioContext } from './scenario-context.ts';

const ORDINARY = ['switched', 'unchanged', 'superseded'];

export interface Seen {
  readonly outage: Outage;
  readonly vip: Vip;
  /** Of the scenario's own epochs. */
  readonly failovers: readonly Failover[];
  readonly epochBefore: number;
  /** Who answered the client last. */
  readonly lastAnswer: string;
}

export async function failedExpectations(
  scenario: Scenario,
  context: ScenarioContext,
  seen: Seen,
): Promise<string[]> {
  const { cloud, nodes } = context;
  const label = ownerOf(scenario.ends, context, seen.vip);
  const owner = nodes[label].instanceId;
  return [
    ...ownership(label, owner, seen),
    ...(await cloud.vpc.misplaced(label)),
    ...(await cloud.mirror.differences()),
    ...cloud.mirror.troubles.splice(0),
    ...record(scenario, owner, seen),
    ...connections(scenario, seen.outage),
  ];
}

/** Who has to own the VIP; where either may, the one that does. */
export function ownerOf({ owner }: Ending, { nodes }: Pick<ScenarioContext, 'nodes'>, vip: Vip): NodeLabel {
  if (owner !== 'master') return owner;
  return vip.owner === nodes.b.instanceId ? 'b' : 'a';
}

function ownership(label: NodeLabel, owner: string, { vip, lastAnswer }: Seen): string[] {
  const broken: string[] = [];
  if (vip.owner !== owner) broken.push(`the record says that ${vip.owner} owns the VIP, expected ${owner}`);
  if (vip.lease !== undefined) broken.push(`epoch ${vip.lease.epoch} still holds the lease, expected none`);
  const open = Object.values(vip.open).map(({ epoch }) => epoch);
  if (open.length > 0) broken.push(`epochs ${open.join(', ')} are still open in the record, expected none`);
  if (lastAnswer !== label) {
    broken.push(`the client was last answered by "${lastAnswer}", expected ${label}`);
  }
  return broken;
}

function record(scenario: Scenario, owner: string, { vip, failovers, epochBefore }: Seen): string[] {
  const broken: string[] = [];
  const recorded = new Set(failovers.map(({ epoch }) => epoch));
  for (let epoch = epochBefore + 1; epoch <= vip.epoch; epoch += 1) {
    if (!recorded.has(epoch)) broken.push(`epoch ${epoch} has no outcome in the timeline`);
  }
  const allowed = scenario.ends.outcomes ?? ORDINARY;
  for (const { epoch, outcome, notes } of failovers) {
    if (!allowed.includes(outcome)) {
      broken.push(
        `epoch ${epoch} ended ${outcome} (${notes.join('; ')}), expected one of ${allowed.join(', ')}`,
      );
    }
  }
  if (
    scenario.ends.records !== undefined &&
    !failovers.some(({ outcome }) => outcome === scenario.ends.records)
  ) {
    broken.push(`no epoch ended ${scenario.ends.records} in the timeline, expected one`);
  }
  const last = failovers.findLast(({ outcome }) => outcome === 'switched' || outcome === 'unchanged');
  if (last !== undefined && last.to !== owner) {
    broken.push(`the last failover in the timeline went to ${last.to}, expected ${owner}`);
  }
  const split = failovers.filter(({ splitBrain }) => splitBrain.length > 0).map(({ epoch }) => epoch);
  if (scenario.ends.splitBrain === 'never' && split.length > 0) {
    broken.push(`split brain is reported in epochs ${split.join(', ')}, expected never`);
  }
  return broken;
}

function connections({ ends }: Scenario, { refused, lost }: Outage): string[] {
  if (ends.failedConnections === undefined || refused + lost <= ends.failedConnections) return [];
  return [`${refused} connections were refused and ${lost} lost, expected at most ${ends.failedConnections}`];
}

/** The bounds of time that were exceeded, one sentence each. Apart from the rest, since a busy machine exceeds them too. */
export function exceededBounds({ ends }: Scenario, { outageMs }: Outage): string[] {
  if (outageMs <= ends.longestOutageMs) return [];
  return [`the client's outage was ${Math.round(outageMs)} ms, expected at most ${ends.longestOutageMs}`];
}
