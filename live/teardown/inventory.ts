// Inventory: every kind of thing that a run makes, in the order in which it has to be removed; how it is found, and how taken away.
//
// Invariant: what is found is the run's alone: by its tag, by its VPC, or by a name that has its id. The VPC is last, since it says
// which stage the run had.
import {
  DeleteInternetGatewayCommand,
  DeleteNetworkInterfaceCommand,
  DeleteRouteTableCommand,
  DeleteSecurityGroupCommand,
  DeleteSubnetCommand,
  DeleteVolumeCommand,
  DeleteVpcCommand,
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  DetachInternetGatewayCommand,
  DisassociateRouteTableCommand,
  type EC2Client,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { RUN_TAG, type Run } from '../run-id.ts';

export interface Kind {
  readonly what: string;
  /** The ids of those that are there. */
  find(): Promise<readonly string[]>;
  take(id: string): Promise<unknown>;
  /** How long those that were taken may still be there; not at all by default. */
  readonly lingersMs?: number;
}

/** A machine that shuts down takes a minute or two. */
const SHUTDOWN_MS = 300_000;

export function ec2Kinds(ec2: EC2Client, run: Run): readonly Kind[] {
  const Filters = [{ Name: `tag:${RUN_TAG}`, Values: [run.id] }];
  return [
    {
      what: 'instance',
      lingersMs: SHUTDOWN_MS,
      async find() {
        const states = {
          Name: 'instance-state-name',
          Values: ['pending', 'running', 'shutting-down', 'stopping', 'stopped'],
        };
        const { Reservations = [] } = await ec2.send(
          new DescribeInstancesCommand({ Filters: [...Filters, states] }),
        );
        return idsOf(
          Reservations.flatMap(({ Instances = [] }) => Instances),
          'InstanceId',
        );
      },
      take: (id) => ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] })),
    },
    {
      what: 'network interface',
      find: async () => {
        const { NetworkInterfaces = [] } = await ec2.send(new DescribeNetworkInterfacesCommand({ Filters }));
        // One that is in use goes with its instance, and cannot go before.
        return idsOf(
          NetworkInterfaces.filter(({ Status }) => Status !== 'in-use'),
          'NetworkInterfaceId',
        );
      },
      take: (NetworkInterfaceId) => ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId })),
    },
    {
      what: 'volume',
      find: async () => idsOf((await ec2.send(new DescribeVolumesCommand({ Filters }))).Volumes, 'VolumeId'),
      take: (VolumeId) => ec2.send(new DeleteVolumeCommand({ VolumeId })),
    },
    {
      what: 'route table',
      find: async () =>
        idsOf((await ec2.send(new DescribeRouteTablesCommand({ Filters }))).RouteTables, 'RouteTableId'),
      take: (id) => takeTable(ec2, id),
    },
    {
      what: 'internet gateway',
      find: async () =>
        idsOf(
          (await ec2.send(new DescribeInternetGatewaysCommand({ Filters }))).InternetGateways,
          'InternetGatewayId',
        ),
      take: (id) => takeGateway(ec2, id),
    },
    {
      what: 'subnet',
      find: async () => idsOf((await ec2.send(new DescribeSubnetsCommand({ Filters }))).Subnets, 'SubnetId'),
      take: (SubnetId) => ec2.send(new DeleteSubnetCommand({ SubnetId })),
    },
    {
      what: 'security group',
      find: async () =>
        idsOf((await ec2.send(new DescribeSecurityGroupsCommand({ Filters }))).SecurityGroups, 'GroupId'),
      take: (GroupId) => ec2.send(new DeleteSecurityGroupCommand({ GroupId })),
    },
    {
      what: 'VPC',
      find: async () => idsOf((await ec2.send(new DescribeVpcsCommand({ Filters }))).Vpcs, 'VpcId'),
      take: (VpcId) => ec2.send(new DeleteVpcCommand({ VpcId })),
    },
  ];
}

const idsOf = <K extends string>(
  things: readonly { readonly [key in K]?: string | undefined }[] = [],
  key: K,
) => things.map((thing) => thing[key]!);

async function takeTable(ec2: EC2Client, id: string): Promise<void> {
  const { RouteTables = [] } = await ec2.send(new DescribeRouteTablesCommand({ RouteTableIds: [id] }));
  for (const { RouteTableAssociationId, Main } of RouteTables[0]?.Associations ?? [])
    if (Main !== true)
      await ec2.send(new DisassociateRouteTableCommand({ AssociationId: RouteTableAssociationId }));
  await ec2.send(new DeleteRouteTableCommand({ RouteTableId: id }));
}

async function takeGateway(ec2: EC2Client, id: string): Promise<void> {
  const { InternetGateways = [] } = await ec2.send(
    new DescribeInternetGatewaysCommand({ InternetGatewayIds: [id] }),
  );
  for (const { VpcId } of InternetGateways[0]?.Attachments ?? [])
    if (VpcId !== undefined)
      await ec2.send(new DetachInternetGatewayCommand({ InternetGatewayId: id, VpcId }));
  await ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId: id }));
}
