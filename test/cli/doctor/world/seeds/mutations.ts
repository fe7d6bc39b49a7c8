// One field of a world changed: everything that can be taken away, turned round, or take a value that the same field has elsewhere or
// has in practice.
import { rightWorld, type World } from '../world.ts';

export interface Mutation {
  readonly at: string;
  readonly to: string;
  change(world: World): void;
}

/** Parts of a world that AWS answers with. What an operator registers is not among them. */
const parts = [
  ...['dns', 'zones', 'subnets', 'tables', 'enis', 'addresses', 'groups', 'acls', 'instances'],
  ...['stack', 'rules', 'functions', 'queues', 'subscriptions', 'alarms', 'dynamo'],
  ...['bus', 'role', 'attached', 'managed', 'inline', 'profileOf', 'viewsAtMs', 'shims'],
] as const;

/** Values by the name of the field: what AWS has for it, and what people type. */
const values: Readonly<Record<string, readonly unknown[]>> = {
  // Tags.
  Value: ['Web', 'web ', 'wbe', '-', 'other'],
  Key: ['vipshift:Dev', 'vipshift', 'Name'],
  // The network.
  Status: ['detaching'],
  DeviceIndex: [],
  GatewayId: [],
  NetworkInterfaceId: ['eni-service-b', 'eni-gone', 'eni-primary-a'],
  DestinationCidrBlock: ['192.168.255.11/32'],
  DestinationIpv6CidrBlock: ['fd77::99/128'],
  State: ['blackhole', 'DISABLED', 'Failed', 'Pending'],
  Name: ['stopped', 'terminated', 'pending'],
  IpProtocol: ['tcp', 'udp', '112', '-1'],
  Protocol: ['6', '112', '17', '-1'],
  FromPort: [80, 444],
  ToPort: [80, 8443],
  CidrIp: ['10.0.1.0/24', '192.0.2.0/24', '0.0.0.0/0'],
  CidrIpv6: ['2001:db8::/56', 'fd00::/8'],
  CidrBlock: ['10.0.1.0/24', '192.0.2.0/24'],
  RuleAction: ['deny', 'allow'],
  RuleNumber: [10, 32_000],
  NetworkBorderGroup: ['eu-central-1-ham-1'],
  // The service.
  StackStatus: ['UPDATE_ROLLBACK_FAILED', 'CREATE_COMPLETE'],
  LastUpdateStatus: ['Failed'],
  Timeout: [3, 900],
  StateValue: ['ALARM', 'INSUFFICIENT_DATA'],
  status: ['UPDATING'],
  ScheduleExpression: ['rate(5 minutes)'],
  EventPattern: ['{"detail-type":["x"]}'],
  Effect: ['Deny'],
  RoleId: ['AROANEW0000000000001'],
  reserved: [0, 10],
};

/** Names and places that AWS gives and no one changes, and fields that no part of the world is read by. */
const fixed = new Set([
  ...[
    'AllocationId',
    'Arn',
    'AlarmName',
    'AssumeRolePolicyDocument',
    'AvailabilityZone',
    'Bus',
    'Domain',
    'Egress',
  ],
  ...[
    'EventBusName',
    'FunctionArn',
    'GroupId',
    'InstanceId',
    'InterfaceType',
    'NetworkAclId',
    'Origin',
    'OwnerId',
  ],
  ...[
    'PrivateIpAddress',
    'PublicIp',
    'RoleName',
    'RouteTableId',
    'SubnetId',
    'VpcId',
    'ZoneName',
    'CidrBlock4',
  ],
  ...[
    'Primary',
    'Main',
    'Ipv6CidrBlock',
    'Service',
    'DeviceIndex',
    'GatewayId',
    'Parameters',
    'Outputs',
    'Policy',
  ],
  ...[
    'Ipv6CidrBlockAssociationSet',
    'PrivateIpAddresses',
    'Action',
    'Principal',
    'AWS:SourceArn',
    'Condition',
  ],
  ...['DestinationPrefixListId', 'VIPSHIFT_RETENTION_DAYS', 'VIPSHIFT_NODE_IDENTITY', 'AssociationId'],
]);

type Path = readonly (string | number)[];
type Box = Record<string | number, unknown>;

const boxAt = (world: World, path: Path): Box =>
  path.slice(0, -1).reduce<unknown>((box, key) => (box as Box)[key], world) as Box;

const set = (path: Path, value: unknown): Mutation => ({
  at: path.join('.'),
  to: JSON.stringify(value) ?? 'nothing',
  change(world) {
    const box = boxAt(world, path);
    const key = path.at(-1)!;
    if (value !== undefined) box[key] = value;
    else if (Array.isArray(box)) box.splice(Number(key), 1);
    else delete box[key];
  },
});

/** Where both are one thing: an EIP is associated with an address, or with none. */
const loose = (path: Path): Mutation => ({
  at: path.join('.'),
  to: 'associated with nothing',
  change(world) {
    const box = boxAt(world, [...path, '']);
    delete box.NetworkInterfaceId;
    delete box.PrivateIpAddress;
  },
});

/** Of a world in the order of the right one. */
export function mutations(world: World = rightWorld()): readonly Mutation[] {
  const found: Mutation[] = [];
  const walk = (value: unknown, path: Path): void => {
    const key = String(path.at(-1));
    const inList = typeof path.at(-1) === 'number';
    if (!inList && fixed.has(key)) return;
    if (typeof value === 'object' && value !== null) {
      if (inList && path.length > 1 && isRemovable(path)) found.push(set(path, undefined));
      if (key === 'Attachment' && isRemovable(path)) found.push(set(path, undefined));
      if (path[0] === 'addresses' && path.length === 2) found.push(loose(path));
      for (const [name, inner] of Object.entries(value))
        walk(inner, [...path, Array.isArray(value) ? Number(name) : name]);
      return;
    }
    if (typeof value === 'boolean') found.push(set(path, !value));
    else if (inList) found.push(set(path, undefined), set(path, `${String(value)}x`));
    else if (path[0] === 'queues') found.push(set(path, 3), set(path, undefined));
    else if (path[0] === 'viewsAtMs') found.push(set(path, Number(value) - 3_600_000));
    else if (path[0] === 'shims') found.push(set(path, '0.9.0'));
    else if (path[0] === 'profileOf') found.push(set(path, undefined));
    else if (path[0] === 'managed' || path[0] === 'inline')
      found.push(
        ...['Deny', 'events:PutRule'].map((word) =>
          set(path, String(value).replace(word === 'Deny' ? 'Allow' : 'events:PutEvents', word)),
        ),
      );
    else if (key.startsWith('VIPSHIFT_')) found.push(set(path, 'other'));
    else if (path[0] === 'addresses' && key === 'NetworkInterfaceId') return;
    else
      for (const one of values[key] ?? []) if (one !== value && fits(path, one)) found.push(set(path, one));
  };
  for (const part of parts) walk(world[part], [part]);
  found.push(
    ...(['failover', 'reconcile', 'runbook'] as const).flatMap((name) => [
      set(['functions', name, 'reserved'], 0),
      set(['functions', name, 'reserved'], 10),
      set(['functions', name], undefined),
    ]),
  );
  found.push(set(['bus', 'Policy'], ''));
  return found;
}

/** Groups in use, zones and primary ENIs cannot be taken away. */
function isRemovable(path: Path): boolean {
  const [part, at] = path;
  const primary =
    part === 'enis' && (at === 0 || at === 3) && (path.length === 2 || path[2] === 'Attachment');
  return !primary && !(path.length === 2 && (part === 'groups' || part === 'zones' || part === 'subnets'));
}

/** A word of another thing's state is none of this one's. */
function fits(path: Path, value: unknown): boolean {
  const [part] = path;
  const key = path.at(-1);
  if (key === 'State') {
    if (part === 'tables') return value === 'blackhole';
    if (part === 'rules') return value === 'DISABLED';
    return value === 'Failed' || value === 'Pending';
  }
  if (key === 'Status') return part === 'enis' && path.includes('Attachment') && isRemovable(path);
  if (key === 'NetworkInterfaceId') return part === 'tables';
  if (key === 'CidrBlock') return part === 'acls';
  if (key === 'Name') return part === 'instances';
  return true;
}
