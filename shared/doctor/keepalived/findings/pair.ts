// What is wrong between the configurations of two nodes: two masters, most of all. Each finding names both files.

import { type Check, type Finding, fault, warning } from '../../finding.ts';
import type { Configuration } from '../model/configuration.ts';
import { obstaclesBetween } from '../model/hearing.ts';
import { spanOf } from '../model/statements.ts';
import { asRemedy, replacing, stating } from './edits.ts';
import { explained } from './obstacles.ts';
import { orderOf } from './order.ts';
import { isAverted } from './sync-groups.ts';
import { isOneNode, matchingOf, type Side, type Surroundings } from './virtual-routers.ts';

export function pairFindings(
  one: Configuration,
  other: Configuration,
  surroundings: Surroundings,
): readonly Finding[] {
  const { pairs, alone } = matchingOf(one, other, surroundings);
  return [
    ...pairs.flatMap(([left, right]) => routerFindings(left, right, pairs)),
    ...alone.map(([side, node]) => aloneFinding(side, node)),
  ];
}

const PRIORITY_MAX = 254;

function routerFindings(
  left: Side,
  right: Side,
  pairs: readonly (readonly [Side, Side])[],
): readonly Finding[] {
  const [a, b] = [left.instance, right.instance];
  if (isOneNode(a, b))
    return [
      fault('keepalived-peers', {
        ...aboutBoth(left, right),
        found: `both have unicast_src_ip ${a.source.value}`,
        expected: 'each node’s own address',
        remedy: asRemedy(replacing(b.source.line!, 'unicast_src_ip ADDRESS')),
      }),
    ];
  const deaf = deafness(left, right, pairs);
  return [
    ...(deaf === undefined ? [] : [deaf]),
    ...priorityFindings(left, right),
    ...advertFindings(left, right),
  ];
}

const aboutBoth = (left: Side, right: Side) => ({
  vips: [...new Set([...left.vips, ...right.vips])],
  subject: subjectOf(left, right),
});

/** `a.conf and b.conf VI_1`, with both names where they differ. */
function subjectOf(left: Side, right: Side): string {
  const [a, b] = [left.instance.name, right.instance.name];
  const [one, other] = [left.configuration.name, right.configuration.name];
  return a === b ? `${one} and ${other} ${a}` : `${one} ${a} and ${other} ${b}`;
}

/** The one that has to hear the other decides: when it does not, both are masters, if no sync group keeps one of them BACKUP. */
function deafness(left: Side, right: Side, pairs: readonly (readonly [Side, Side])[]): Finding | undefined {
  const order = orderOf(left, right);
  const [higher, lower] = order ?? [left, right];
  const unheard = obstaclesBetween(lower.instance, higher.instance);
  const back = obstaclesBetween(higher.instance, lower.instance);
  if (unheard.length + back.length === 0) return undefined;
  const isDeaf = unheard.length > 0 || (order === undefined && back.length > 0);
  const isSplit = isDeaf && !isAverted(lower, higher, pairs);
  const told = [
    ...unheard.map((what) => explained(what, lower, higher)),
    ...back
      .filter((what) => !unheard.includes(what) || what === 'peer' || what === 'source')
      .map((what) => explained(what, higher, lower)),
  ];
  const check: Check = isSplit ? 'keepalived-two-masters' : 'keepalived-peers';
  return fault(check, {
    ...aboutBoth(left, right),
    found: `${told.map(({ found }) => found).join('; ')}: ${isSplit ? 'both become MASTER' : 'one does not hear the other'}`,
    expected: 'adverts that each node takes from the other',
    remedy: asRemedy(...new Set(told.flatMap(({ edits }) => edits))),
  });
}

function priorityFindings(left: Side, right: Side): readonly Finding[] {
  const [a, b] = [left.instance, right.instance];
  const { value } = a.priority;
  if (value === undefined || value !== b.priority.value) return [];
  const [high, low] =
    value >= PRIORITY_MAX ? [PRIORITY_MAX, PRIORITY_MAX - 1] : value > 1 ? [value, value - 1] : [2, 1];
  return [
    fault('keepalived-priorities', {
      ...aboutBoth(left, right),
      found: `both have priority ${a.priority.line === undefined && b.priority.line === undefined ? `left to the default, ${value}` : value}`,
      expected:
        'distinct priorities: equal ones are decided by address, and both may stay master for a while',
      remedy: asRemedy(
        ...(high === value ? [] : [stating(a.priority.line, a.span, `priority ${high}`)]),
        stating(b.priority.line, b.span, `priority ${low}`),
      ),
    }),
  ];
}

/** Version 2 drops such adverts, and has two masters then. */
function advertFindings(left: Side, right: Side): readonly Finding[] {
  const [a, b] = [left.instance, right.instance];
  const [mine, theirs] = [a.advertCs.value, b.advertCs.value];
  if (mine === undefined || theirs === undefined || mine === theirs) return [];
  if (a.version.value !== 3 || b.version.value !== 3) return [];
  return [
    warning('keepalived-advert', {
      ...aboutBoth(left, right),
      found: `advert_int ${mine / 100} and ${theirs / 100}: how long a failover takes depends on who is master`,
      expected: 'one advert interval',
      remedy: asRemedy(stating(b.advertCs.line, b.span, `advert_int ${mine / 100}`)),
    }),
  ];
}

function aloneFinding({ configuration, instance, vips }: Side, node: Configuration): Finding {
  const id = instance.routerId.value;
  const peer = instance.peers.listed.find(({ address }) =>
    node.instances.some(({ source }) => source.value === address),
  )!;
  const [block] = instance.peers.blocks;
  return fault('keepalived-peers', {
    vips,
    subject: `${configuration.name} and ${node.name} ${instance.name}`,
    found: `${instance.name} sends to ${peer.address}, and ${node.name} has no instance with virtual_router_id ${id ?? 'unknown'}`,
    expected: `an instance with this virtual_router_id in ${node.name}`,
    remedy: {
      sentence: `copy vrrp_instance ${instance.name} to ${node.name}, with the addresses and the priority of that node${block === undefined ? '' : `, or take ${peer.address} out of ${spanOf(block).title}`}`,
    },
  });
}
