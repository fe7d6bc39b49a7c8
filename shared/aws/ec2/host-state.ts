// Whether one instance runs. By DescribeInstanceStatus: the shapes of DescribeInstances are 18 KB in every function's bundle.
import { DescribeInstanceStatusCommand } from '@aws-sdk/client-ec2';
import { faultFromSdkError } from '../error-codes.ts';
import type { Ec2Access } from './access.ts';

/** EC2's name of the state: `running`, `stopped`, …; undefined where EC2 shows no such instance. Throws a Fault. */
export async function hostState(access: Ec2Access, node: string): Promise<string | undefined> {
  try {
    const { InstanceStatuses = [] } = await access.reader.send(
      new DescribeInstanceStatusCommand({ InstanceIds: [node], IncludeAllInstances: true }),
      { abortSignal: access.signal },
    );
    return InstanceStatuses.find(({ InstanceId }) => InstanceId === node)?.InstanceState?.Name;
  } catch (error) {
    const fault = faultFromSdkError(error, `looking up ${node}`);
    if (fault.kind === 'gone') return undefined;
    throw fault;
  }
}
