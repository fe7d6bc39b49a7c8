// The doctor on a node's way to the bus. Its shim sends to EventBridge's public name, by the interface that the node's default
// route has: the primary ENI. Either an interface endpoint with private DNS answers to that name in the VPC, or the packets
// leave by the default route of the subnet's table, and the answers come back.
//
// Limit: what lies behind a transit gateway, a virtual private gateway or an appliance is not seen; a node that sends by another
// interface has to be known by who set it up.

import { awsCommand } from '../../place.ts';
import type { Member } from '../../vip/member.ts';
import type { EndpointFact, EniFact, NetworkFacts, RouteFact, TableFact, WayFacts } from '../facts.ts';
import { type Finding, fault, type Remedy, warning } from '../finding.ts';
import { blockedAt } from '../packets/flow.ts';

const HTTPS = 443;

interface Blocked {
  readonly found: string;
  readonly remedy: Remedy;
}

export function wayFindings(facts: NetworkFacts, node: string): readonly Finding[] {
  const primary = facts.enis.find((e) => e.node === node && e.primary);
  if (primary === undefined || facts.way === undefined || facts.tables.length === 0) return [];
  const blocked = blockedOn(facts, primary);
  if (blocked === undefined) return [];
  return [
    fault('bus-way', {
      vips: [facts.vip.name],
      subject: node,
      found: blocked.found,
      expected: 'a way to EventBridge: no report of the node arrives otherwise',
      remedy: blocked.remedy,
    }),
  ];
}

/** Names of AWS are looked up before a packet leaves; a node may have a resolver of its own. */
export const dnsFindings = ({ vip, way, place }: NetworkFacts): readonly Finding[] =>
  way === undefined || way.dnsSupport
    ? []
    : [
        warning('vpc-dns', {
          vips: [vip.name],
          subject: vip.vpc,
          found: 'DNS resolution is off: the VPC’s resolver answers no node that asks where EventBridge is',
          expected: 'on, or a resolver of their own for the nodes',
          remedy: {
            command: awsCommand(
              `ec2 modify-vpc-attribute --vpc-id ${vip.vpc} --enable-dns-support Value=true`,
              place,
            ),
          },
        }),
      ];

function blockedOn(facts: NetworkFacts, eni: EniFact): Blocked | undefined {
  const named = endpointFor(facts.way!, 'events');
  return named === undefined ? byRoute(facts, eni) : byEndpoint(facts, eni, named);
}

/** The one to which the service's public name leads in the VPC, whatever the routes say. */
export const endpointFor = (
  { endpoints, dns }: WayFacts,
  service: EndpointFact['service'],
): EndpointFact | undefined =>
  dns ? endpoints.find((e) => e.service === service && e.privateDns && e.state === 'available') : undefined;

function byEndpoint(facts: NetworkFacts, eni: EniFact, endpoint: EndpointFact): Blocked | undefined {
  const at: EniFact = { ...eni, eni: endpoint.endpoint, groups: endpoint.groups };
  const text = blockedAt(facts, { from: eni, to: at, protocol: 'tcp', port: HTTPS });
  return text === undefined
    ? undefined
    : { found: `${text.found} (on the way to ${endpoint.endpoint})`, remedy: text.remedy };
}

const isDefault = ({ destination }: RouteFact): boolean =>
  destination === '0.0.0.0/0' || destination === '::/0';

function byRoute(facts: NetworkFacts, eni: EniFact): Blocked | undefined {
  const table = tableOfSubnet(facts, eni.subnet);
  if (table === undefined) return undefined;
  const family = eni.address === '' ? '::/0' : '0.0.0.0/0';
  const route = table.outward.find((r) => r.destination === family);
  if (route === undefined || route.state !== 'active') return noRoute(facts, table, eni, route);
  const dead = deadEnd(facts, eni, route);
  if (dead !== undefined) return dead;
  return blockedAt(facts, { from: eni, to: 'internet', protocol: 'tcp', port: HTTPS });
}

export const tableOfSubnet = ({ tables }: NetworkFacts, subnet: string): TableFact | undefined =>
  tables.find((t) => t.subnets.includes(subnet)) ?? tables.find((t) => t.main);

function noRoute(
  facts: NetworkFacts,
  { table, outward }: TableFact,
  eni: EniFact,
  route: RouteFact | undefined,
): Blocked {
  const { region } = facts.way!;
  const endpoints = facts.way!.endpoints.filter(({ service }) => service === 'events');
  const found =
    route === undefined
      ? `${table}, the table of ${eni.subnet}, has no default route, and ${endpoints.length === 0 ? 'the VPC has no endpoint for EventBridge' : `${endpoints.map((e) => e.endpoint).join(', ')} does not answer to its public name`}`
      : `the default route of ${table} to ${route.target} is a ${route.state}`;
  const [endpoint] = endpoints;
  if (endpoint !== undefined && route === undefined)
    return {
      found,
      remedy: {
        command: awsCommand(
          `ec2 modify-vpc-endpoint --vpc-endpoint-id ${endpoint.endpoint} --private-dns-enabled`,
          facts.place,
        ),
        remark: 'both DNS attributes of the VPC have to be on',
      },
    };
  const like = facts.tables
    .filter((t) => t.table !== table)
    .flatMap((t) => t.outward)
    .find((r) => isDefault(r) && r.state === 'active' && deadEnd(facts, eni, r) === undefined);
  const has = outward.some(isDefault);
  if (like !== undefined)
    return {
      found,
      remedy: {
        command: awsCommand(
          `ec2 ${has ? 'replace-route' : 'create-route'} --route-table-id ${table} ${like.destination.includes(':') ? '--destination-ipv6-cidr-block' : '--destination-cidr-block'} ${like.destination} ${targetOption(like.target)} ${like.target}`,
          facts.place,
        ),
        remark: 'as another table of the VPC has it',
      },
    };
  return {
    found,
    remedy: {
      command: awsCommand(
        `ec2 create-vpc-endpoint --vpc-id ${facts.vip.vpc} --vpc-endpoint-type Interface --service-name com.amazonaws.${region}.events --subnet-ids ${eni.subnet} --private-dns-enabled`,
        facts.place,
      ),
      remark: 'or a default route to a NAT or Internet gateway',
    },
  };
}

/** Clients on the Internet: an Elastic IP works where the subnet's default route leads to an Internet gateway. */
export function eipWayFindings(facts: NetworkFacts, { node, eipEni }: Member): readonly Finding[] {
  const { vip, tables } = facts;
  const eni = facts.enis.find((e) => e.eni === eipEni);
  const table = eni === undefined ? undefined : tableOfSubnet(facts, eni.subnet);
  if (vip.eips.length === 0 || eni === undefined || table === undefined) return [];
  const route = table.outward.find((r) => r.destination === '0.0.0.0/0');
  if (route?.state === 'active' && !route.target.startsWith('nat-')) return [];
  const gateway = tables.flatMap((t) => t.outward).find((r) => isDefault(r) && r.target.startsWith('igw-'));
  return [
    fault('eip-way', {
      vips: [vip.name],
      subject: eni.eni,
      found: `${table.table}, the table of its subnet ${eni.subnet}, ${route === undefined ? 'has no default route' : `has the default route ${route.target} (${route.state})`}: no packet to an Elastic IP on ${node} is answered`,
      expected: 'a default route to an Internet gateway',
      remedy: {
        command: awsCommand(
          `ec2 ${route === undefined ? 'create-route' : 'replace-route'} --route-table-id ${table.table} --destination-cidr-block 0.0.0.0/0 --gateway-id ${gateway?.target ?? 'GATEWAY'}`,
          facts.place,
        ),
        ...(gateway === undefined ? { remark: 'GATEWAY: the VPC’s Internet gateway' } : {}),
      },
    }),
  ];
}

const targetOption = (target: string): string =>
  target.startsWith('nat-')
    ? '--nat-gateway-id'
    : target.startsWith('tgw-')
      ? '--transit-gateway-id'
      : target.startsWith('eni-')
        ? '--network-interface-id'
        : target.startsWith('eigw-')
          ? '--egress-only-internet-gateway-id'
          : '--gateway-id';

/** A default route by which no answer comes back. */
function deadEnd(facts: NetworkFacts, eni: EniFact, { target }: RouteFact): Blocked | undefined {
  if (target.startsWith('igw-') && eni.hasPublic === false && eni.address !== '')
    return {
      found: `${eni.eni} has no public address, and the default route of ${eni.subnet} leads to ${target}`,
      remedy: {
        command: awsCommand(
          `ec2 associate-address --allocation-id ALLOCATION --network-interface-id ${eni.eni}`,
          facts.place,
        ),
        remark: 'ALLOCATION: an Elastic IP of the node’s own, none of a VIP; or a NAT gateway or an endpoint',
      },
    };
  if (!target.startsWith('nat-')) return undefined;
  const nat = facts.way!.nats.find((n) => n.nat === target);
  if (nat === undefined) return undefined;
  const see = {
    sentence: `see ${awsCommand(`ec2 describe-nat-gateways --nat-gateway-ids ${target}`, facts.place)}`,
  };
  if (nat.state !== 'available') return { found: `${target} is ${nat.state}`, remedy: see };
  const beyond = tableOfSubnet(facts, nat.subnet)?.outward.find((r) => r.destination === '0.0.0.0/0');
  if (beyond?.state === 'active' && (!nat.isPublic || beyond.target.startsWith('igw-'))) return undefined;
  return {
    found: `${target} is in ${nat.subnet}, whose table has no ${nat.isPublic ? 'default route to an Internet gateway' : 'default route'}`,
    remedy: { sentence: `a default route in the table of ${nat.subnet}` },
  };
}
