// What becomes of a packet in a world: by the longest route of its subnet's table, and through the filters at both ends. Knows
// nothing of the doctor's code.
import { BlockList, isIPv6 } from 'node:net';
import type { IpPermission, NetworkAclEntry, NetworkInterface, Route } from '@aws-sdk/client-ec2';
import { tableNow } from '../answers.ts';
import type { World } from '../world.ts';

export function within(address: string, cidr: string | undefined): boolean {
  const [net, length] = (cidr ?? '').split('/');
  if (net === undefined || net === '' || length === undefined) return false;
  const family = isIPv6(net) ? 'ipv6' : 'ipv4';
  if (family !== (isIPv6(address) ? 'ipv6' : 'ipv4')) return false;
  const list = new BlockList();
  list.addSubnet(net, Number(length), family);
  return list.check(address, family);
}

/** The route that a packet from the subnet takes; undefined where there is none that is alive. */
export function routeFrom(world: World, subnet: string, to: string): Route | undefined {
  const table =
    world.tables.find((one) => one.Associations?.some((a) => a.SubnetId === subnet)) ??
    world.tables.find((one) => one.Associations?.some((a) => a.Main === true));
  const cidrOf = (route: Route) => route.DestinationCidrBlock ?? route.DestinationIpv6CidrBlock ?? '';
  const [longest] = (table === undefined ? [] : (tableNow(world, table).Routes ?? []))
    .filter((route) => within(to, cidrOf(route)))
    .sort((a, b) => Number(cidrOf(b).split('/')[1]) - Number(cidrOf(a).split('/')[1]));
  return longest?.State === 'blackhole' ? undefined : longest;
}

export interface Packet {
  readonly protocol: '6' | '112';
  readonly port: number;
  /** The far end's address, and the groups of its ENI where it is known. */
  readonly far: string;
  readonly groups?: readonly string[];
}

const numbers: Readonly<Record<string, string>> = { tcp: '6', udp: '17', icmp: '1' };
const speaks = (protocol: string | undefined, packet: Packet, from?: number, to?: number): boolean => {
  const number = numbers[protocol ?? ''] ?? protocol;
  if (number === '-1') return true;
  return (
    number === packet.protocol &&
    (number !== '6' || ((from ?? 0) <= packet.port && packet.port <= (to ?? 65_535)))
  );
};

export function passesGroups(
  world: World,
  eni: NetworkInterface,
  way: 'in' | 'out',
  packet: Packet,
): boolean {
  const admits = (rule: IpPermission) =>
    speaks(rule.IpProtocol, packet, rule.FromPort, rule.ToPort) &&
    [
      ...(rule.IpRanges ?? []).map((range) => within(packet.far, range.CidrIp)),
      ...(rule.Ipv6Ranges ?? []).map((range) => within(packet.far, range.CidrIpv6)),
      ...(rule.UserIdGroupPairs ?? []).map((pair) => packet.groups?.includes(pair.GroupId ?? '') === true),
    ].includes(true);
  const own = new Set((eni.Groups ?? []).map((group) => group.GroupId));
  return world.groups
    .filter((group) => own.has(group.GroupId))
    .flatMap((group) => (way === 'in' ? group.IpPermissions : group.IpPermissionsEgress) ?? [])
    .some(admits);
}

/** An ACL keeps no state: the answers have to pass as well. */
export function passesAcl(world: World, subnet: string, out: boolean, packet: Packet): boolean {
  const acl = world.acls.find((one) => one.Associations?.some((a) => a.SubnetId === subnet));
  if (acl === undefined) return true;
  const [first] = (acl.Entries ?? [])
    .filter((entry: NetworkAclEntry) => entry.Egress === out)
    .filter((entry) => speaks(entry.Protocol, packet, entry.PortRange?.From, entry.PortRange?.To))
    .filter((entry) => within(packet.far, entry.CidrBlock) || within(packet.far, entry.Ipv6CidrBlock))
    .sort((a, b) => (a.RuleNumber ?? 0) - (b.RuleNumber ?? 0));
  return first?.RuleAction === 'allow';
}

const replies = [50_000, 60_000] as const;

/** A connection from outside of the ENI's subnet, and its answers, as far as ACLs decide. */
export const answers = (world: World, eni: NetworkInterface, from: string, port: number): boolean =>
  passesAcl(world, eni.SubnetId!, false, { protocol: '6', port, far: from }) &&
  replies.every((reply) => passesAcl(world, eni.SubnetId!, true, { protocol: '6', port: reply, far: from }));

export const reaches = (world: World, eni: NetworkInterface, from: string, port: number): boolean =>
  passesGroups(world, eni, 'in', { protocol: '6', port, far: from }) && answers(world, eni, from, port);

/** A connection from the ENI to outside of its subnet, and the answers. */
export const leaves = (world: World, eni: NetworkInterface, to: string, port: number): boolean =>
  passesGroups(world, eni, 'out', { protocol: '6', port, far: to }) &&
  passesAcl(world, eni.SubnetId!, true, { protocol: '6', port, far: to }) &&
  replies.every((reply) => passesAcl(world, eni.SubnetId!, false, { protocol: '6', port: reply, far: to }));
