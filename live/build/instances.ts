// Instances: the two nodes and the probe of a run. Each has one ENI, which EC2 makes and removes with it; a node's has the VIP's tag
// and has its source/destination check off.

import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateTagsCommand,
  type Instance,
  ModifyNetworkInterfaceAttributeCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { type MachineName, machines, type PlannedMachine } from '../plan.ts';
import { type Making, type Network, tagsFor } from './network.ts';

export interface RunningInstance {
  readonly instanceId: string;
  readonly eni: string;
  readonly zone: string;
}
export type Instances = Readonly<Record<MachineName, RunningInstance>>;

export interface Machinery {
  readonly image: string;
  readonly profile: string;
  /** By machine; a shell script. */
  userData(name: MachineName): string;
}

export async function makeInstances(
  making: Making,
  network: Network,
  machinery: Machinery,
): Promise<Instances> {
  const made: Partial<Record<MachineName, RunningInstance>> = {};
  for (const machine of machines)
    made[machine.name] = await makeInstance(making, network, machinery, machine);
  return made as Instances;
}

async function makeInstance(
  making: Making,
  network: Network,
  machinery: Machinery,
  { name, address }: PlannedMachine,
): Promise<RunningInstance> {
  const { ec2, run, signal } = making;
  const isNode = name !== 'probe';
  const label = isNode ? [{ Key: run.labelKey, Value: run.vip }] : [];
  const input = {
    ImageId: machinery.image,
    InstanceType: 't4g.nano' as const,
    MinCount: 1,
    MaxCount: 1,
    // The same request sent twice makes one machine.
    ClientToken: `${run.name}-${name}`,
    IamInstanceProfile: { Name: machinery.profile },
    UserData: Buffer.from(machinery.userData(name)).toString('base64'),
    MetadataOptions: { HttpTokens: 'required' as const },
    InstanceInitiatedShutdownBehavior: 'terminate' as const,
    NetworkInterfaces: [
      {
        DeviceIndex: 0,
        SubnetId: network.subnets[name],
        Groups: [network.securityGroup],
        PrivateIpAddress: address,
        AssociatePublicIpAddress: true,
        DeleteOnTermination: true,
      },
    ],
    TagSpecifications: [
      tagsFor(run, 'instance', name),
      tagsFor(run, 'volume', name),
      tagsFor(run, 'network-interface', name, label),
    ],
  };
  const instance = await onceProfileIsKnown(
    async () => (await ec2.send(new RunInstancesCommand(input), { abortSignal: signal })).Instances![0]!,
    signal,
  );
  const eni = instance.NetworkInterfaces![0]!.NetworkInterfaceId!;
  if (isNode) {
    // Once more: not every EC2 emulator tags the ENI on the way.
    const { Tags } = tagsFor(run, 'network-interface', name, label);
    await ec2.send(new CreateTagsCommand({ Resources: [eni], Tags }), { abortSignal: signal });
    const off = { NetworkInterfaceId: eni, SourceDestCheck: { Value: false } };
    await ec2.send(new ModifyNetworkInterfaceAttributeCommand(off), { abortSignal: signal });
  }
  return { instanceId: instance.InstanceId!, eni, zone: instance.Placement?.AvailabilityZone ?? '' };
}

const PROFILE_TRIES = 15;
const PROFILE_AGAIN_MS = 2_000;

/** EC2 learns of a new instance profile some seconds after IAM has made it (IAM user guide, "Eventual consistency"). */
async function onceProfileIsKnown(start: () => Promise<Instance>, signal: AbortSignal): Promise<Instance> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      // EC2 has no code of its own for it.
      const { name, message } = error as Error;
      const unknown = name === 'InvalidParameterValue' && /instance profile/i.test(message);
      if (!unknown || attempt === PROFILE_TRIES) throw error;
      await delay(PROFILE_AGAIN_MS, undefined, { signal });
    }
  }
}
