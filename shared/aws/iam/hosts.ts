// Instances: whether each node runs, and under which instance profile.
import { paginateDescribeInstances } from '@aws-sdk/client-ec2';
import { defined } from '../../optional.ts';
import { filter } from '../ec2/access.ts';
import type { Ec2Reader } from '../ec2/vpc.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';

export interface Host {
  readonly node: string;
  /** EC2's name: `running`, `stopped`, … */
  readonly state: string;
  /** ARN of its instance profile; undefined when it has none. */
  readonly profile?: string;
}

/** EC2 user guide, "List and filter": of one filter. */
const VALUES_MAX = 200;

/** Nodes that EC2 does not show are left out. */
export async function hostsOf(access: Ec2Reader, nodes: readonly string[]): Promise<readonly Host[]> {
  const hosts: Host[] = [];
  try {
    for (let from = 0; from < nodes.length; from += VALUES_MAX) {
      const pages = paginateDescribeInstances(
        { client: access.reader },
        { Filters: filter('instance-id', nodes.slice(from, from + VALUES_MAX)) },
        { abortSignal: access.signal },
      );
      for (const { Instances = [] } of await collect(pages, (page) => page.Reservations))
        for (const { InstanceId, State, IamInstanceProfile } of Instances)
          hosts.push({
            node: InstanceId!,
            state: State?.Name ?? 'unknown',
            ...defined({ profile: IamInstanceProfile?.Arn }),
          });
    }
    return hosts;
  } catch (error) {
    throw faultFromSdkError(error, 'looking up instances');
  }
}
