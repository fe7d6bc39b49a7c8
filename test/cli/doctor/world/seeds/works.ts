// Whether a failover to each member works in a world, and whether anyone would notice if it did not: carried out, by the controller's
// own plan in memory or by the deployed service (../../local), then asked of the packets, the service and the identities. Knows
// nothing of the doctor's code.
import type { NetworkInterface } from '@aws-sdk/client-ec2';
import { evaluate, type Policy } from '../../../../deploy/support/policy.ts';
import { moved } from '../controller.ts';
import { ACCOUNT, BUS_ARN, EIP, NOW, nodes, TAG, TOPIC, V4, V6 } from '../names.ts';
import { rightWorld, type World } from '../world.ts';
import { answers, leaves, passesAcl, passesGroups, reaches, routeFrom } from './packets.ts';

/** Hosts that have to reach the VIP, one of each family: those of every subnet whose table is not left out, and those that reach it. */
const clientsOf = (world: World, { right }: Oracle) =>
  right.subnets.flatMap(({ SubnetId, CidrBlock, Ipv6CidrBlockAssociationSet }) => {
    const table =
      world.tables.find((one) => one.Associations?.some((a) => a.SubnetId === SubnetId)) ??
      world.tables.find((one) => one.Associations?.some((a) => a.Main === true));
    const left = table?.Tags?.some(({ Key, Value }) => Key === TAG && Value === '-') === true;
    const routes = table?.Routes?.some((one) => one.DestinationCidrBlock === V4) === true;
    if (left && !routes) return [];
    const six = Ipv6CidrBlockAssociationSet?.[0]?.Ipv6CidrBlock?.replace('/64', '77');
    return [{ subnet: SubnetId!, four: CidrBlock!.replace('.0/24', '.77'), six }];
  });
const INTERNET = '52.94.5.5';

export interface Oracle {
  /** As everything was when it worked. */
  readonly right: World;
  /** A failover to the node, carried out: the world after it; undefined where the VIP did not come there. */
  carriedOut(world: World, node: string): Promise<World | undefined>;
}

/** By the controller's own plan. */
const inMemory: Oracle = {
  right: rightWorld(),
  async carriedOut(world, node) {
    const after = structuredClone(world);
    return (await moved(after, after.vips[0]!, node)) === undefined ? undefined : after;
  },
};

/** The first thing that does not work; undefined where everything does. */
export async function failure(world: World, oracle: Oracle = inMemory): Promise<string | undefined> {
  const now = delivering(world, nodes.a, oracle);
  for (const node of Object.values(nodes)) {
    const why = reporting(world, node) ?? (await after(world, node, oracle));
    if (why !== undefined) return `${node}: ${why}`;
  }
  if (now !== undefined) return `now: ${now}`;
  return (
    advertising(world) ??
    (await following(structuredClone(world))) ??
    serving(world, oracle) ??
    noticing(world, oracle)
  );
}

const enisOf = (world: World, node: string): readonly NetworkInterface[] =>
  world.enis.filter((one) => one.Attachment?.InstanceId === node && one.Attachment.Status === 'attached');
const primaryOf = (world: World, node: string) =>
  enisOf(world, node).find((one) => one.Attachment?.DeviceIndex === 0);

/** Can the node's report come to the bus, and does the function take it? */
function reporting(world: World, node: string): string | undefined {
  if (!world.instances.some((one) => one.InstanceId === node && one.State?.Name === 'running'))
    return 'does not run';
  const [major = '0'] = (world.shims[node] ?? '1').split('.');
  if (major === '0') return 'an old shim';
  const primary = primaryOf(world, node);
  if (primary === undefined) return 'no primary ENI';
  const route = routeFrom(world, primary.SubnetId!, INTERNET);
  if (route === undefined) return 'no way out';
  const isPublic = world.addresses.some((one) => one.NetworkInterfaceId === primary.NetworkInterfaceId);
  if (route.GatewayId?.startsWith('igw-') === true && !isPublic) return 'no public address';
  if (!leaves(world, primary, INTERNET, 443)) return 'filters on the way out';
  return claiming(world, node);
}

function claiming(world: World, node: string): string | undefined {
  const { bus, role, inline, attached, managed } = world;
  if (world.profileOf[node] === undefined) return 'no role';
  if (bus === undefined) return 'no bus';
  const own = [...Object.values(inline), ...attached.map((one) => managed[one] ?? '{"Statement":[]}')];
  const context = {
    'events:source': `vipshift.notify/${role.RoleId}:${node}`,
    'events:detail-type': 'VRRP State Change',
    'aws:userid': `${role.RoleId}:${node}`,
    'aws:PrincipalArn': role.Arn,
    'ec2:SourceInstanceARN': `arn:aws:ec2:eu-central-1:${ACCOUNT}:instance/${node}`,
  };
  const call = { action: 'events:PutEvents', resources: [BUS_ARN], context };
  const policies = own.map((text) => JSON.parse(text) as Policy);
  if (evaluate(policies, call) !== 'allowed') return 'the role may not';
  const lets = { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } as const;
  const ofBus = bus.Policy === '' ? [] : [JSON.parse(bus.Policy) as Policy];
  if (evaluate([lets, ...ofBus], call) !== 'allowed') return 'the bus does not take it';
  const variables = world.functions.failover?.config.Environment.Variables ?? {};
  if (variables.VIPSHIFT_NODE_ROLE_ID !== role.RoleId) return 'the function does not know the role';
  const forged = { ...context, 'aws:userid': 'AROAOTHER:x', 'aws:PrincipalArn': 'arn:aws:iam::1:role/other' };
  if (evaluate([lets, ...ofBus], { ...call, context: forged }) === 'allowed') return 'anyone may report';
  if (!role.AssumeRolePolicyDocument.includes('ec2.amazonaws.com')) return 'EC2 may not take the role';
  return undefined;
}

/** The controller moves the VIP to the node. From the other one: what happens to be right now says nothing of the next failover. */
async function after(world: World, node: string, oracle: Oracle): Promise<string | undefined> {
  const other = Object.values(nodes).find((one) => one !== node)!;
  const there = await oracle.carriedOut(world, other);
  if (there === undefined) return `${other} is out`;
  const back = await oracle.carriedOut(there, node);
  return back === undefined ? 'out' : delivering(back, node, oracle);
}

/** Do clients reach the VIP at the node? */
function delivering(world: World, node: string, oracle: Oracle): string | undefined {
  const clients = clientsOf(world, oracle);
  const admitted = { [V4]: 0, [V6]: 0 };
  for (const { subnet, four, six } of clients)
    for (const [address, from] of [
      [V4, four],
      [V6, six],
    ] as const) {
      if (from === undefined) continue;
      const target = routeFrom(world, subnet, address.split('/')[0]!)?.NetworkInterfaceId;
      const eni = enisOf(world, node).find((one) => one.NetworkInterfaceId === target);
      if (eni === undefined) return `${subnet} does not lead ${address} there`;
      if (eni.SourceDestCheck === true) return 'source/destination check';
      if (primaryOf(world, node)?.SourceDestCheck === true) return 'source/destination check of replies';
      // Groups may let in only some of them: that can be meant. Of an ACL it can not, where the routes lead there.
      if (passesGroups(world, eni, 'in', { protocol: '6', port: 443, far: from })) admitted[address] += 1;
      if (eni.SubnetId === subnet) continue;
      if (!answers(world, eni, from, 443)) return `the ACL before ${from}`;
      const vip = address.split('/')[0]!;
      const out = { protocol: '6', port: 443, far: vip } as const;
      if (!passesAcl(world, subnet, true, out)) return `the ACL of ${subnet}`;
      if (!passesAcl(world, subnet, false, { ...out, port: 50_000 })) return `the ACL of ${subnet}, back`;
    }
  const asked = clients.some(({ six }) => six !== undefined) ? ([V4, V6] as const) : ([V4] as const);
  if (asked.some((address) => admitted[address] === 0)) return 'no group lets a client in';
  const eip = world.addresses.find((one) => one.AllocationId === EIP);
  const eni = enisOf(world, node).find((one) => one.NetworkInterfaceId === eip?.NetworkInterfaceId);
  if (eni?.NetworkInterfaceId?.startsWith('eni-eip-') !== true) return 'the EIP is elsewhere';
  if (!reaches(world, eni, INTERNET, 443)) return 'filters before the EIP';
  if (routeFrom(world, eni.SubnetId!, INTERNET)?.GatewayId === undefined) return 'the EIP has no way back';
  return undefined;
}

/** Every node hears every other node's adverts, by some of their ENIs; else both become master. */
function advertising(world: World): string | undefined {
  const speaking = (node: string) =>
    enisOf(world, node).filter((one) => !one.NetworkInterfaceId!.includes('eip'));
  for (const from of Object.values(nodes))
    for (const to of Object.values(nodes)) {
      if (from === to) continue;
      const heard = speaking(from).some((a) =>
        speaking(to).some((b) => {
          const packet = (eni: NetworkInterface) => ({
            ...({ protocol: '112', port: 0, far: eni.PrivateIpAddress! } as const),
            groups: (eni.Groups ?? []).flatMap((group) => group.GroupId ?? []),
          });
          return (
            passesGroups(world, a, 'out', packet(b)) &&
            passesAcl(world, a.SubnetId!, true, packet(b)) &&
            passesAcl(world, b.SubnetId!, false, packet(a)) &&
            passesGroups(world, b, 'in', packet(a))
          );
        }),
      );
      if (!heard) return `${to} does not hear ${from}`;
    }
  return undefined;
}

/** Is everything at the owner, as reconcile would leave it? What a plan still changes was missed. */
async function following(world: World): Promise<string | undefined> {
  const [web] = world.vips;
  const todo = await moved(world, web!, web!.owner!);
  if (todo === undefined) return 'the owner is not a member';
  const { steps, conflicts } = todo;
  return [...steps, ...conflicts].length === 0 ? undefined : 'drift';
}

const VARIABLES = [
  'VIPSHIFT_STAGE',
  'VIPSHIFT_VIPS_TABLE',
  'VIPSHIFT_TIMELINE_TABLE',
  'VIPSHIFT_BUS',
] as const;

function serving(world: World, { right }: Oracle): string | undefined {
  for (const name of ['failover', 'reconcile', 'runbook']) {
    const is = world.functions[name];
    const was = right.functions[name]!;
    if (is === undefined || is.reserved === 0) return `${name} does not run`;
    if (!['Active', 'Inactive'].includes(is.config.State)) return `${name} is ${is.config.State}`;
    if (is.config.Timeout < 300) return `${name} is cut off`;
    const { Variables } = is.config.Environment;
    const other = VARIABLES.find((one) => Variables[one] !== was.config.Environment.Variables[one]);
    if (other !== undefined) return `${name} has another ${other}`;
  }
  const starts = { ClaimRule: 'failover', Reconcile: 'reconcile', NoticeRule: undefined } as const;
  for (const [part, name] of Object.entries(starts)) {
    const is = world.rules.find((rule) => rule.Name.includes(part));
    const was = right.rules.find((rule) => rule.Name.includes(part))!;
    if (is === undefined || is.State !== 'ENABLED') return `${part} is off`;
    if (!is.targets.includes(was.targets[0]!)) return `${part} leads elsewhere`;
    const text = ({ EventPattern, ScheduleExpression }: Partial<Record<string, unknown>>) =>
      JSON.stringify([EventPattern, ScheduleExpression]);
    if (text(is as never) !== text(was as never)) return `${part} matches something else`;
    const invokes = (one: { readonly Effect?: string }) =>
      one.Effect === 'Allow' && JSON.stringify(one).includes(is.Arn);
    if (name !== undefined && world.functions[name]?.policy.some(invokes) !== true)
      return `${part} may not invoke`;
  }
  if (Object.values(world.dynamo).some((one) => one?.status !== 'ACTIVE')) return 'a table is not there';
  if (world.queues['https://sqs/rule-dead-letters'] === undefined) return 'a dead-letter queue is not there';
  if (world.queues['https://sqs/function-failures'] === undefined) return 'a dead-letter queue is not there';
  return undefined;
}

function noticing(world: World, { right }: Oracle): string | undefined {
  const silent = world.alarms.find((one) => !one.ActionsEnabled || !one.AlarmActions?.includes(TOPIC));
  if (silent !== undefined || world.alarms.length < right.alarms.length) return 'an alarm tells no one';
  if (world.alarms.some((one) => one.AlarmName?.endsWith('dead-man') === true && one.StateValue === 'ALARM'))
    return 'reconcile does not run';
  if (!world.subscriptions.some((one) => one.startsWith('arn:'))) return 'no one subscribes';
  const view = world.viewsAtMs.web;
  if (view !== undefined && NOW - view > 45 * 60_000) return 'views are not confirmed';
  return undefined;
}
