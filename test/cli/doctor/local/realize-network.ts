// The network of the local AWS, brought to what a world says.
import {
  AssociateAddressCommand,
  AssociateRouteTableCommand,
  AttachNetworkInterfaceCommand,
  AuthorizeSecurityGroupEgressCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateNetworkAclEntryCommand,
  CreateRouteCommand,
  CreateTagsCommand,
  DeleteNetworkAclEntryCommand,
  DeleteRouteCommand,
  DeleteTagsCommand,
  DetachNetworkInterfaceCommand,
  DisassociateAddressCommand,
  DisassociateRouteTableCommand,
  type IpPermission,
  ModifyNetworkInterfaceAttributeCommand,
  type NetworkAclEntry,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
  type Route,
  StartInstancesCommand,
  StopInstancesCommand,
  type Tag,
} from '@aws-sdk/client-ec2';
import type { World } from '../world/world.ts';
import { apart, differ, OutOfReach, type Part } from './difference.ts';
import { idOf, type Local } from './local-world.ts';

async function retag(
  { setup, names }: Local,
  name: string,
  from: readonly Tag[],
  to: readonly Tag[],
): Promise<void> {
  const Resources = [idOf(names, name)];
  const { gone, came } = apart(from, to);
  if (gone.length > 0)
    await setup.send(new DeleteTagsCommand({ Resources, Tags: gone.map(({ Key }) => ({ Key })) }));
  if (came.length > 0) await setup.send(new CreateTagsCommand({ Resources, Tags: came }));
}

export const tables: Part = async (local, from, to) => {
  const { setup, names } = local;
  for (const was of from.tables) {
    const is = to.tables.find((one) => one.RouteTableId === was.RouteTableId);
    const RouteTableId = idOf(names, was.RouteTableId!);
    if (is === undefined) throw new OutOfReach('a route table that is gone');
    await retag(local, was.RouteTableId!, was.Tags ?? [], is.Tags ?? []);
    const routes = apart(was.Routes?.map(bare), is.Routes?.map(bare));
    if ([...routes.gone, ...routes.came].some(({ GatewayId }) => GatewayId === 'local'))
      throw new OutOfReach('the local route');
    for (const { NetworkInterfaceId: _eni, GatewayId: _gateway, ...cell } of routes.gone)
      await setup.send(new DeleteRouteCommand({ RouteTableId, ...cell }));
    for (const { NetworkInterfaceId, GatewayId, ...cell } of routes.came)
      await setup.send(
        new CreateRouteCommand({
          ...{ RouteTableId, ...cell },
          ...(NetworkInterfaceId === undefined
            ? {}
            : { NetworkInterfaceId: idOf(names, NetworkInterfaceId) }),
          ...(GatewayId === undefined ? {} : { GatewayId: idOf(names, GatewayId) }),
        }),
      );
    const subnets = (table: World['tables'][0]) =>
      (table.Associations ?? []).flatMap(({ SubnetId }) => SubnetId ?? []);
    const { gone, came } = apart(subnets(was), subnets(is));
    for (const subnet of gone) {
      const { RouteTableAssociationId: AssociationId } = was.Associations!.find(
        (one) => one.SubnetId === subnet,
      )!;
      await setup.send(new DisassociateRouteTableCommand({ AssociationId }));
    }
    for (const subnet of came)
      await setup.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId: idOf(names, subnet) }));
  }
};

/** Where it goes, and to what. */
function bare(route: Route): Route {
  const { DestinationCidrBlock, DestinationIpv6CidrBlock, NetworkInterfaceId, GatewayId, State } = route;
  if (State === 'blackhole') throw new OutOfReach('a blackhole, which moto does not show');
  return JSON.parse(
    JSON.stringify({
      ...(DestinationCidrBlock ? { DestinationCidrBlock } : { DestinationIpv6CidrBlock }),
      ...(NetworkInterfaceId ? { NetworkInterfaceId } : { GatewayId }),
    }),
  ) as Route;
}

export const enis: Part = async (local, from, to) => {
  const { setup, names } = local;
  for (const was of from.enis) {
    const is = to.enis.find((one) => one.NetworkInterfaceId === was.NetworkInterfaceId);
    if (is === undefined) throw new OutOfReach('an ENI that is deleted');
    const NetworkInterfaceId = idOf(names, was.NetworkInterfaceId!);
    await retag(local, was.NetworkInterfaceId!, was.TagSet ?? [], is.TagSet ?? []);
    if (differ(was.SourceDestCheck, is.SourceDestCheck))
      await setup.check(NetworkInterfaceId, is.SourceDestCheck === true);
    const groupsOf = ({ Groups = [] }: typeof was) => Groups.map(({ GroupId }) => GroupId);
    if (differ(groupsOf(was), groupsOf(is))) {
      if (groupsOf(is).length === 0) throw new OutOfReach('an ENI without a group');
      const Groups = groupsOf(is).map((group) => idOf(names, group!));
      await setup.send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, Groups }));
    }
    if (was.Attachment !== undefined && is.Attachment === undefined)
      await setup.send(new DetachNetworkInterfaceCommand({ AttachmentId: was.Attachment.AttachmentId }));
    else if (was.Attachment === undefined && is.Attachment !== undefined) {
      const { InstanceId = '', DeviceIndex = 1 } = is.Attachment;
      await setup.send(
        new AttachNetworkInterfaceCommand({
          NetworkInterfaceId,
          InstanceId: idOf(names, InstanceId),
          DeviceIndex,
        }),
      );
    } else if (was.Attachment?.Status !== is.Attachment?.Status)
      throw new OutOfReach('an ENI that is being detached');
  }
};

export const addresses: Part = async (local, from, to) => {
  const { setup, names } = local;
  for (const was of from.addresses) {
    const is = to.addresses.find((one) => one.AllocationId === was.AllocationId);
    if (is === undefined) throw new OutOfReach('an Elastic IP that is released');
    if (differ(was.NetworkBorderGroup, is.NetworkBorderGroup)) throw new OutOfReach('a network border group');
    await retag(local, was.AllocationId!, was.Tags ?? [], is.Tags ?? []);
    const at = ({ NetworkInterfaceId, PrivateIpAddress }: typeof was) => [
      NetworkInterfaceId || undefined,
      PrivateIpAddress || undefined,
    ];
    if (!differ(at(was), at(is))) continue;
    const [eni, PrivateIpAddress] = at(is);
    if (eni === undefined) await setup.send(new DisassociateAddressCommand({ PublicIp: was.PublicIp }));
    else
      await setup.send(
        new AssociateAddressCommand({
          AllocationId: idOf(names, was.AllocationId!),
          NetworkInterfaceId: idOf(names, eni),
          PrivateIpAddress,
          AllowReassociation: true,
        }),
      );
  }
};

export const groups: Part = async ({ setup, names }, from, to) => {
  const GroupId = setup.group;
  const real = (permissions: readonly IpPermission[]): IpPermission[] =>
    permissions.map(({ UserIdGroupPairs = [], ...permission }) => ({
      ...permission,
      ...(UserIdGroupPairs.length === 0
        ? {}
        : { UserIdGroupPairs: UserIdGroupPairs.map((pair) => ({ GroupId: idOf(names, pair.GroupId!) })) }),
    }));
  const [was, is] = [from.groups[0]!, to.groups[0]!];
  const inward = apart(was.IpPermissions, is.IpPermissions);
  const outward = apart(was.IpPermissionsEgress, is.IpPermissionsEgress);
  const calls = [
    [inward.gone, RevokeSecurityGroupIngressCommand],
    [outward.gone, RevokeSecurityGroupEgressCommand],
    [inward.came, AuthorizeSecurityGroupIngressCommand],
    [outward.came, AuthorizeSecurityGroupEgressCommand],
  ] as const;
  for (const [permissions, Command] of calls)
    if (permissions.length > 0) {
      const Sent = Command as new (input: object) => object;
      await setup.send(new Sent({ GroupId, IpPermissions: real(permissions) }));
    }
};

export const acls: Part = async ({ setup, names }, from, to) => {
  const [was, is] = [from.acls[0], to.acls[0]];
  if (was === undefined || is === undefined) throw new OutOfReach('subnets without a network ACL');
  const subnets = ({ Associations = [] }: typeof was) => Associations.map(({ SubnetId }) => SubnetId);
  if (differ(subnets(was), subnets(is))) throw new OutOfReach('a subnet without a network ACL');
  const NetworkAclId = idOf(names, 'acl-1');
  const { gone, came } = apart<NetworkAclEntry>(was.Entries, is.Entries);
  if ([...gone, ...came].some(({ RuleNumber = 0 }) => RuleNumber > 32_766))
    throw new OutOfReach('the last entry of an ACL');
  for (const { RuleNumber, Egress } of gone)
    await setup.send(new DeleteNetworkAclEntryCommand({ NetworkAclId, RuleNumber, Egress }));
  for (const entry of came)
    await setup.send(
      new CreateNetworkAclEntryCommand({
        ...entry,
        NetworkAclId,
        RuleNumber: entry.RuleNumber,
        Egress: entry.Egress,
        Protocol: entry.Protocol,
        RuleAction: entry.RuleAction,
      }),
    );
};

export const instances: Part = async ({ setup, names }, from, to) => {
  for (const was of from.instances) {
    const is = to.instances.find((one) => one.InstanceId === was.InstanceId);
    const [before, after] = [was.State?.Name, is?.State?.Name];
    if (before === after) continue;
    const InstanceIds = [idOf(names, was.InstanceId!)];
    if (after === 'stopped') await setup.send(new StopInstancesCommand({ InstanceIds }));
    else if (after === 'running') await setup.send(new StartInstancesCommand({ InstanceIds }));
    else throw new OutOfReach(`an instance that is ${after ?? 'gone'} and comes back`);
  }
};
