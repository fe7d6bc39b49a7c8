// An account of the local AWS as the live harness's tests see it: whatever is in it beside what every new account has, asked of the
// emulators directly and not by the harness's own tags.
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import {
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeLaunchTemplatesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { IAMClient, ListInstanceProfilesCommand, ListRolesCommand } from '@aws-sdk/client-iam';
import type { LocalAws } from '../../lab/aws/local-aws.ts';

export const accessTo = (aws: LocalAws, endpoint: string) => ({
  endpoint,
  region: aws.region,
  credentials: { accessKeyId: aws.accountId, secretAccessKey: 'local' },
  maxAttempts: 1,
});

/** `kind id` of everything that was made. */
export async function contents(aws: LocalAws): Promise<readonly string[]> {
  const ec2 = new EC2Client(accessTo(aws, aws.ec2Endpoint));
  const iam = new IAMClient(accessTo(aws, aws.ec2Endpoint));
  const dynamo = new DynamoDBClient(accessTo(aws, aws.endpoint));
  const cloudFormation = new CloudFormationClient(accessTo(aws, aws.endpoint));
  try {
    const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({}));
    const own = (vpc: string | undefined) => Vpcs.find(({ VpcId }) => VpcId === vpc)?.IsDefault !== true;
    const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({}));
    const { RouteTables = [] } = await ec2.send(new DescribeRouteTablesCommand({}));
    const { InternetGateways = [] } = await ec2.send(new DescribeInternetGatewaysCommand({}));
    const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}));
    const { NetworkInterfaces = [] } = await ec2.send(new DescribeNetworkInterfacesCommand({}));
    // Terminated ones are described, too, a hundred to a page: those that are meant would not be on the first.
    const Values = ['pending', 'running', 'shutting-down', 'stopping', 'stopped'];
    const Filters = [{ Name: 'instance-state-name', Values }];
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({ Filters }));
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({}));
    const { Roles = [] } = await iam.send(new ListRolesCommand({}));
    const { InstanceProfiles = [] } = await iam.send(new ListInstanceProfilesCommand({}));
    const { LaunchTemplates = [] } = await ec2.send(new DescribeLaunchTemplatesCommand({}));
    const { Stacks = [] } = await cloudFormation.send(new DescribeStacksCommand({}));
    const { TableNames = [] } = await dynamo.send(new ListTablesCommand({}));
    const living = Reservations.flatMap(({ Instances = [] }) => Instances);
    return [
      ...Vpcs.filter(({ VpcId }) => own(VpcId)).map(({ VpcId }) => `vpc ${VpcId}`),
      ...Subnets.filter(({ VpcId }) => own(VpcId)).map(({ SubnetId }) => `subnet ${SubnetId}`),
      ...RouteTables.filter(({ VpcId }) => own(VpcId)).map(({ RouteTableId }) => `table ${RouteTableId}`),
      ...InternetGateways.map(({ InternetGatewayId }) => `gateway ${InternetGatewayId}`),
      ...SecurityGroups.filter(({ VpcId }) => own(VpcId)).map(({ GroupId }) => `group ${GroupId}`),
      ...NetworkInterfaces.map(({ NetworkInterfaceId }) => `eni ${NetworkInterfaceId}`),
      ...living.map(({ InstanceId }) => `instance ${InstanceId}`),
      ...Volumes.map(({ VolumeId }) => `volume ${VolumeId}`),
      ...LaunchTemplates.map(({ LaunchTemplateId }) => `template ${LaunchTemplateId}`),
      ...Stacks.map(({ StackName }) => `stack ${StackName}`),
      ...Roles.map(({ RoleName }) => `role ${RoleName}`),
      ...InstanceProfiles.map(({ InstanceProfileName }) => `profile ${InstanceProfileName}`),
      ...TableNames.map((table) => `dynamo ${table}`),
    ];
  } finally {
    for (const client of [ec2, iam, dynamo, cloudFormation]) client.destroy();
  }
}
