// EC2's lists in this process: filtered as they are asked for, and handed out a thing a page with an empty page among them.
import type { AwsCall } from '../../../lab/fault/aws-call.ts';
import { type Answer, ec2Reply, listed, refused, type Tree } from './endpoint.ts';

export interface Thing {
  /** What EC2's filters see of it: `vpc-id`, `tag-key`, `tag:vipshift:dev`, … */
  readonly by: Readonly<Record<string, string | readonly string[]>>;
  /** In the names of the API reference. */
  readonly is: Tree;
}

/** The element that the list of an action is in. */
const lists = {
  DescribeRouteTables: 'routeTableSet',
  DescribeNetworkInterfaces: 'networkInterfaceSet',
  DescribeAddresses: 'addressesSet',
  DescribeSubnets: 'subnetSet',
  DescribeSecurityGroups: 'securityGroupInfo',
  DescribeNetworkAcls: 'networkAclSet',
  DescribeInstances: 'reservationSet',
  DescribeVpcEndpoints: 'vpcEndpointSet',
  DescribeNatGateways: 'natGatewaySet',
  DescribeTags: 'tagSet',
  DescribeAvailabilityZones: 'availabilityZoneInfo',
  GetManagedPrefixListEntries: 'entrySet',
} as const;
export type List = keyof typeof lists;

/** EC2 API reference: it has neither MaxResults nor NextToken. */
const inOnePiece: readonly string[] = [
  'DescribeAddresses',
  'DescribeAvailabilityZones',
] satisfies readonly List[];

const isList = (action: string): action is List => Object.hasOwn(lists, action);

export function ec2Lists(
  things: Readonly<Partial<Record<List, readonly Thing[]>>>,
): (call: AwsCall) => Answer {
  return (call) => {
    const { action, parameters } = call;
    if (!isList(action)) return refused(call, 'InvalidAction', action);
    const found = (things[action] ?? []).filter((thing) => isAsked(call, thing)).map((thing) => thing.is);
    if (inOnePiece.includes(action)) return ec2Reply(call, { [lists[action]]: found });
    const pages: (readonly Tree[])[] = found.map((one) => [one]);
    pages.splice(-1, 0, []);
    const at = Number(parameters.NextToken ?? 0);
    const nextToken = at + 1 < pages.length ? String(at + 1) : undefined;
    return ec2Reply(call, { [lists[action]]: pages[at] ?? [], nextToken });
  };
}

/** Every filter has one of its values; the list of a request that names one is only of that. */
function isAsked(call: AwsCall, { by }: Thing): boolean {
  const of = (name: string) => [by[name] ?? []].flat();
  for (let n = 1; call.parameters[`Filter.${n}.Name`] !== undefined; n++) {
    const values = listed(call, `Filter.${n}.Value`);
    if (!of(String(call.parameters[`Filter.${n}.Name`])).some((value) => values.includes(value)))
      return false;
  }
  const list = call.parameters.PrefixListId;
  return list === undefined || (typeof list === 'string' && of('prefix-list-id').includes(list));
}

export const tags = (pairs: Readonly<Record<string, string>>): Tree =>
  Object.entries(pairs).map(([key, value]) => ({ key, value }));
