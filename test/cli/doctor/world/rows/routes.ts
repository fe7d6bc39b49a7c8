// Rows of routes and tables.

import { TAG, V4, V6 } from '../names.ts';
import { eni, type Row, route, table, unroute } from './row.ts';

export const routes: readonly Row[] = [
  {
    what: 'a labelled table that serves no subnet',
    check: 'table-unused',
    seed: (world) => {
      table(world, 'rtb-clients-a').Associations = [];
      table(world, 'rtb-main').Tags = [{ Key: TAG, Value: '-' }];
    },
  },
  {
    what: 'a subnet moved to an untagged table',
    check: 'table-unlabelled',
    seed: (world) => {
      const from = table(world, 'rtb-clients-a');
      world.tables.push({ ...from, RouteTableId: 'rtb-new', Tags: [], Routes: [] });
      from.Associations = [];
    },
  },
  {
    what: 'a subnet that falls back to the main table',
    check: 'main-table-unlabelled',
    seed: (world) => {
      table(world, 'rtb-clients-a').Associations = [];
    },
  },
  {
    what: 'one table that points to the standby',
    check: 'route-drift',
    seed: (world) =>
      route(world, 'rtb-clients-b', { DestinationCidrBlock: V4, NetworkInterfaceId: 'eni-service-b' }),
  },
  {
    what: 'a missing route',
    check: 'route-missing',
    seed: (world) => unroute(world, 'rtb-clients-b', V4),
  },
  {
    what: 'a missing route of IPv6',
    check: 'route-missing',
    seed: (world) => unroute(world, 'rtb-nodes-b', V6),
  },
  {
    what: 'a route to a stranger’s ENI',
    check: 'route-foreign',
    byHand: true,
    seed: (world) => {
      world.enis.push({
        ...eni(world, 'eni-primary-a'),
        NetworkInterfaceId: 'eni-foreign',
        TagSet: [],
        Attachment: { InstanceId: 'i-foreign', DeviceIndex: 0 },
      });
      route(world, 'rtb-clients-b', { DestinationCidrBlock: V4, NetworkInterfaceId: 'eni-foreign' });
    },
  },
  {
    what: 'a route to an ENI that is gone: a blackhole',
    check: 'route-drift',
    seed: (world) =>
      route(world, 'rtb-clients-b', { DestinationCidrBlock: V4, NetworkInterfaceId: 'eni-gone' }),
  },
  {
    what: 'a route that a gateway propagates in the VIP’s place',
    check: 'route-missing',
    seed: (world) => {
      unroute(world, 'rtb-clients-b', V4);
      route(world, 'rtb-clients-b', {
        DestinationCidrBlock: V4,
        GatewayId: 'vgw-1',
        Origin: 'EnableVgwRoutePropagation',
      });
    },
  },
  {
    what: 'a broader route over a peering',
    check: 'address-elsewhere',
    byHand: true,
    seed: (world) =>
      route(world, 'rtb-clients-a', {
        DestinationCidrBlock: '192.168.0.0/16',
        VpcPeeringConnectionId: 'pcx-1',
      }),
  },
  {
    what: 'a peering that a table routes to',
    check: 'peering',
    byHand: true,
    seed: (world) =>
      route(world, 'rtb-clients-a', { DestinationCidrBlock: '10.9.0.0/16', VpcPeeringConnectionId: 'pcx-1' }),
  },
  {
    what: 'a transit gateway that a table routes to',
    check: 'transit-gateway',
    byHand: true,
    seed: (world) =>
      route(world, 'rtb-data-a', { DestinationCidrBlock: '172.16.0.0/12', TransitGatewayId: 'tgw-1' }),
  },
  {
    what: 'the VIP over a transit gateway in a table that is left out',
    check: 'table-routed',
    seed: (world) => route(world, 'rtb-data-a', { DestinationCidrBlock: V4, TransitGatewayId: 'tgw-1' }),
  },
  {
    what: 'the VIP to a member in a table that is left out',
    check: 'table-routed',
    seed: (world) =>
      route(world, 'rtb-data-b', { DestinationCidrBlock: V4, NetworkInterfaceId: 'eni-service-a' }),
  },
  {
    what: 'a route of a former address to a member',
    check: 'route-left-over',
    seed: (world) =>
      route(world, 'rtb-data-a', {
        DestinationCidrBlock: '192.168.255.99/32',
        NetworkInterfaceId: 'eni-service-a',
      }),
  },
  {
    what: 'a labelled table in another VPC',
    check: 'table-elsewhere',
    seed: (world) =>
      void world.tables.push({
        ...table(world, 'rtb-clients-a'),
        RouteTableId: 'rtb-far',
        VpcId: 'vpc-far',
        Associations: [],
      }),
  },
  {
    what: 'a labelled gateway table',
    check: 'gateway-table',
    seed: (world) =>
      void world.tables.push({
        ...table(world, 'rtb-clients-a'),
        RouteTableId: 'rtb-edge',
        Routes: [],
        Associations: [{ GatewayId: 'igw-1', Main: false }],
      }),
  },
];
