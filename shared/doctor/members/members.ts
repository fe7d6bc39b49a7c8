// The doctor on each member as the next owner: a standby that would fail is a fault today. It asks what a forced failover's
// preflight asks (network/next-owner.ts), and what takes more looking: room for EIPs, and the node's way to the bus.

import { conflictText } from '../../network/conflict.ts';
import { asNextOwner, type OwnerProblem, ROUTES_PER_TABLE } from '../../network/next-owner.ts';
import { membersSeen } from '../../network/observation.ts';
import { awsCommand } from '../../place.ts';
import { unfitText } from '../../vip/election.ts';
import { type EniFact, type NetworkFacts, tagCommand } from '../facts.ts';
import { type Finding, fault } from '../finding.ts';
import { roomFindings } from './room.ts';
import { checkOn, egressCheckFindings } from './source-check.ts';
import { eipWayFindings, wayFindings } from './way.ts';

export function memberFindings(facts: NetworkFacts, nodes: readonly string[]): readonly Finding[] {
  const { vip, seen, hosts } = facts;
  const found = membersSeen(vip, seen, vip.members);
  return nodes.flatMap((node) => {
    const { problems } = asNextOwner(vip, seen, node, hosts);
    const member = found[node];
    const isDown = problems.some(({ key }) => key === 'not-running');
    const said = problems.flatMap((problem) =>
      isDown && problem.key !== 'not-running' ? [] : findingsOf(facts, node, problem),
    );
    if (isDown || member === undefined) return said;
    const ids = new Set([member.eni, ...(vip.eips.length > 0 ? [member.eipEni] : [])]);
    return [
      ...said,
      ...egressCheckFindings(facts, node),
      ...facts.enis.filter((e) => ids.has(e.eni)).flatMap((eni) => unready(facts, node, eni)),
      ...roomFindings(facts, member),
      ...wayFindings(facts, node),
      ...eipWayFindings(facts, member),
    ];
  });
}

/** What the preflight found, with what to do about it; `no-eni` is named by the labels that are missing. */
function findingsOf(facts: NetworkFacts, node: string, problem: OwnerProblem): readonly Finding[] {
  const { vip } = facts;
  const vips = [vip.name];
  switch (problem.key) {
    case 'not-running':
      return [notRunning(facts, problem)];
    case 'check-on':
      return [checkOn(facts, problem.eni)];
    case 'unfit':
      return problem.why.key === 'withdrawn'
        ? [
            fault('node-unfit', {
              vips,
              subject: node,
              found: unfitText(problem.why),
              expected: 'MASTER or BACKUP: it is not elected otherwise',
              remedy: { sentence: `on ${node}: systemctl status keepalived, and what its track scripts say` },
            }),
          ]
        : [];
    case 'table-full':
      return [
        fault('table-full', {
          vips,
          subject: problem.table,
          found: `has ${problem.total} of ${ROUTES_PER_TABLE} routes, and ${problem.missing} of ${vip.name} are missing`,
          expected: 'room for every address',
          remedy: {
            sentence: 'take routes out that nothing needs, or have the quota of routes per table raised',
          },
        }),
      ];
    case 'unmet':
      return problem.conflict.reason?.key === 'no-table'
        ? [
            fault('table-unlabelled', {
              vips,
              subject: vip.name,
              found: conflictText(problem.conflict),
              expected: 'at least one: a failover moves no route otherwise',
              remedy: {
                command: tagCommand('TABLE', vip.tableLabels[0]!, facts),
                remark: 'TABLE: each route table of the clients’ subnets (docs/install.md)',
              },
            }),
          ]
        : [];
    case 'no-eni':
      return [];
    default:
      return problem satisfies never;
  }
}

function notRunning(
  { vip, place }: NetworkFacts,
  { node, state }: Extract<OwnerProblem, { key: 'not-running' }>,
): Finding {
  const about = { vips: [vip.name], subject: node };
  if (state === undefined || state === 'terminated' || state === 'shutting-down')
    return fault('node-not-running', {
      ...about,
      found: state === undefined ? 'EC2 shows no such instance' : `the instance is ${state}`,
      expected: 'running, or no longer a member',
      remedy: {
        sentence: `start a node in its place and label its ENI; ${node} is no longer a member once no ENI of it has the label`,
      },
    });
  const start = awsCommand(`ec2 start-instances --instance-ids ${node}`, place);
  return fault('node-not-running', {
    ...about,
    found: `the instance is ${state}`,
    expected: 'running: it cannot take the VIP over',
    // EC2 starts one that is stopped, and no other.
    remedy:
      state === 'stopped'
        ? { command: start }
        : {
            sentence:
              state === 'stopping' ? `when it is stopped: ${start}` : 'wait until it runs, and look again',
          },
  });
}

/** Attached, but not for good, or not in use. */
function unready({ vip, place }: NetworkFacts, node: string, eni: EniFact): readonly Finding[] {
  const wrong = [
    ...(eni.status === undefined || eni.status === 'in-use' ? [] : [`is ${eni.status}, expected in-use`]),
    ...(eni.attachment === undefined || eni.attachment === 'attached'
      ? []
      : [`is ${eni.attachment}, expected attached`]),
  ];
  if (wrong.length === 0) return [];
  return [
    fault('eni-unready', {
      vips: [vip.name],
      subject: eni.eni,
      found: wrong.join('; '),
      expected: `in use on ${node}`,
      remedy: {
        sentence: `see what EC2 waits for: ${awsCommand(`ec2 describe-network-interfaces --network-interface-ids ${eni.eni}`, place)}`,
      },
    }),
  ];
}
