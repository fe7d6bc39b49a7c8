// Names, zones, private addresses and states of instances, for people: one DescribeInstances for 200 of them. No function imports
// this: the shapes of DescribeInstances are 18 KB in a bundle.
import { type Instance, paginateDescribeInstances } from '@aws-sdk/client-ec2';
import type { NodeFacts, Nodes } from '../../network/node-facts.ts';
import { defined } from '../../optional.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';
import { filter } from './access.ts';
import type { Ec2Reader } from './vpc.ts';

/** EC2's most for one filter. An id that there is not would fail a request that names ids; a filter leaves it out. */
const VALUES_MAX = 200;

/** Those that EC2 shows. Throws a Fault. */
export async function nodeFacts({ reader, signal }: Ec2Reader, ids: readonly string[]): Promise<Nodes> {
  const facts = new Map<string, NodeFacts>();
  try {
    for (let from = 0; from < ids.length; from += VALUES_MAX) {
      const pages = paginateDescribeInstances(
        { client: reader },
        { Filters: filter('instance-id', ids.slice(from, from + VALUES_MAX)) },
        { abortSignal: signal },
      );
      const found = await collect(pages, ({ Reservations }) =>
        (Reservations ?? []).flatMap(({ Instances }) => Instances ?? []),
      );
      for (const one of found.map(factsOf)) facts.set(one.node, one);
    }
    return facts;
  } catch (error) {
    throw faultFromSdkError(error, `looking up ${ids.length} instances`);
  }
}

/** EC2 gives an empty text for what an instance does not have (any more). */
function factsOf(instance: Instance): NodeFacts {
  const name = instance.Tags?.find(({ Key }) => Key === 'Name')?.Value;
  return {
    node: instance.InstanceId!,
    ...defined({
      name: name || undefined,
      zone: instance.Placement?.AvailabilityZone || undefined,
      privateAddress: instance.PrivateIpAddress || undefined,
      privateDnsName: instance.PrivateDnsName || undefined,
      state: instance.State?.Name,
    }),
  };
}
