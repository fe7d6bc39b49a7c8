// The controller before a world: what it observes and plans, by its own code, and what EC2 makes of its calls.
import type { Route } from '@aws-sdk/client-ec2';
import { observe } from '../../../../shared/aws/ec2/observe.ts';
import { membersSeen } from '../../../../shared/network/observation.ts';
import { type Plan, plan } from '../../../../shared/network/plan.ts';
import type { Step } from '../../../../shared/network/step.ts';
import type { Vip } from '../../../../shared/vip/vip.ts';
import { ec2Access } from './look.ts';
import type { World } from './world.ts';

/** Moves the VIP to the node as a failover would; undefined where the node is not a member. */
export async function moved(world: World, vip: Vip, node: string): Promise<Plan | undefined> {
  const access = ec2Access(world);
  const seen = await observe({ ...access, writer: access.reader }, vip);
  const members = membersSeen(vip, seen, vip.members);
  const target = members[node];
  if (target === undefined) return undefined;
  const todo = plan({ ...vip, members: { ...vip.members, ...members } }, seen, target, true);
  for (const step of todo.steps) apply(world, step);
  return todo;
}

/** A minute later: each VIP is at its owner as far as the controller may move it. */
export async function reconciled(world: World): Promise<void> {
  for (const vip of world.vips) if (vip.owner !== undefined) await moved(world, vip, vip.owner);
}

function apply(world: World, step: Step): void {
  switch (step.call) {
    case 'ReplaceRoute':
    case 'CreateRoute': {
      const table = world.tables.find((one) => one.RouteTableId === step.table)!;
      const at: Route = step.destination.startsWith('pl-')
        ? { DestinationPrefixListId: step.destination }
        : step.destination.includes(':')
          ? { DestinationIpv6CidrBlock: step.destination }
          : { DestinationCidrBlock: step.destination };
      const [[key, value]] = Object.entries(at) as [[keyof Route, string]];
      const others = (table.Routes ?? []).filter((route) => route[key] !== value);
      if (others.length >= 500) return;
      table.Routes = [
        ...others,
        { ...at, NetworkInterfaceId: step.eni, State: 'active', Origin: 'CreateRoute' },
      ];
      return;
    }
    case 'AssociateAddress': {
      const eip = world.addresses.find((one) => one.AllocationId === step.eip)!;
      const zone = world.enis.find((one) => one.NetworkInterfaceId === step.eni)?.AvailabilityZone;
      const border = world.zones.find((one) => one.ZoneName === zone)?.NetworkBorderGroup;
      if (eip.NetworkBorderGroup !== border) return;
      for (const one of world.addresses)
        if (one.NetworkInterfaceId === step.eni && one.PrivateIpAddress === step.privateAddress) {
          delete one.NetworkInterfaceId;
          delete one.PrivateIpAddress;
        }
      eip.NetworkInterfaceId = step.eni;
      eip.PrivateIpAddress = step.privateAddress;
      return;
    }
    case 'ModifyNetworkInterfaceAttribute':
      world.enis.find((one) => one.NetworkInterfaceId === step.eni)!.SourceDestCheck = false;
      return;
    default:
      step satisfies never;
  }
}
