// One connection from a node: every filter on its way there and of its answers back.

import { awsCommand } from '../../place.ts';
import type { EniFact, NetworkFacts } from '../facts.ts';
import type { Remedy } from '../finding.ts';
import {
  aclOf,
  covers,
  type Direction,
  deciding,
  type Far,
  letThrough,
  numberOf,
  replyPorts,
  rulesOf,
  speaks,
} from './rules.ts';

export interface Connection {
  readonly from: EniFact;
  readonly to: EniFact | 'internet';
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

export interface Blocked {
  readonly found: string;
  readonly remedy: Remedy;
}

/** Where it is dropped first; undefined where nothing that is known drops it. */
export function blockedAt(
  facts: NetworkFacts,
  { from, to, protocol, port }: Connection,
): Blocked | undefined {
  const family = from.address === '' ? 6 : 4;
  const traffic = { protocol: numberOf[protocol], port };
  const far: Far = to === 'internet' ? { internet: family } : to.address;
  const out = rulesOf(facts, from, 'egress');
  const named = to === 'internet' ? [] : to.groups;
  const lets = (rules: ReturnType<typeof rulesOf>, end: Far, groups: readonly string[]): boolean =>
    rules === undefined ||
    rules.some(
      (rule) => speaks(rule, traffic) && (covers(rule, end) || rule.groups.some((g) => groups.includes(g))),
    );
  if (!lets(out, far, named))
    return {
      found: `no security group (${from.groups.join(', ')}) of ${from.eni} lets ${port}/${protocol} out`,
      remedy: {
        command: awsCommand(
          `ec2 authorize-security-group-egress --group-id ${from.groups[0] ?? 'GROUP'} ${permission(protocol, port, family)}`,
          facts.place,
        ),
      },
    };
  if (to !== 'internet' && !lets(rulesOf(facts, to, 'ingress'), from.address, from.groups))
    return {
      found: `no security group (${to.groups.join(', ')}) of ${to.eni} lets ${port}/${protocol} in from ${from.address}`,
      remedy: {
        command: awsCommand(
          `ec2 authorize-security-group-ingress --group-id ${to.groups[0] ?? 'GROUP'} --protocol ${protocol} --port ${port} --source-group ${from.groups[0] ?? 'GROUP'}`,
          facts.place,
        ),
      },
    };
  if (to !== 'internet' && to.subnet === from.subnet) return undefined;
  return blockedByAcl(facts, from, [
    { egress: true, traffic, far },
    ...replyPorts.map((reply) => ({ egress: false, traffic: { ...traffic, port: reply }, far })),
  ]);
}

const permission = (protocol: string, port: number, family: 4 | 6): string =>
  `--ip-permissions IpProtocol=${protocol},FromPort=${port},ToPort=${port},${family === 4 ? "IpRanges='[{CidrIp=0.0.0.0/0}]'" : "Ipv6Ranges='[{CidrIpv6=::/0}]'"}`;

function blockedByAcl(facts: NetworkFacts, eni: EniFact, ways: readonly Direction[]): Blocked | undefined {
  const acl = aclOf(facts, eni.subnet);
  if (acl === undefined) return undefined;
  const dropped = ways.find((w) => deciding(acl, w.egress, w.traffic, w.far)?.allow !== true);
  if (dropped === undefined) return undefined;
  const { egress, traffic } = dropped;
  return {
    found: `${acl.acl} drops protocol ${traffic.protocol} port ${traffic.port} ${egress ? 'out of' : 'back into'} ${eni.subnet}`,
    remedy: { command: letThrough(facts, acl, dropped) },
  };
}
