import {
  AllocateAddressCommand,
  AssignPrivateIpAddressesCommand,
  AssociateAddressCommand,
  CreateRouteCommand,
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { buildVpc, type LabVpc } from '../../lab/aws/stack/vpc.ts';
import { describeVpc, nameOf } from '../../lab/aws/stack/vpc-view.ts';

let aws: LocalAws;
let ec2: EC2Client;
let vpc: LabVpc;

beforeAll(async () => {
  aws = await startLocalAws();
  const credentials = { accessKeyId: aws.accountId, secretAccessKey: 'local' };
  ec2 = new EC2Client({ endpoint: aws.ec2Endpoint, region: aws.region, credentials });
  vpc = await buildVpc(ec2, { stage: 'dev', label: 'web' });
});
afterAll(() => aws?.stop());

describe('the lab network', () => {
  it('has six route tables, four of them labelled, none with a route to the VIP yet', async () => {
    const { tables } = await describeVpc(ec2, vpc);
    expect(tables.map(({ labelled }) => labelled)).toEqual([true, true, true, true, false, false]);
    for (const { ipv4, ipv6, others } of tables) {
      expect([ipv4, ipv6]).toEqual([undefined, undefined]);
      expect(others).toContainEqual({
        destination: '0.0.0.0/0',
        target: vpc.internetGatewayId,
        state: 'active',
      });
      expect(others).toContainEqual({ destination: vpc.cidr, target: 'local', state: 'active' });
    }
  });

  it('has a node in each zone with a public address of its own, and a free EIP for the VIP', async () => {
    const { eip, own, sourceDestCheck } = await describeVpc(ec2, vpc);
    const { a, b } = vpc.nodes;
    expect([a.zone, b.zone]).toEqual(['eu-central-1a', 'eu-central-1b']);
    expect([a.primaryAddress, b.primaryAddress]).toEqual(['10.0.1.10', '10.0.2.10']);
    expect([own.a.eni, own.b.eni]).toEqual([a.primaryEni, b.primaryEni]);
    expect(eip.eni).toBeUndefined();
    expect(sourceDestCheck).toEqual({ [a.serviceEni]: false, [b.serviceEni]: false });
  });

  it('labels the service ENIs and, with a suffix, the EIP ENIs, and no other', async () => {
    const Filters = [{ Name: 'tag-key', Values: ['vipshift:dev'] }];
    const { NetworkInterfaces } = await ec2.send(new DescribeNetworkInterfacesCommand({ Filters }));
    const labels = NetworkInterfaces!.map((eni) => [
      eni.NetworkInterfaceId,
      eni.TagSet!.find(({ Key }) => Key === 'vipshift:dev')!.Value,
    ]);
    const { a, b } = vpc.nodes;
    expect(Object.fromEntries(labels)).toEqual({
      [a.serviceEni]: 'web',
      [b.serviceEni]: 'web',
      [a.eipEni]: 'web:eip',
      [b.eipEni]: 'web:eip',
    });
  });

  it('shows where the VIP goes, with names for people', async () => {
    const { routeTableId } = vpc.tables[0]!;
    const { serviceEni } = vpc.nodes.b;
    const route = { DestinationCidrBlock: vpc.vip.ipv4, NetworkInterfaceId: serviceEni };
    await ec2.send(new CreateRouteCommand({ RouteTableId: routeTableId, ...route }));
    const { tables } = await describeVpc(ec2, vpc);
    expect(tables.map(({ ipv4 }) => nameOf(vpc, ipv4))).toEqual(['node-b', '-', '-', '-', '-', '-']);
  });

  it('shows an EIP at its private address, as EC2 does, and throws off the one that lay there', async () => {
    const { eipEni } = vpc.nodes.b;
    const { AllocationId: other } = await ec2.send(new AllocateAddressCommand({ Domain: 'vpc' }));
    const lay = (AllocationId: string, PrivateIpAddress?: string) =>
      ec2.send(
        new AssociateAddressCommand({
          ...{ AllocationId, NetworkInterfaceId: eipEni, AllowReassociation: true },
          ...(PrivateIpAddress === undefined ? {} : { PrivateIpAddress }),
        }),
      );
    const shown = async () => {
      const { NetworkInterfaces } = await ec2.send(
        new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [eipEni] }),
      );
      return NetworkInterfaces![0]!.PrivateIpAddresses!.map((one) => [
        one.PrivateIpAddress,
        one.Association?.AllocationId,
      ]);
    };
    const places = async () => {
      const { Addresses } = await ec2.send(
        new DescribeAddressesCommand({ AllocationIds: [vpc.eip.allocationId, other!] }),
      );
      return Addresses!.map((one) => [one.AllocationId, one.PrivateIpAddress || undefined]);
    };
    await ec2.send(
      new AssignPrivateIpAddressesCommand({ NetworkInterfaceId: eipEni, PrivateIpAddresses: ['10.0.2.31'] }),
    );
    await lay(vpc.eip.allocationId);
    await lay(other!, '10.0.2.31');
    expect(await shown()).toEqual([
      ['10.0.2.30', vpc.eip.allocationId],
      ['10.0.2.31', other],
    ]);
    expect(new Map((await places()) as [string, string][])).toEqual(
      new Map([
        [vpc.eip.allocationId, '10.0.2.30'],
        [other, '10.0.2.31'],
      ]),
    );
    await lay(other!, '10.0.2.30');
    expect(await shown()).toEqual([
      ['10.0.2.30', other],
      ['10.0.2.31', undefined],
    ]);
    expect(new Map((await places()) as [string, string][]).get(vpc.eip.allocationId)).toBeUndefined();
  });

  it('can be built beside another of the same addresses', async () => {
    const second = await buildVpc(ec2, { stage: 'dev', label: 'db' });
    expect(second.vpcId).not.toBe(vpc.vpcId);
    expect((await describeVpc(ec2, second)).tables).toHaveLength(6);
  });
});
