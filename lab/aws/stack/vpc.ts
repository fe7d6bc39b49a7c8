/**
 * The network that the demo and the end-to-end tests fail over in: two zones, two nodes, six route tables of which four are the VIP's.
 *
 * Invariant: it is what an operator would have made before vipshift comes: no route to the VIP exists yet, the EIP is not associated, each
 * node's primary ENI has a public address of its own, and everything that is not labelled must stay as it is.
 */
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  AssociateRouteTableCommand,
  AttachInternetGatewayCommand,
  AttachNetworkInterfaceCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateInternetGatewayCommand,
  CreateNetworkInterfaceCommand,
  CreateRouteCommand,
  CreateRouteTableCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeSecurityGroupsCommand,
  type EC2Client,
  ModifyNetworkInterfaceAttributeCommand,
  type ResourceType,
  RunInstancesCommand,
  type Tag,
  type TagSpecification,
} from '@aws-sdk/client-ec2';

export interface LabVpcOptions {
  readonly stage: string;
  /** The value of the tag that names the VIP's tables and nodes. */
  readonly label: string;
}

export interface LabNode {
  readonly name: string;
  readonly instanceId: string;
  readonly zone: string;
  readonly subnetId: string;
  readonly primaryEni: string;
  readonly primaryAddress: string;
  /** Receives the VIP's traffic; has the tag, source/dest check off. */
  readonly serviceEni: string;
  readonly serviceAddress: string;
  /** Takes the VIP's EIP; has the tag with the suffix `:eip`. */
  readonly eipEni: string;
  readonly eipAddress: string;
  /** The node's own way to the Internet, on its primary ENI; must never move. */
  readonly publicAddress: string;
  readonly publicAllocationId: string;
}

export interface LabTable {
  readonly name: string;
  readonly routeTableId: string;
  readonly labelled: boolean;
}

export interface LabVpc {
  readonly vpcId: string;
  readonly cidr: string;
  readonly stage: string;
  readonly label: string;
  readonly tagKey: string;
  readonly internetGatewayId: string;
  readonly nodes: { readonly a: LabNode; readonly b: LabNode };
  readonly tables: readonly LabTable[];
  readonly eip: { readonly allocationId: string; readonly publicIp: string };
  readonly vip: { readonly ipv4: string; readonly ipv6: string };
  readonly subnets: Readonly<Record<string, string>>;
}

const cidr = '10.0.0.0/16';
/** Outside the VPC's CIDR, as a route to an ENI wants it. */
const vip = { ipv4: '192.168.255.10/32', ipv6: 'fd77:7669:7073::10/128' };
const machineImage = 'ami-00000000000000001';

const subnetPlan = [
  { name: 'nodes-a', cidr: '10.0.1.0/24', zone: 'a' },
  { name: 'nodes-b', cidr: '10.0.2.0/24', zone: 'b' },
  { name: 'clients-a', cidr: '10.0.11.0/24', zone: 'a' },
  { name: 'clients-b', cidr: '10.0.12.0/24', zone: 'b' },
  { name: 'data-a', cidr: '10.0.21.0/24', zone: 'a' },
  { name: 'data-b', cidr: '10.0.22.0/24', zone: 'b' },
] as const;

const tablePlan = [
  { name: 'nodes-a', labelled: true },
  { name: 'nodes-b', labelled: true },
  { name: 'clients-a', labelled: true },
  { name: 'clients-b', labelled: true },
  { name: 'data-a', labelled: false },
  { name: 'data-b', labelled: false },
] as const;

export async function buildVpc(ec2: EC2Client, options: LabVpcOptions): Promise<LabVpc> {
  const { stage, label } = options;
  const tagKey = `vipshift:${stage}`;
  const region = await ec2.config.region();
  const created = await ec2.send(
    new CreateVpcCommand({
      CidrBlock: cidr,
      AmazonProvidedIpv6CidrBlock: true,
      TagSpecifications: tags('vpc', named(`vipshift-${label}`)),
    }),
  );
  const vpcId = created.Vpc!.VpcId!;
  const [internetGatewayId, subnets] = await Promise.all([
    gateway(ec2, vpcId),
    makeSubnets(ec2, vpcId, region),
  ]);
  const tables: LabTable[] = [];
  for (const { name, labelled } of tablePlan) {
    const tableTags = labelled ? [...named(name), { Key: tagKey, Value: label }] : named(name);
    const routeTableId = await makeTable(ec2, vpcId, internetGatewayId, tableTags);
    await ec2.send(new AssociateRouteTableCommand({ RouteTableId: routeTableId, SubnetId: subnets[name]! }));
    tables.push({ name, labelled, routeTableId });
  }
  const node = (name: 'a' | 'b', host: string) =>
    makeNode(ec2, {
      name,
      host,
      zone: `${region}${name}`,
      subnetId: subnets[`nodes-${name}`]!,
      tagKey,
      label,
    });
  const nodes = { a: await node('a', '10.0.1'), b: await node('b', '10.0.2') };
  await openGroup(ec2, vpcId);
  const eip = await allocate(ec2, [...named(label), { Key: tagKey, Value: label }]);
  return { vpcId, cidr, stage, label, tagKey, internetGatewayId, nodes, tables, eip, vip, subnets };
}

// -1: moto wants ports also where the protocol has none.
export const vrrp = { IpProtocol: '112', FromPort: -1, ToPort: -1, IpRanges: [{ CidrIp: '10.0.0.0/16' }] };
export const https = { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: '0.0.0.0/0' }] };

async function gateway(ec2: EC2Client, vpcId: string): Promise<string> {
  const { InternetGateway } = await ec2.send(new CreateInternetGatewayCommand({}));
  const id = InternetGateway!.InternetGatewayId!;
  await ec2.send(new AttachInternetGatewayCommand({ VpcId: vpcId, InternetGatewayId: id }));
  return id;
}

async function makeSubnets(ec2: EC2Client, vpcId: string, region: string): Promise<Record<string, string>> {
  const made = subnetPlan.map(async ({ name, cidr: CidrBlock, zone }) => {
    const input = { VpcId: vpcId, CidrBlock, AvailabilityZone: `${region}${zone}` };
    const answer = await ec2.send(
      new CreateSubnetCommand({ ...input, TagSpecifications: tags('subnet', named(name)) }),
    );
    return [name, answer.Subnet!.SubnetId!] as const;
  });
  return Object.fromEntries(await Promise.all(made));
}

async function makeTable(
  ec2: EC2Client,
  vpcId: string,
  gatewayId: string,
  tableTags: Tag[],
): Promise<string> {
  const answer = await ec2.send(
    new CreateRouteTableCommand({ VpcId: vpcId, TagSpecifications: tags('route-table', tableTags) }),
  );
  const RouteTableId = answer.RouteTable!.RouteTableId!;
  await ec2.send(
    new CreateRouteCommand({ RouteTableId, GatewayId: gatewayId, DestinationCidrBlock: '0.0.0.0/0' }),
  );
  return RouteTableId;
}

interface NodePlan {
  readonly name: string;
  /** The first three numbers of its addresses. */
  readonly host: string;
  readonly zone: string;
  readonly subnetId: string;
  readonly tagKey: string;
  readonly label: string;
}

async function makeNode(ec2: EC2Client, plan: NodePlan): Promise<LabNode> {
  const { name, host, zone, subnetId, tagKey, label } = plan;
  const primaryAddress = `${host}.10`;
  const serviceAddress = `${host}.20`;
  const eipAddress = `${host}.30`;
  const { Instances } = await ec2.send(
    new RunInstancesCommand({
      ImageId: machineImage,
      InstanceType: 't4g.small',
      MinCount: 1,
      MaxCount: 1,
      SubnetId: subnetId,
      PrivateIpAddress: primaryAddress,
      TagSpecifications: tags('instance', named(`node-${name}`)),
    }),
  );
  const instanceId = Instances![0]!.InstanceId!;
  const primaryEni = Instances![0]!.NetworkInterfaces![0]!.NetworkInterfaceId!;
  const own = await allocate(ec2, named(`node-${name}`));
  await ec2.send(
    new AssociateAddressCommand({ AllocationId: own.allocationId, NetworkInterfaceId: primaryEni }),
  );
  const eni = async (role: string, address: string, index: number, value: string) => {
    const eniTags = [...named(`node-${name}-${role}`), { Key: tagKey, Value: value }];
    const id = await makeEni(ec2, subnetId, address, eniTags);
    await ec2.send(
      new AttachNetworkInterfaceCommand({
        InstanceId: instanceId,
        NetworkInterfaceId: id,
        DeviceIndex: index,
      }),
    );
    return id;
  };
  const serviceEni = await eni('service', serviceAddress, 1, label);
  const SourceDestCheck = { Value: false };
  for (const NetworkInterfaceId of [serviceEni, primaryEni])
    await ec2.send(new ModifyNetworkInterfaceAttributeCommand({ NetworkInterfaceId, SourceDestCheck }));
  const eipEni = await eni('eip', eipAddress, 2, `${label}:eip`);
  const enis = { primaryEni, primaryAddress, serviceEni, serviceAddress, eipEni, eipAddress };
  const mine = { publicAddress: own.publicIp, publicAllocationId: own.allocationId };
  return { name, instanceId, zone, subnetId, ...enis, ...mine };
}

async function makeEni(ec2: EC2Client, subnetId: string, address: string, eniTags: Tag[]): Promise<string> {
  const { NetworkInterface } = await ec2.send(
    new CreateNetworkInterfaceCommand({
      SubnetId: subnetId,
      PrivateIpAddress: address,
      TagSpecifications: tags('network-interface', eniTags),
    }),
  );
  return NetworkInterface!.NetworkInterfaceId!;
}

/** The VPC's own group, which every ENI has: adverts of the nodes, and the service. */
async function openGroup(ec2: EC2Client, vpcId: string): Promise<void> {
  const Filters = [
    { Name: 'vpc-id', Values: [vpcId] },
    { Name: 'group-name', Values: ['default'] },
  ];
  const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters }));
  await ec2.send(
    new AuthorizeSecurityGroupIngressCommand({
      GroupId: SecurityGroups![0]!.GroupId!,
      IpPermissions: [vrrp, https],
    }),
  );
}

async function allocate(ec2: EC2Client, eipTags: Tag[]): Promise<{ allocationId: string; publicIp: string }> {
  const answer = await ec2.send(
    new AllocateAddressCommand({ Domain: 'vpc', TagSpecifications: tags('elastic-ip', eipTags) }),
  );
  return { allocationId: answer.AllocationId!, publicIp: answer.PublicIp! };
}

function named(name: string): Tag[] {
  return [{ Key: 'Name', Value: name }];
}

function tags(type: ResourceType, list: Tag[]): TagSpecification[] {
  return [{ ResourceType: type, Tags: list }];
}
