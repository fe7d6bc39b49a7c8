// Template: the network and the machines of a run as one CloudFormation stack, generated for the number of tables that is asked for.
//
// Invariant: everything that a run makes in EC2 and IAM is in it, and goes with it. The stack's tags are those of everything in it; what
// EC2 makes with an instance (ENI, volume) gets them from the launch template. What vipshift changes is none of the stack's resources:
// a route in a labelled table goes with its table. Limit: CloudFormation takes 51,200 bytes in a request, so user data is compressed.
import { gzipSync } from 'node:zlib';
import { CIDR, ECHO_PORT, type MachineName, machines, type PlannedMachine } from '../plan.ts';
import { busOf, RUN_TAG, type Run } from '../run-id.ts';
import { rights, trustIn } from './node-role.ts';
import { userData } from './user-data.ts';

export interface TemplateInput {
  readonly run: Run;
  /** Labelled route tables. */
  readonly region: string;
  readonly tables: number;
  readonly advertS: number;
  /** One that exists already; by default the stack has a role and a profile of its own. */
  readonly instanceProfile: string | undefined;
}

export interface Resource {
  readonly Type: string;
  readonly DependsOn?: string | readonly string[];
  readonly Properties?: object;
}
type Resources = Readonly<Record<string, Resource>>;

export interface Template {
  readonly AWSTemplateFormatVersion: '2010-09-09';
  readonly Description: string;
  readonly Parameters: Readonly<Record<string, { readonly Type: string }>>;
  readonly Resources: Resources;
  readonly Outputs: Readonly<Record<string, { readonly Value: object }>>;
}

const ref = (id: string) => ({ Ref: id });
const att = (id: string, name: string) => ({ 'Fn::GetAtt': [id, name] });

const subnetId: Readonly<Record<MachineName, string>> = { a: 'SubnetA', b: 'SubnetB', probe: 'SubnetProbe' };
export const instanceId: Readonly<Record<MachineName, string>> = { a: 'NodeA', b: 'NodeB', probe: 'Probe' };
const zoneOutput = (name: MachineName): string => `${instanceId[name]}Zone`;

export function templateOf(input: TemplateInput): Template {
  const own = input.instanceProfile === undefined;
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `vipshift drill ${input.run.id}`,
    Parameters: {
      [parameter.zones[0]]: { Type: 'AWS::EC2::AvailabilityZone::Name' },
      [parameter.zones[1]]: { Type: 'AWS::EC2::AvailabilityZone::Name' },
      [parameter.image]: { Type: 'AWS::EC2::Image::Id' },
    },
    Resources: { ...network(input), ...routes(input), ...(own ? role(input) : {}), ...instances(input) },
    Outputs: outputs(own),
  };
}

/** What the account has to say: the zones, by their places in the Region's list, and the machines' image. */
export const parameter = { zones: ['FirstZone', 'SecondZone'], image: 'Image' } as const;

/** What the drills have to know of the stack. */
export const output = {
  vpc: 'VpcId',
  probeTable: 'ProbeTable',
  roleId: 'RoleId',
  roleArn: 'RoleArn',
  zoneOutput,
};

function outputs(ownRole: boolean): Template['Outputs'] {
  const ofMachines = machines.flatMap(({ name }) => [
    [instanceId[name], { Value: ref(instanceId[name]) }] as const,
    [zoneOutput(name), { Value: att(instanceId[name], 'AvailabilityZone') }] as const,
  ]);
  return {
    [output.vpc]: { Value: ref('Vpc') },
    [output.probeTable]: { Value: ref('Table0') },
    ...Object.fromEntries(ofMachines),
    ...(ownRole
      ? {
          [output.roleId]: { Value: att('Role', 'RoleId') },
          [output.roleArn]: { Value: att('Role', 'Arn') },
        }
      : {}),
  };
}

function network({ run }: TemplateInput): Resources {
  const inVpc = { CidrIp: CIDR };
  const echo = { FromPort: ECHO_PORT, ToPort: ECHO_PORT, ...inVpc };
  const subnets = machines.map(({ name, cidr, zone }) => [
    subnetId[name],
    {
      Type: 'AWS::EC2::Subnet',
      Properties: {
        VpcId: ref('Vpc'),
        CidrBlock: cidr,
        AvailabilityZone: ref(parameter.zones[zone]),
        ...named(run, name),
      },
    },
  ]);
  return {
    Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: CIDR, ...named(run, 'vpc') } },
    Gateway: { Type: 'AWS::EC2::InternetGateway', Properties: named(run, 'gateway') },
    Attachment: {
      Type: 'AWS::EC2::VPCGatewayAttachment',
      Properties: { VpcId: ref('Vpc'), InternetGatewayId: ref('Gateway') },
    },
    ...(Object.fromEntries(subnets) as Resources),
    SecurityGroup: {
      Type: 'AWS::EC2::SecurityGroup',
      Properties: {
        GroupDescription: 'vipshift drill: VRRP between the nodes, the echo for the VPC',
        VpcId: ref('Vpc'),
        SecurityGroupIngress: [
          // VRRP has no ports; EC2 wants the fields all the same where a protocol is a number.
          { IpProtocol: '112', FromPort: -1, ToPort: -1, ...inVpc },
          { IpProtocol: 'udp', ...echo },
          { IpProtocol: 'tcp', ...echo },
        ],
        ...named(run, 'nodes'),
      },
    },
  };
}

/** The nodes' table, and the labelled ones; the first of those is the probe's, the others lead nowhere but to the VIP. */
function routes({ run, tables }: TemplateInput): Resources {
  const table = (more: object) => ({
    Type: 'AWS::EC2::RouteTable',
    Properties: { VpcId: ref('Vpc'), ...more },
  });
  const out = (tableId: string) => ({
    Type: 'AWS::EC2::Route',
    DependsOn: 'Attachment',
    Properties: {
      RouteTableId: ref(tableId),
      DestinationCidrBlock: '0.0.0.0/0',
      GatewayId: ref('Gateway'),
    },
  });
  const association = (name: MachineName) => ({
    Type: 'AWS::EC2::SubnetRouteTableAssociation',
    Properties: { RouteTableId: ref(tableOf(name)), SubnetId: ref(subnetId[name]) },
  });
  const labelled = Array.from({ length: tables }, (_, n) => [
    `Table${n}`,
    table({ Tags: [{ Key: run.labelKey, Value: run.vip }] }),
  ]);
  return {
    TableNodes: table(named(run, 'nodes')),
    ...(Object.fromEntries(labelled) as Resources),
    OutTableNodes: out('TableNodes'),
    OutTable0: out('Table0'),
    ...Object.fromEntries(machines.map(({ name }) => [associationOf(name), association(name)])),
  };
}

const tableOf = (name: MachineName): string => (name === 'probe' ? 'Table0' : 'TableNodes');
const associationOf = (name: MachineName): string => `Association${instanceId[name]}`;

function role({ run, region }: TemplateInput): Resources {
  const at = (service: string, rest: string) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:${service}:\${AWS::Region}:\${AWS::AccountId}:${rest}`,
  });
  const called = {
    bus: at('events', `event-bus/${busOf(run.stage)}`),
    failover: at('lambda', `function:vipshift-${run.stage}-failover`),
  };
  return {
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: trustIn(region),
        Policies: [{ PolicyName: 'drill', PolicyDocument: rights(called) }],
      },
    },
    InstanceProfile: { Type: 'AWS::IAM::InstanceProfile', Properties: { Roles: [ref('Role')] } },
  };
}

function instances(input: TemplateInput): Resources {
  const { run } = input;
  const label = [{ Key: run.labelKey, Value: run.vip }];
  return {
    NodeTemplate: launchTemplate(input, label),
    ProbeTemplate: launchTemplate(input, []),
    ...Object.fromEntries(machines.map((machine) => [instanceId[machine.name], instance(input, machine)])),
  };
}

function launchTemplate({ run, instanceProfile }: TemplateInput, label: readonly object[]): Resource {
  return {
    Type: 'AWS::EC2::LaunchTemplate',
    Properties: {
      LaunchTemplateData: {
        ImageId: ref(parameter.image),
        InstanceType: 't4g.nano',
        IamInstanceProfile: { Name: instanceProfile ?? ref('InstanceProfile') },
        MetadataOptions: { HttpTokens: 'required' },
        InstanceInitiatedShutdownBehavior: 'terminate',
        TagSpecifications: [
          { ResourceType: 'network-interface', Tags: [{ Key: RUN_TAG, Value: run.id }, ...label] },
        ],
      },
    },
  };
}

/** Has one ENI, which EC2 makes and removes with it; a node's has the VIP's tag and has its source/destination check off. */
function instance({ run, advertS }: TemplateInput, { name, address }: PlannedMachine): Resource {
  const template = name === 'probe' ? 'ProbeTemplate' : 'NodeTemplate';
  return {
    Type: 'AWS::EC2::Instance',
    // It has to reach AWS from its first boot on, and gives its public address back before the gateway goes.
    DependsOn: [`Out${tableOf(name)}`, associationOf(name)],
    Properties: {
      LaunchTemplate: { LaunchTemplateId: ref(template), Version: att(template, 'LatestVersionNumber') },
      UserData: gzipSync(userData(name, advertS)).toString('base64'),
      SourceDestCheck: name === 'probe',
      PropagateTagsToVolumeOnCreation: true,
      NetworkInterfaces: [
        {
          DeviceIndex: '0',
          SubnetId: ref(subnetId[name]),
          GroupSet: [ref('SecurityGroup')],
          PrivateIpAddress: address,
          AssociatePublicIpAddress: true,
          DeleteOnTermination: true,
        },
      ],
      ...named(run, name),
    },
  };
}

const named = (run: Run, name: string) => ({ Tags: [{ Key: 'Name', Value: `${run.name}-${name}` }] });
