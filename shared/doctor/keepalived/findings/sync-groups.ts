// What a sync group makes of an election: its instances are master together or not at all, so that one which hears a better master
// keeps the others BACKUP, also those that hear nothing (keepalived.conf(5), "vrrp_sync_group").
//
// Limit: instances whose group may be in a part of the file that is not here are taken to have none.
import { obstaclesBetween } from '../model/hearing.ts';
import { isLeftOut } from '../model/instance.ts';
import { orderOf } from './order.ts';
import type { Side } from './virtual-routers.ts';

type Pairs = readonly (readonly [Side, Side])[];

/** Whether the groups of one of both keep them from being master at the same time, although `lower` does not hear `higher`. */
export const isAverted = (lower: Side, higher: Side, pairs: Pairs): boolean =>
  givesWay(lower, higher, pairs) || givesWay(higher, lower, pairs);

/** One of its group hears a better one, which is master whenever `other` is, or by itself. */
function givesWay(one: Side, other: Side, pairs: Pairs): boolean {
  const held = unitOf(other);
  return unitOf(one).some((name) => {
    if (name === one.instance.name) return false;
    const better = betterHeard(one, name, pairs);
    if (better === undefined) return false;
    return (
      held.includes(better.instance.name) ||
      unitOf(better).every((each) => betterHeard(better, each, pairs) === undefined)
    );
  });
}

/** The other node's instance to which this one of `node` gives way. */
function betterHeard({ configuration }: Side, name: string, pairs: Pairs): Side | undefined {
  for (const [left, right] of pairs)
    for (const [mine, theirs] of [
      [left, right],
      [right, left],
    ] as const)
      if (mine.configuration === configuration && mine.instance.name === name)
        return orderOf(mine, theirs)?.[0] === theirs &&
          obstaclesBetween(mine.instance, theirs.instance).length === 0
          ? theirs
          : undefined;
  return undefined;
}

/** Those that change together with it, itself among them; keepalived drops a group of one. */
function unitOf({ configuration: { groups, instances }, instance }: Side): readonly string[] {
  const running = new Set(instances.filter((one) => !isLeftOut(one)).map(({ name }) => name));
  const together = groups
    .map(({ members }) => members.filter((name) => running.has(name)))
    .find((members) => members.includes(instance.name));
  return together === undefined || together.length < 2 ? [instance.name] : together;
}
