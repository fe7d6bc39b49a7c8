// The doctor on each member as the next owner: a standby that would fail is a fault today. It asks what a forced failover's
// preflight asks (network/next-owner.ts), and what takes more looking: room for EIPs, and the node's way to the bus.

import { conflictText } from '../../network/conflict.ts';
import { asNextOwner, ROUTES_PER_TABLE } from '../../network/next-owner.ts';
import { membersSeen } from '../../network/observation.ts';
import { unfitText } from '../../vip/election.ts';
import type { EniFact, NetworkFacts } from '../facts.ts';
import { type Finding, fault } from '../finding.ts';
import { roomFindings } from './room.ts';
import { eipWayFindings, wayFindings } from './way.ts';

export function memberFindings(facts: NetworkFacts): readonly Finding[] {
  const { vip, seen } = facts;
  const found = membersSeen(vip, seen, vip.members);
  const nodes = [...new Set([...Object.keys(vip.members), ...Object.keys(found)])].sort();
  return nodes.flatMap((node) => {
    const running = hostFindings(facts, node);
    const member = found[node];
    if (running.length > 0 || member === undefined) return running;
    const ids = new Set([member.eni, ...(vip.eips.length > 0 ? [member.eipEni] : [])]);
    return [
      ...problems(facts, node),
      ...facts.enis.filter((e) => ids.has(e.eni)).flatMap((eni) => unready(facts, node, eni)),
      ...roomFindings(facts, member),
      ...wayFindings(facts, node),
      ...eipWayFindings(facts, member),
    ];
  });
}

function hostFindings({ vip, hosts }: NetworkFacts, node: string): readonly Finding[] {
  const state = hosts?.get(node);
  if (hosts === undefined || state === 'running') return [];
  const about = { vips: [vip.name], subject: node };
  if (state === undefined || state === 'terminated' || state === 'shutting-down')
    return [
      fault('node-not-running', {
        ...about,
        found: state === undefined ? 'EC2 shows no such instance' : `the instance is ${state}`,
        expected: 'running, or no longer a member',
        remedy: {
          sentence: `start a node in its place and label its ENI; ${node} is no longer a member once no ENI of it has the label`,
        },
      }),
    ];
  return [
    fault('node-not-running', {
      ...about,
      found: `the instance is ${state}`,
      expected: 'running: it cannot take the VIP over',
      remedy: { command: `aws ec2 start-instances --instance-ids ${node}` },
    }),
  ];
}

/** Of what the preflight asks, what no other check names. */
function problems(facts: NetworkFacts, node: string): readonly Finding[] {
  const { vip, seen } = facts;
  return asNextOwner(vip, seen, node).problems.flatMap((problem): readonly Finding[] => {
    const vips = [vip.name];
    if (problem.key === 'unfit' && problem.why.key === 'withdrawn')
      return [
        fault('node-unfit', {
          vips,
          subject: node,
          found: unfitText(problem.why),
          expected: 'MASTER or BACKUP: it is not elected otherwise',
          remedy: { sentence: `on ${node}: systemctl status keepalived, and what its track scripts say` },
        }),
      ];
    if (problem.key === 'table-full')
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
    if (problem.key === 'unmet' && problem.conflict.reason?.key === 'no-table')
      return [
        fault('table-unlabelled', {
          vips,
          subject: vip.name,
          found: conflictText(problem.conflict),
          expected: 'at least one: a failover moves no route otherwise',
          remedy: { sentence: 'label the route tables of the clients’ subnets (docs/install.md)' },
        }),
      ];
    return [];
  });
}

/** Attached, but not for good, or not in use. */
function unready({ vip }: NetworkFacts, node: string, eni: EniFact): readonly Finding[] {
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
        sentence: `see what EC2 waits for: aws ec2 describe-network-interfaces --network-interface-ids ${eni.eni}`,
      },
    }),
  ];
}
