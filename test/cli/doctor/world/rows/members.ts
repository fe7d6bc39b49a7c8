// Rows of nodes and their ENIs.

import { nodes, V4 } from '../names.ts';
import { eni, type Row, retag, route, unroute } from './row.ts';

export const members: readonly Row[] = [
  {
    what: 'source/destination check on',
    check: 'source-dest-check',
    seed: (world) => {
      eni(world, 'eni-service-b').SourceDestCheck = true;
    },
  },
  {
    what: 'source/destination check on where replies leave',
    check: 'source-dest-check-egress',
    seed: (world) => {
      eni(world, 'eni-primary-b').SourceDestCheck = true;
    },
  },
  {
    what: 'a standby that is stopped',
    check: 'node-not-running',
    seed: (world) => {
      world.instances[1]!.State = { Name: 'stopped' };
    },
  },
  {
    what: 'a standby that is being stopped',
    check: 'node-not-running',
    byHand: true,
    seed: (world) => {
      world.instances[1]!.State = { Name: 'stopping' };
    },
  },
  {
    what: 'a standby that is terminated',
    check: 'node-not-running',
    byHand: true,
    seed: (world) => void world.instances.splice(1, 1),
  },
  {
    what: 'a labelled ENI that is attached to nothing',
    check: 'eni-unattached',
    seed: (world) => {
      const { Attachment: _attachment, ...loose } = eni(world, 'eni-service-b');
      world.enis.push({ ...loose, NetworkInterfaceId: 'eni-loose' });
    },
  },
  {
    what: 'an ENI that is being detached',
    check: 'eni-unready',
    byHand: true,
    seed: (world) => {
      eni(world, 'eni-service-b').Attachment!.Status = 'detaching';
    },
  },
  {
    what: 'an instance in a third VPC',
    check: 'table-elsewhere',
    seed: (world) =>
      void world.enis.push({
        ...eni(world, 'eni-service-b'),
        NetworkInterfaceId: 'eni-far',
        VpcId: 'vpc-far',
        Attachment: { InstanceId: 'i-far', DeviceIndex: 1 },
      }),
  },
  {
    what: 'two labelled ENIs on a node',
    check: 'eni-twice',
    seed: (world) => retag(world, 'eni-primary-b', 'web'),
  },
  {
    what: 'both nodes in one zone',
    check: 'one-zone',
    byHand: true,
    seed: (world) => {
      for (const one of world.enis) one.AvailabilityZone = 'eu-central-1a';
      const [web] = world.vips;
      const all = Object.fromEntries(
        Object.entries(web!.members).map(([node, m]) => [node, { ...m, zone: 'eu-central-1a' }]),
      );
      world.vips[0] = { ...web!, members: all };
    },
  },
  {
    what: 'a standby that withdrew',
    check: 'node-unfit',
    byHand: true,
    seed: (world) => {
      const [web] = world.vips;
      world.vips[0] = {
        ...web!,
        claims: { ...web!.claims, [nodes.b]: { ...web!.claims[nodes.b]!, state: 'FAULT' } },
      };
    },
  },
  {
    what: 'a standby that is not heard',
    check: 'shim-silent',
    byHand: true,
    seed: (world) => {
      const [web] = world.vips;
      world.vips[0] = {
        ...web!,
        claims: { ...web!.claims, [nodes.b]: { ...web!.claims[nodes.b]!, seenMs: 0 } },
      };
    },
  },
  {
    what: 'a shim that is too old',
    check: 'shim-old',
    byHand: true,
    seed: (world) => {
      world.shims[nodes.b] = '0.9.1';
    },
  },
  {
    what: 'a shim that is newer than the stack',
    check: 'shim-new',
    byHand: true,
    seed: (world) => {
      world.shims[nodes.b] = '99.0.0';
    },
  },
  {
    what: 'a table without room for the VIP’s routes',
    check: 'table-full',
    byHand: true,
    seed: (world) => {
      unroute(world, 'rtb-clients-a', V4);
      for (let n = 0; n < 500; n++)
        route(world, 'rtb-clients-a', {
          DestinationCidrBlock: `172.16.${n >> 8}.${n & 255}/32`,
          GatewayId: 'vgw-1',
        });
    },
  },
];
