// The doctor on addresses and ENIs.

import { staysText, usersHere } from '../network/labels.ts';
import type { EniSeen } from '../network/observation.ts';
import { awsCommand, ownCommand } from '../place.ts';
import { EIP_SUFFIX, enisOf } from '../vip/member.ts';
import { type EniFact, type NetworkFacts, tagCommand, untagCommand } from './facts.ts';
import { type Finding, fault, type Remedy } from './finding.ts';

export function eniFindings(facts: NetworkFacts): readonly Finding[] {
  const { vip, seen } = facts;
  const inScope = seen.enis.filter((e) => e.vpc === vip.vpc && e.account === vip.account);
  const service = inScope.filter((e) => vip.nodeLabels.includes(e.label));
  return [
    ...placement(facts, service),
    ...inScope.filter((e) => e.node === undefined).map((e) => unattached(facts, e)),
    ...unlabelled(facts, inScope),
    ...twice(facts, inScope),
  ];
}

function placement(facts: NetworkFacts, service: readonly EniSeen[]): readonly Finding[] {
  const { vip } = facts;
  const attached = service.filter((e) => e.node !== undefined);
  const nodes = new Set(attached.map((e) => e.node));
  const zones = new Set(attached.map((e) => e.zone));
  if (nodes.size < 2) {
    return [
      fault('too-few-nodes', {
        vips: [vip.name],
        subject: vip.name,
        found: `${nodes.size} node${nodes.size === 1 ? '' : 's'} with a labelled ENI`,
        expected: 'at least two',
        remedy: {
          command: tagCommand('ENI', vip.nodeLabels[0]!, facts),
          remark: 'ENI: the service ENI of a further node',
        },
      }),
    ];
  }
  if (zones.size > 1) return [];
  return [
    fault('one-zone', {
      vips: [vip.name],
      subject: vip.name,
      found: `all ${nodes.size} nodes are in ${[...zones][0]}`,
      expected: 'nodes in at least two zones: a zone’s failure takes them all',
      remedy: { sentence: 'start a node in another zone, and label its ENI' },
    }),
  ];
}

function unattached(facts: NetworkFacts, eni: EniSeen): Finding {
  const { vip, place, others = [] } = facts;
  const attach = awsCommand(
    `ec2 attach-network-interface --network-interface-id ${eni.eni} --instance-id INSTANCE --device-index 1`,
    place,
  );
  const users = usersHere('eni', eni, others);
  return fault('eni-unattached', {
    vips: [vip.name],
    subject: eni.eni,
    found: `has the label ${eni.label} and is attached to no instance`,
    expected: 'attached, or without the label',
    remedy:
      users.length === 0
        ? { command: untagCommand(eni.eni, facts), remark: `or: ${attach}` }
        : { command: attach, remark: staysText(eni.label, users) },
  });
}

/** Nodes that the item knows, or that speak, without a labelled ENI; and nodes without one for the EIPs. */
function unlabelled(facts: NetworkFacts, labelled: readonly EniSeen[]): readonly Finding[] {
  const { vip, enis, tag } = facts;
  const has = (node: string, suffix: string) =>
    labelled.some((e) => e.node === node && vip.nodeLabels.some((label) => e.label === label + suffix));
  const nodes = [...new Set([...Object.keys(vip.members), ...Object.keys(vip.claims)])].sort();
  const found: Finding[] = [];
  for (const node of nodes) {
    const own = enis.filter((e) => e.node === node);
    if (own.length === 0) continue;
    const label = vip.nodeLabels[0]!;
    if (!has(node, '')) {
      found.push(
        fault('eni-unlabelled', {
          vips: [vip.name],
          subject: node,
          found: `no ENI of it (${own.map((e) => withValue(e, tag)).join(', ')}) has the label, so it is not a member and its claims are rejected`,
          expected: `the tag ${tag}=${label} on its service ENI`,
          remedy: labelOne(facts, node, own),
        }),
      );
    } else if (
      vip.eips.length > 0 &&
      !has(node, EIP_SUFFIX) &&
      labelled.some((e) => e.node === node && e.primary)
    ) {
      found.push(
        fault('eip-eni-missing', {
          vips: [vip.name],
          subject: node,
          found: 'its only labelled ENI is the primary one, which carries the node’s own address',
          expected: `an ENI of its own for EIPs, with the tag ${tag}=${label}${EIP_SUFFIX}`,
          remedy: {
            command: tagCommand('ENI', label + EIP_SUFFIX, facts),
            remark: `ENI: a second one of ${node}`,
          },
        }),
      );
    }
  }
  return [...found, ...unlikeOthers(facts, labelled)];
}

/** One node has an ENI for EIPs, another has none: there they would come to the service ENI. */
function unlikeOthers(facts: NetworkFacts, labelled: readonly EniSeen[]): readonly Finding[] {
  const { vip, enis, tag } = facts;
  const label = vip.nodeLabels[0]! + EIP_SUFFIX;
  const withOne = new Set(labelled.flatMap((e) => (e.label.endsWith(EIP_SUFFIX) ? (e.node ?? []) : [])));
  if (vip.eips.length === 0 || withOne.size === 0) return [];
  const nodes = new Set(labelled.flatMap((e) => (e.primary ? [] : (e.node ?? []))));
  return [...nodes]
    .filter((node) => !withOne.has(node))
    .map((node) => {
      const free = enis.find((e) => e.node === node && !e.primary && e.label === undefined);
      return fault('eip-eni-untagged', {
        vips: [vip.name],
        subject: node,
        found: `no ENI of it has the tag ${tag}=${label}, as one of ${[...withOne].join(', ')} has: EIPs come to its service ENI`,
        expected: 'an ENI for EIPs on each node, or on none',
        remedy: {
          command: tagCommand(free?.eni ?? 'ENI', label, facts),
          ...(free === undefined ? { remark: `ENI: a second one of ${node}` } : {}),
        },
      });
    });
}

/** A mistyped value is seen only with its quotes. */
const withValue = ({ eni, label }: EniFact, tag: string): string =>
  label === undefined ? eni : `${eni} has ${tag}=${JSON.stringify(label)}`;

/** One that no other VIP uses gets the label: the one that had it before, else one that is not primary. */
function labelOne(facts: NetworkFacts, node: string, own: readonly EniFact[]): Remedy {
  const { vip, place, others = [] } = facts;
  const usersOfEni = ({ label }: EniFact) =>
    label === undefined ? [] : usersHere('eni', { label, vpc: vip.vpc, account: vip.account }, others);
  const free = own.filter((e) => usersOfEni(e).length === 0);
  const chosen =
    free.find((e) => e.eni === vip.members[node]?.eni) ?? free.find((e) => !e.primary) ?? free[0];
  if (chosen !== undefined) return { command: tagCommand(chosen.eni, vip.nodeLabels[0]!, facts) };
  const taken = own.find((e) => !e.primary) ?? own[0]!;
  const label = taken.label!.endsWith(EIP_SUFFIX) ? taken.label!.slice(0, -EIP_SUFFIX.length) : taken.label!;
  const command = ownCommand(
    `vip set ${vip.name} --node-label ${[...vip.nodeLabels, label].join(',')}`,
    place,
  );
  return { command, remark: `${staysText(taken.label!, usersOfEni(taken))} on ${taken.eni}` };
}

function twice(facts: NetworkFacts, labelled: readonly EniSeen[]): readonly Finding[] {
  const { vip, others = [] } = facts;
  const found: Finding[] = [];
  const nodes = [...new Set(labelled.flatMap((e) => e.node ?? []))];
  for (const node of nodes) {
    for (const suffix of ['', EIP_SUFFIX]) {
      const labels = vip.nodeLabels.map((label) => label + suffix);
      const both = labelled.filter((e) => e.node === node && labels.includes(e.label));
      if (both.length < 2) continue;
      // Those that serve now keep their label, whichever VIP they serve.
      const known = new Set([vip, ...others].flatMap(({ members }) => [...enisOf(members)]));
      const own = both.map((e) => e.eni);
      // One that its other VIPs do not need: each of them has another ENI on this node.
      const idle = both.find(
        (e) =>
          !known.has(e.eni) &&
          usersHere('eni', e, others).every(({ members }) => members[node] !== undefined),
      )?.eni;
      const users = both.flatMap((e) => usersHere('eni', e, others).map((user) => [e.label, user] as const));
      found.push(
        fault('eni-twice', {
          vips: [vip.name],
          subject: node,
          found: `${own.join(' and ')} both have the label ${labels.join(' or ')}`,
          expected: 'one of them: which one gets the routes is otherwise chance',
          remedy:
            idle !== undefined || users.length === 0
              ? { command: untagCommand(idle ?? own.at(-1)!, facts) }
              : {
                  sentence: `give ${vip.name} a node label that one of them has alone (--node-label); ${staysText(users[0]![0], [...new Set(users.map(([, user]) => user))])}`,
                },
        }),
      );
    }
  }
  return found;
}
