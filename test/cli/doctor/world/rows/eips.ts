// Rows of Elastic IPs.

import { EIP, TAG } from '../names.ts';
import { vip, type World } from '../world.ts';
import { acl, eip, eni, type Row, table } from './row.ts';

const at = (world: World, ENI: string | undefined, address?: string) => {
  delete eip(world).NetworkInterfaceId;
  delete eip(world).PrivateIpAddress;
  if (ENI !== undefined) Object.assign(eip(world), { NetworkInterfaceId: ENI, PrivateIpAddress: address });
};
export const eips: readonly Row[] = [
  {
    what: 'an EIP on a NAT gateway',
    check: 'eip-foreign',
    byHand: true,
    seed: (world) => {
      const { Attachment: _attachment, ...nat } = eni(world, 'eni-primary-a');
      world.enis.push({
        ...nat,
        NetworkInterfaceId: 'eni-nat',
        InterfaceType: 'natGateway',
        TagSet: [],
        PrivateIpAddress: '10.0.1.99',
        PrivateIpAddresses: [],
      });
      at(world, 'eni-nat', '10.0.1.99');
    },
  },
  {
    what: 'an EIP on a stranger’s instance',
    check: 'eip-foreign',
    seed: (world) => {
      world.enis.push({
        ...eni(world, 'eni-primary-a'),
        NetworkInterfaceId: 'eni-foreign',
        TagSet: [],
        PrivateIpAddress: '10.0.1.98',
        Attachment: { InstanceId: 'i-foreign', DeviceIndex: 0, Status: 'attached' },
      });
      at(world, 'eni-foreign', '10.0.1.98');
    },
  },
  {
    what: 'an EIP on the primary ENI',
    check: 'eip-on-primary',
    seed: (world) => {
      eni(world, 'eni-primary-a').PrivateIpAddresses!.push({ PrivateIpAddress: '10.0.1.11', Primary: false });
      at(world, 'eni-primary-a', '10.0.1.11');
    },
  },
  {
    what: 'an EIP that is associated with nothing',
    check: 'eip-drift',
    seed: (world) => at(world, undefined),
  },
  { what: 'an EIP at the standby', check: 'eip-drift', seed: (world) => at(world, 'eni-eip-b', '10.0.2.30') },
  {
    what: 'an EIP that is gone',
    check: 'eip-gone',
    seed: (world) => {
      world.addresses = world.addresses.filter((one) => one.AllocationId !== EIP);
    },
  },
  {
    what: 'a second VIP’s EIP on the same ENIs, of one address each',
    check: 'eip-no-room',
    seed: (world) => {
      world.addresses.push({
        AllocationId: 'eipalloc-0pub',
        NetworkBorderGroup: 'eu-central-1',
        Tags: [{ Key: TAG, Value: 'pub' }],
      });
      const { members, claims, heard } = world.vips[0]!;
      world.vips.push({ ...vip('pub', { addresses: [], eips: ['eipalloc-0pub'] }), members, claims, heard });
      world.viewsAtMs.pub = world.viewsAtMs.web;
      delete (world.vips[1] as { owner?: string }).owner;
    },
  },
  {
    what: 'a foreign EIP on the standby’s only address',
    check: 'eip-no-room',
    seed: (world) =>
      void world.addresses.push({
        AllocationId: 'eipalloc-0foreign',
        PublicIp: '203.0.113.99',
        NetworkInterfaceId: 'eni-eip-b',
        PrivateIpAddress: '10.0.2.30',
      }),
  },
  {
    what: 'an EIP ENI without IPv4',
    check: 'eip-no-room',
    byHand: true,
    seed: (world) =>
      Object.assign(eni(world, 'eni-eip-b'), { PrivateIpAddress: undefined, PrivateIpAddresses: [] }),
  },
  {
    what: 'an EIP of another network border group',
    check: 'eip-border-group',
    byHand: true,
    seed: (world) => {
      eip(world).NetworkBorderGroup = 'eu-central-1-ham-1';
    },
  },
  {
    what: 'the EIP ENI of the standby in a subnet without an Internet gateway',
    check: 'eip-way',
    seed: (world) => {
      world.subnets.push({
        ...world.subnets.find((one) => one.SubnetId === 'subnet-nodes-b')!,
        SubnetId: 'subnet-eip-b',
        CidrBlock: '10.0.32.0/24',
      });
      world.tables.push({
        ...table(world, 'rtb-data-b'),
        RouteTableId: 'rtb-eip-b',
        Associations: [{ SubnetId: 'subnet-eip-b', Main: false }],
      });
      acl(world).Associations!.push({ SubnetId: 'subnet-eip-b' });
      eni(world, 'eni-eip-b').SubnetId = 'subnet-eip-b';
    },
  },
];
