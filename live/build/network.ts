// Network: the throw-away VPC of a run, made in the order in which its parts need each other.
//
// Invariant: each thing has the run's tag from the call on that makes it, so that also what was made while its reply got lost is found
// and removed. The VPC comes first and has the stage's tag, too.
import {
  AssociateRouteTableCommand,
  AttachInternetGatewayCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateInternetGatewayCommand,
  CreateRouteCommand,
  CreateRouteTableCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeAvailabilityZonesCommand,
  type EC2Client,
  type ResourceType,
  type Tag,
} from '@aws-sdk/client-ec2';
import { CIDR, ECHO_PORT, type MachineName, machines } from '../plan.ts';
import { RUN_TAG, type Run, STAGE_TAG } from '../run-id.ts';

export interface Network {
  readonly vpcId: string;
  readonly subnets: Readonly<Record<MachineName, string>>;
  readonly securityGroup: string;
  /** The labelled ones; the first is that of the probe's subnet. */
  readonly tables: readonly string[];
}

export interface Making {
  readonly ec2: EC2Client;
  readonly run: Run;
  /** Ends the building between two calls, or in one. */
  readonly signal: AbortSignal;
}

export const tagsFor = (run: Run, type: ResourceType, name: string, more: readonly Tag[] = []) => ({
  ResourceType: type,
  Tags: [{ Key: RUN_TAG, Value: run.id }, { Key: 'Name', Value: `${run.name}-${name}` }, ...more],
});

export async function makeNetwork(making: Making, tables: number): Promise<Network> {
  const { ec2, run, signal } = making;
  const at = { abortSignal: signal };
  const stage = { Key: STAGE_TAG, Value: `${run.ownStage ? 'own' : 'used'}:${run.stage}` };
  const created = await ec2.send(
    new CreateVpcCommand({ CidrBlock: CIDR, TagSpecifications: [tagsFor(run, 'vpc', 'vpc', [stage])] }),
    at,
  );
  const vpcId = created.Vpc!.VpcId!;
  const gateway = await makeGateway(making, vpcId);
  const subnets = await makeSubnets(making, vpcId);
  const securityGroup = await makeSecurityGroup(making, vpcId);
  const ofNodes = await makeTable(making, { vpcId, gateway, name: 'nodes' });
  await associate(making, ofNodes, subnets.a);
  await associate(making, ofNodes, subnets.b);
  const labelled: string[] = [];
  const tags = [{ Key: run.labelKey, Value: run.vip }];
  for (let n = 0; n < tables; n++)
    labelled.push(await makeTable(making, { vpcId, gateway, name: `vip-${n}`, tags }));
  await associate(making, labelled[0]!, subnets.probe);
  return { vpcId, subnets, securityGroup, tables: labelled };
}

async function makeGateway({ ec2, run, signal }: Making, vpcId: string): Promise<string> {
  const TagSpecifications = [tagsFor(run, 'internet-gateway', 'gateway')];
  const made = await ec2.send(new CreateInternetGatewayCommand({ TagSpecifications }), {
    abortSignal: signal,
  });
  const InternetGatewayId = made.InternetGateway!.InternetGatewayId!;
  await ec2.send(new AttachInternetGatewayCommand({ InternetGatewayId, VpcId: vpcId }), {
    abortSignal: signal,
  });
  return InternetGatewayId;
}

async function makeSubnets({ ec2, run, signal }: Making, vpcId: string): Promise<Network['subnets']> {
  const zones = await zonesOf(ec2, signal);
  const made: Partial<Record<MachineName, string>> = {};
  for (const { name, cidr, zone } of machines) {
    const { Subnet } = await ec2.send(
      new CreateSubnetCommand({
        VpcId: vpcId,
        CidrBlock: cidr,
        AvailabilityZone: zones[zone]!,
        TagSpecifications: [tagsFor(run, 'subnet', name)],
      }),
      { abortSignal: signal },
    );
    made[name] = Subnet!.SubnetId!;
  }
  return made as Record<MachineName, string>;
}

/** Without Local Zones and Wavelength, which have not everything. */
async function zonesOf(ec2: EC2Client, signal: AbortSignal): Promise<readonly [string, string]> {
  const filter = { Filters: [{ Name: 'state', Values: ['available'] }] };
  const { AvailabilityZones = [] } = await ec2.send(new DescribeAvailabilityZonesCommand(filter), {
    abortSignal: signal,
  });
  const zones = AvailabilityZones.filter(({ ZoneType }) => ZoneType === 'availability-zone')
    .map(({ ZoneName = '' }) => ZoneName)
    .toSorted();
  if (zones.length < 2)
    throw new Error(`the Region has ${zones.length} zones for us, expected two: take another one`);
  return [zones[0]!, zones[1]!];
}

async function makeSecurityGroup({ ec2, run, signal }: Making, vpcId: string): Promise<string> {
  const { GroupId } = await ec2.send(
    new CreateSecurityGroupCommand({
      VpcId: vpcId,
      GroupName: run.name,
      Description: 'vipshift drill: VRRP between the nodes, the echo for the VPC',
      TagSpecifications: [tagsFor(run, 'security-group', 'nodes')],
    }),
    { abortSignal: signal },
  );
  const inVpc = { IpRanges: [{ CidrIp: CIDR }] };
  const echo = { FromPort: ECHO_PORT, ToPort: ECHO_PORT, ...inVpc };
  // VRRP has no ports; EC2 wants the fields all the same where a protocol is a number.
  const vrrp = { IpProtocol: '112', FromPort: -1, ToPort: -1, ...inVpc };
  const IpPermissions = [vrrp, { IpProtocol: 'udp', ...echo }, { IpProtocol: 'tcp', ...echo }];
  await ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }), {
    abortSignal: signal,
  });
  return GroupId!;
}

interface PlannedTable {
  readonly vpcId: string;
  /** Where its default route leads. */
  readonly gateway: string;
  readonly name: string;
  readonly tags?: readonly Tag[];
}

async function makeTable(
  { ec2, run, signal }: Making,
  { vpcId, gateway, name, tags = [] }: PlannedTable,
): Promise<string> {
  const TagSpecifications = [tagsFor(run, 'route-table', name, tags)];
  const { RouteTable } = await ec2.send(new CreateRouteTableCommand({ VpcId: vpcId, TagSpecifications }), {
    abortSignal: signal,
  });
  const RouteTableId = RouteTable!.RouteTableId!;
  const out = { RouteTableId, GatewayId: gateway, DestinationCidrBlock: '0.0.0.0/0' };
  await ec2.send(new CreateRouteCommand(out), { abortSignal: signal });
  return RouteTableId;
}

const associate = ({ ec2, signal }: Making, RouteTableId: string, SubnetId: string) =>
  ec2.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId }), { abortSignal: signal });
