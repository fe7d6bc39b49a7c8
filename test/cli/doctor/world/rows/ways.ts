// Rows of the way to the bus.

import { ACCOUNT, BUS_ARN, VPC } from '../names.ts';
import type { World } from '../world.ts';
import { group, type Row, route, unroute } from './row.ts';

export const ways: readonly Row[] = [
  {
    what: 'the default route of the standby’s subnet gone',
    check: 'bus-way',
    seed: (world) => unroute(world, 'rtb-nodes-b', '0.0.0.0/0'),
  },
  {
    what: 'the default route of the standby’s subnet to a NAT gateway that failed',
    check: 'bus-way',
    seed: (world) => {
      world.nats.push({
        NatGatewayId: 'nat-1',
        VpcId: VPC,
        SubnetId: 'subnet-data-a',
        State: 'failed',
        ConnectivityType: 'public',
      });
      route(world, 'rtb-nodes-b', { DestinationCidrBlock: '0.0.0.0/0', NatGatewayId: 'nat-1' });
    },
  },
  {
    what: 'a NAT gateway in a subnet without a way to the Internet',
    check: 'bus-way',
    byHand: true,
    seed: (world) => {
      world.nats.push({
        NatGatewayId: 'nat-1',
        VpcId: VPC,
        SubnetId: 'subnet-data-a',
        State: 'available',
        ConnectivityType: 'public',
      });
      route(world, 'rtb-nodes-b', { DestinationCidrBlock: '0.0.0.0/0', NatGatewayId: 'nat-1' });
    },
  },
  {
    what: 'a node without a public address behind an Internet gateway',
    check: 'bus-way',
    byHand: true,
    seed: (world) => {
      world.addresses = world.addresses.filter((one) => one.NetworkInterfaceId !== 'eni-primary-b');
    },
  },
  {
    what: 'an endpoint for EventBridge without private DNS, and no default route',
    check: 'bus-way',
    seed: (world) => {
      unroute(world, 'rtb-nodes-b', '0.0.0.0/0');
      unroute(world, 'rtb-nodes-a', '0.0.0.0/0');
      world.endpoints.push(endpointOf(false));
    },
  },
  {
    what: 'an endpoint for EventBridge whose group lets nothing in',
    check: 'bus-way',
    seed: (world) => {
      world.endpoints.push(endpointOf(true));
      world.groups.push({ ...group(world), GroupId: 'sg-endpoint', IpPermissions: [] });
    },
  },
  {
    what: 'a VPC without DNS resolution',
    check: 'vpc-dns',
    seed: (world) => {
      world.dns.enableDnsSupport = false;
    },
  },
  {
    what: 'an endpoint for EventBridge whose policy names another role',
    check: 'endpoint-policy',
    seed: (world) =>
      guarded(world, 'events', {
        ...anyone,
        ...{ Action: 'events:*', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/other's` } },
      }),
  },
  {
    what: 'an endpoint for EventBridge whose policy denies the bus',
    check: 'endpoint-policy',
    seed: (world) =>
      guarded(world, 'events', [
        { ...anyone, Action: '*' },
        { ...anyone, Effect: 'Deny', Action: 'events:PutEvents', Resource: BUS_ARN },
      ]),
  },
  {
    what: 'an endpoint for EventBridge whose policy lets other buses through',
    check: 'endpoint-policy',
    seed: (world) =>
      guarded(world, 'events', { ...anyone, Action: 'events:*', Resource: `${BUS_ARN}-other` }),
  },
  {
    what: 'an endpoint for STS whose policy lets a role be taken, and nothing else',
    check: 'endpoint-policy',
    seed: (world) => guarded(world, 'sts', { ...anyone, Action: 'sts:AssumeRole' }),
  },
];

/** By which every node goes, with this policy. */
const guarded = (world: World, service: 'events' | 'sts', Statement: object) => {
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  world.endpoints.push({
    ...endpointOf(true),
    ...{ ServiceName: `com.amazonaws.eu-central-1.${service}`, PolicyDocument },
    Groups: [{ GroupId: 'sg-nodes' }],
  });
};
const anyone = { Effect: 'Allow', Principal: '*', Resource: '*' };

const endpointOf = (PrivateDnsEnabled: boolean) => ({
  ...{ VpcEndpointId: 'vpce-1', VpcId: VPC, ServiceName: 'com.amazonaws.eu-central-1.events' },
  ...({ VpcEndpointType: 'Interface', State: 'Available', PrivateDnsEnabled } as const),
  Groups: [{ GroupId: PrivateDnsEnabled ? 'sg-endpoint' : 'sg-nodes' }],
});
