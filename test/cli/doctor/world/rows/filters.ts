// Rows of security groups and network ACLs.
import { acl, group, type Row } from './row.ts';

const dropping = (Egress: boolean, over: object = {}) => ({
  ...{ RuleNumber: 10, Protocol: '112', RuleAction: 'deny' as const, CidrBlock: '0.0.0.0/0', Egress },
  ...over,
});
export const filters: readonly Row[] = [
  {
    what: 'a network ACL that denies 112 in',
    check: 'acl-vrrp',
    seed: (world) => void acl(world).Entries!.push(dropping(false)),
  },
  {
    what: 'a network ACL that denies 112 out',
    check: 'acl-vrrp',
    seed: (world) => void acl(world).Entries!.push(dropping(true)),
  },
  {
    what: 'a network ACL of TCP alone',
    check: 'acl-vrrp',
    seed: (world) => {
      for (const entry of acl(world).Entries!) if (entry.RuleAction === 'allow') entry.Protocol = '6';
    },
  },
  {
    what: 'a network ACL that drops what clients send',
    check: 'acl-service',
    seed: (world) =>
      void acl(world).Entries!.push(dropping(false, { Protocol: '6', PortRange: { From: 443, To: 443 } })),
  },
  {
    what: 'a network ACL that drops the answers',
    check: 'acl-service',
    seed: (world) =>
      void acl(world).Entries!.push(
        dropping(true, { Protocol: '6', PortRange: { From: 32_768, To: 65_535 } }),
      ),
  },
  {
    what: 'a network ACL that drops the answers over IPv6',
    check: 'acl-service',
    seed: (world) => {
      const { CidrBlock: _four, ...six } = dropping(true, { Protocol: '-1', Ipv6CidrBlock: '::/0' });
      acl(world).Entries!.push(six);
    },
  },
  {
    what: 'no VRRP rule',
    check: 'group-vrrp',
    seed: (world) => void group(world).IpPermissions!.splice(0, 1),
  },
  {
    what: 'VRRP by an IPv6 rule only',
    check: 'group-vrrp',
    seed: (world) => {
      group(world).IpPermissions![0] = { IpProtocol: '112', Ipv6Ranges: [{ CidrIpv6: '::/0' }] };
    },
  },
  {
    what: 'VRRP from one node only',
    check: 'group-vrrp',
    seed: (world) => {
      group(world).IpPermissions![0] = { IpProtocol: '112', IpRanges: [{ CidrIp: '10.0.1.0/24' }] };
    },
  },
  {
    what: 'groups whose egress lacks protocol 112',
    check: 'group-vrrp-out',
    seed: (world) => {
      group(world).IpPermissionsEgress = [
        { IpProtocol: 'tcp', FromPort: 0, ToPort: 65_535, IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
      ];
    },
  },
  {
    what: 'groups whose egress lacks 443',
    check: 'bus-way',
    seed: (world) => {
      group(world).IpPermissionsEgress = [{ IpProtocol: '112', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }];
    },
  },
  {
    what: 'a service port that is open for another port only',
    check: 'group-service',
    ports: true,
    seed: (world) => Object.assign(group(world).IpPermissions![1]!, { FromPort: 80, ToPort: 80 }),
  },
  {
    what: 'a service port that is open for none of the clients’ subnets',
    check: 'group-clients',
    ports: true,
    seed: (world) => {
      group(world).IpPermissions![1]!.IpRanges = [{ CidrIp: '192.0.2.0/24' }];
    },
  },
  {
    what: 'a service port that is open for the VPC only, with an EIP',
    check: 'group-clients',
    ports: true,
    seed: (world) => {
      group(world).IpPermissions![1]!.IpRanges = [{ CidrIp: '10.0.0.0/16' }];
    },
  },
  {
    what: 'a service port that is open for IPv4 only',
    check: 'group-service',
    ports: true,
    seed: (world) => {
      group(world).IpPermissions![1]!.Ipv6Ranges = [];
    },
  },
];
