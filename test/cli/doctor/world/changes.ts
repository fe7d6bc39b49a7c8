// Commands that the doctor prints, carried out on a world: what each would change at AWS, and no more.
import type { IpPermission, NetworkAclEntry, Route, RouteTable, Tag } from '@aws-sdk/client-ec2';
import { bare, type Input, inputFrom, optionsFrom, wordsOf } from '../words.ts';
import { ROLE_ID } from './names.ts';
import { rightWorld, type World } from './world.ts';

/** Whether it can be pasted as it stands: no word left to fill in, nothing that is asked of a shell first. */
export const pastes = (remedy: string): boolean =>
  /^(aws [a-z0-9]+|vipshift vip set|npm run deploy) /.test(bare(remedy)) &&
  !/\b(ADDRESS|ALLOCATION|CLIENTS|ENI|GROUP|INSTANCE|LABEL|PORT|PROFILE|SUBNET|VERSION)\b/.test(
    bare(remedy).replace(/'[^']*'/g, ''),
  );

export function carryOut(world: World, remedy: string): void {
  for (const command of bare(remedy).split(' && ')) {
    const [program, ...words] = wordsOf(command);
    if (program === 'vipshift') own(world, words);
    else if (program === 'npm') deploy(world, words);
    else aws(world, words);
  }
}

function aws(world: World, [service, verb = '', ...rest]: readonly string[]): void {
  const change = changes[`${service} ${verb}`];
  if (change === undefined) throw new Error(`no world knows aws ${service} ${verb}`);
  change(world, inputFrom(verb, optionsFrom(rest)));
}

function own(world: World, [, , name, ...rest]: readonly string[]): void {
  const at = world.vips.findIndex((vip) => vip.name === name);
  const options = optionsFrom(rest);
  const list = (option: string) => options.get(option)?.[0]?.split(',');
  const vip = world.vips[at]!;
  const tableLabels = list('table-label') ?? vip.tableLabels;
  const nodeLabels = list('node-label') ?? vip.nodeLabels;
  const eips = options.has('no-eip') ? [] : (list('eip') ?? vip.eips);
  world.vips[at] = { ...vip, tableLabels, nodeLabels, eips };
}

/** Everything that is the stack's is as it was made; parameters that are not named stay. */
function deploy(world: World, words: readonly string[]): void {
  const given = Object.fromEntries(
    words.flatMap((word) => (/^(node\w+|directPath)=/.test(word) ? [word.split('=')] : [])),
  );
  const { stack, rules, functions, queues, alarms, bus } = rightWorld();
  const roleId = String(given.nodeRoleId ?? world.stack?.Parameters.NodeRoleId ?? ROLE_ID);
  const directWas = world.stack?.Parameters.DirectPath ?? 'off';
  const directPath = String(given.directPath ?? directWas);
  Object.assign(world, { stack, rules, inputs: {}, functions, queues, alarms, bus });
  Object.assign(world.stack!.Parameters, { NodeRoleId: roleId, DirectPath: directPath });
  // CloudFormation makes or takes away what a condition has changed, and looks at nothing else.
  if (directPath !== directWas) world.url = directPath === 'on' ? 'AWS_IAM' : undefined;
  for (const one of Object.values(functions))
    one!.config.Environment.Variables.VIPSHIFT_NODE_ROLE_ID = roleId;
}

const text = (input: Input, key: string): string => String(input[key]);
const tableOf = (world: World, input: Input): RouteTable =>
  world.tables.find((table) => table.RouteTableId === input.RouteTableId)!;

const destinationOf = (input: Input): Partial<Route> =>
  input.DestinationIpv6CidrBlock === undefined
    ? { DestinationCidrBlock: text(input, 'DestinationCidrBlock') }
    : { DestinationIpv6CidrBlock: text(input, 'DestinationIpv6CidrBlock') };

function withoutRoute(table: RouteTable, at: Partial<Route>): Route[] {
  return (table.Routes ?? []).filter(
    (route) =>
      route.DestinationCidrBlock !== at.DestinationCidrBlock ||
      route.DestinationIpv6CidrBlock !== at.DestinationIpv6CidrBlock,
  );
}

function setRoute(world: World, input: Input): void {
  const table = tableOf(world, input);
  const at = destinationOf(input);
  const { RouteTableId: _table, ...target } = input;
  table.Routes = [...withoutRoute(table, at), { ...target, ...at, State: 'active' }];
}

function tagsOf(world: World, id: string): { get(): Tag[]; set(tags: Tag[]): void } {
  const eni = world.enis.find((one) => one.NetworkInterfaceId === id);
  const thing =
    world.tables.find((one) => one.RouteTableId === id) ??
    world.addresses.find((one) => one.AllocationId === id);
  return {
    get: () => eni?.TagSet ?? thing?.Tags ?? [],
    set(tags) {
      if (eni !== undefined) eni.TagSet = tags;
      else if (thing !== undefined) thing.Tags = tags;
      else delete world.otherTags[id];
    },
  };
}

const resources = (input: Input): readonly string[] => input.Resources as readonly string[];

const permit = (way: 'IpPermissions' | 'IpPermissionsEgress') => (world: World, input: Input) => {
  const group = world.groups.find((one) => one.GroupId === input.GroupId)!;
  group[way] = [...(group[way] ?? []), ...(input.IpPermissions as IpPermission[])];
};

const functionOf = (world: World, input: Input) =>
  world.functions[text(input, 'FunctionName').replace('vipshift-dev-', '')]!;

const changes: Readonly<Record<string, (world: World, input: Input) => void>> = {
  'ec2 create-tags': (world, input) => {
    for (const id of resources(input))
      for (const { Key, Value } of input.Tags as Required<Tag>[]) {
        const own = tagsOf(world, id);
        own.set([...own.get().filter((tag) => tag.Key !== Key), { Key, Value }]);
      }
  },
  'ec2 delete-tags': (world, input) => {
    for (const id of resources(input)) {
      const own = tagsOf(world, id);
      own.set(own.get().filter((tag) => !(input.Tags as Tag[]).some(({ Key }) => Key === tag.Key)));
    }
  },
  'ec2 create-route': setRoute,
  'ec2 replace-route': setRoute,
  'ec2 delete-route': (world, input) => {
    const table = tableOf(world, input);
    table.Routes = withoutRoute(table, destinationOf(input));
  },
  'ec2 associate-address': (world, input) => {
    for (const one of world.addresses)
      if (
        one.NetworkInterfaceId === input.NetworkInterfaceId &&
        one.PrivateIpAddress === input.PrivateIpAddress
      ) {
        delete one.NetworkInterfaceId;
        delete one.PrivateIpAddress;
      }
    const eip = world.addresses.find((one) => one.AllocationId === input.AllocationId)!;
    eip.NetworkInterfaceId = text(input, 'NetworkInterfaceId');
    eip.PrivateIpAddress = text(input, 'PrivateIpAddress');
  },
  'ec2 assign-private-ip-addresses': (world, input) => {
    const eni = world.enis.find((one) => one.NetworkInterfaceId === input.NetworkInterfaceId)!;
    const more = Array.from({ length: Number(input.SecondaryPrivateIpAddressCount) }, (_, n) => ({
      PrivateIpAddress: `${eni.PrivateIpAddress!.replace(/\d+$/, '')}${200 + n}`,
      Primary: false,
    }));
    eni.PrivateIpAddresses = [...(eni.PrivateIpAddresses ?? []), ...more];
  },
  'ec2 start-instances': (world, input) => {
    for (const one of world.instances)
      if ((input.InstanceIds as string[]).includes(one.InstanceId!)) one.State = { Name: 'running' };
  },
  'ec2 modify-network-interface-attribute': (world, input) => {
    world.enis.find((one) => one.NetworkInterfaceId === input.NetworkInterfaceId)!.SourceDestCheck = false;
  },
  'ec2 authorize-security-group-ingress': permit('IpPermissions'),
  'ec2 authorize-security-group-egress': permit('IpPermissionsEgress'),
  'ec2 create-network-acl-entry': (world, input) => {
    const acl = world.acls.find((one) => one.NetworkAclId === input.NetworkAclId)!;
    const { NetworkAclId: _acl, ...entry } = input;
    acl.Entries = [...(acl.Entries ?? []), entry as NetworkAclEntry];
  },
  'ec2 delete-network-acl-entry': (world, input) => {
    const acl = world.acls.find((one) => one.NetworkAclId === input.NetworkAclId)!;
    acl.Entries = (acl.Entries ?? []).filter(
      (entry) => entry.RuleNumber !== input.RuleNumber || entry.Egress !== input.Egress,
    );
  },
  'ec2 modify-vpc-attribute': (world) => {
    world.dns.enableDnsSupport = true;
  },
  'ec2 modify-vpc-endpoint': (world, input) => {
    const endpoint = world.endpoints.find((one) => one.VpcEndpointId === input.VpcEndpointId)!;
    if (input.PrivateDnsEnabled === true) endpoint.PrivateDnsEnabled = true;
    if (input.PolicyDocument !== undefined) endpoint.PolicyDocument = text(input, 'PolicyDocument');
  },
  'ec2 modify-managed-prefix-list': (world, input) => {
    const list = text(input, 'PrefixListId');
    const gone = text(input, 'RemoveEntries').replace('Cidr=', '');
    world.prefixLists[list] = world.prefixLists[list]?.filter((entry) => entry !== gone);
  },
  'events enable-rule': (world, input) => {
    world.rules.find((rule) => rule.Name === input.Name)!.State = 'ENABLED';
  },
  'events put-targets': (world, input) => {
    world.rules.find((rule) => rule.Name === input.Rule)!.targets = [String(input.Targets).split('Arn=')[1]!];
  },
  'lambda delete-function-concurrency': (world, input) => {
    functionOf(world, input).reserved = undefined;
  },
  'lambda put-function-concurrency': (world, input) => {
    functionOf(world, input).reserved = Number(input.ReservedConcurrentExecutions);
  },
  'lambda add-permission': (world, input) => {
    functionOf(world, input).policy.push({
      ...{ Effect: 'Allow', Principal: { Service: text(input, 'Principal') }, Action: text(input, 'Action') },
      Condition: { ArnLike: { 'AWS:SourceArn': text(input, 'SourceArn') } },
    });
  },
  'lambda remove-permission': (world, input) => {
    const own = functionOf(world, input);
    own.policy = own.policy.filter(({ Sid }) => Sid !== text(input, 'StatementId'));
  },
  'lambda update-function-url-config': (world, input) => {
    world.url = text(input, 'AuthType');
  },
  'lambda delete-function-url-config': (world) => {
    world.url = undefined;
  },
  'cloudwatch enable-alarm-actions': (world, input) => {
    world.alarms.find((alarm) => alarm.AlarmName === input.AlarmNames)!.ActionsEnabled = true;
  },
  // What failed once is driven again, and handled.
  'stepfunctions start-execution': (world, input) => {
    const { queue } = JSON.parse(text(input, 'Input')) as { queue: string };
    for (const url of Object.keys(world.queues)) if (url.endsWith(queue)) world.queues[url] = 0;
  },
  'dynamodb update-table': (world, input) => {
    world.dynamo[text(input, 'TableName')]!.isProtected = true;
  },
  'dynamodb update-continuous-backups': (world, input) => {
    world.dynamo[text(input, 'TableName')]!.recovers = true;
  },
  'dynamodb update-time-to-live': (world, input) => {
    const { Enabled, AttributeName } = input.TimeToLiveSpecification as {
      Enabled: boolean;
      AttributeName: string;
    };
    world.dynamo[text(input, 'TableName')]!.ttl = Enabled ? AttributeName : undefined;
  },
  'iam attach-role-policy': (world, input) => {
    world.attached.push(text(input, 'PolicyArn'));
  },
  'iam detach-role-policy': (world, input) => {
    world.attached = world.attached.filter((one) => one !== input.PolicyArn);
  },
  'iam delete-role-policy': (world, input) => {
    delete world.inline[text(input, 'PolicyName')];
  },
  'iam put-role-policy': (world, input) => {
    world.inline[text(input, 'PolicyName')] = text(input, 'PolicyDocument');
  },
  'iam create-policy-version': (world, input) => {
    world.managed[text(input, 'PolicyArn')] = text(input, 'PolicyDocument');
  },
  'iam update-assume-role-policy': (world, input) => {
    world.role.AssumeRolePolicyDocument = text(input, 'PolicyDocument');
  },
};
