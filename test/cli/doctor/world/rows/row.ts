// A row of what operators get wrong: how it is seeded in a world, and the check that has to name it.
import type { NetworkInterface, Route, RouteTable } from '@aws-sdk/client-ec2';
import { EIP, TAG } from '../names.ts';
import type { World } from '../world.ts';

export interface Row {
  readonly what: string;
  readonly check: string;
  readonly seed: (world: World) => void;
  /** What a command cannot know or do: the operator's choice, a thing on the node, a new thing. By default it repairs. */
  readonly byHand?: true;
  readonly ports?: true;
}

export const table = (world: World, id: string): RouteTable =>
  world.tables.find((one) => one.RouteTableId === id)!;
export const eni = (world: World, id: string): NetworkInterface =>
  world.enis.find((one) => one.NetworkInterfaceId === id)!;
export const eip = (world: World) => world.addresses.find((one) => one.AllocationId === EIP)!;
export const group = (world: World) => world.groups[0]!;
export const acl = (world: World) => world.acls[0]!;
export const rule = (world: World, part: string) => world.rules.find((one) => one.Name.includes(part))!;

export function retag(world: World, id: string, value: string | undefined, key: string = TAG): void {
  const tags = value === undefined ? [] : [{ Key: key, Value: value }];
  const at = eni(world, id);
  if (at !== undefined) at.TagSet = tags;
  else if (table(world, id) !== undefined) table(world, id).Tags = tags;
  else world.addresses.find((one) => one.AllocationId === id)!.Tags = tags;
}

export function route(world: World, id: string, over: Route): void {
  const at = table(world, id);
  const same = (one: Route) =>
    one.DestinationCidrBlock === over.DestinationCidrBlock &&
    one.DestinationIpv6CidrBlock === over.DestinationIpv6CidrBlock;
  at.Routes = [...(at.Routes ?? []).filter((one) => !same(one)), { State: 'active', ...over }];
}
export function unroute(world: World, id: string, destination: string): void {
  const at = table(world, id);
  at.Routes = (at.Routes ?? []).filter(
    (one) => ![one.DestinationCidrBlock, one.DestinationIpv6CidrBlock].includes(destination),
  );
}
