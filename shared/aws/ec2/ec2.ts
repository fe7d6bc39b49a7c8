// EC2 through its SDK. Describes use the SDK's retries; a mutation is one attempt, because every attempt has to check the
// lease first (guarantee 3).
import {
  AssociateAddressCommand,
  type AssociateAddressCommandInput,
  CreateRouteCommand,
  ModifyNetworkInterfaceAttributeCommand,
  ReplaceRouteCommand,
} from '@aws-sdk/client-ec2';
import { Fault } from '../../fault.ts';
import type { Ec2 } from '../../network/ec2.ts';
import type { RouteStep, Step } from '../../network/step.ts';
import { ATTEMPT_MAX } from '../../vip/lease.ts';
import { faultFromSdkError } from '../error-codes.ts';
import type { Ec2Access } from './access.ts';
import { hostState } from './host-state.ts';
import { observe } from './observe.ts';
import { observeAll } from './observe-all.ts';
import { scheduledEvents } from './scheduled-events.ts';

export const awsEc2 = (access: Ec2Access): Ec2 => ({
  observe: (scope) => observe(access, scope),
  observeAll: (scopes) => observeAll(access, scopes),
  hostState: (node) => hostState(access, node),
  scheduledEvents: () => scheduledEvents(access),
  apply: (step, mayStart) => apply(access, step, mayStart),
});

type StepCommand =
  | ReplaceRouteCommand
  | CreateRouteCommand
  | AssociateAddressCommand
  | ModifyNetworkInterfaceAttributeCommand;

async function apply(access: Ec2Access, step: Step, mayStart: () => boolean): Promise<void> {
  // One overload per command; they differ in nothing that matters here.
  const command = commandFor(step) as ReplaceRouteCommand;
  // After signing, right before the request goes to the socket: the check and the send are one step.
  command.middlewareStack.add(
    (next) => (args) => {
      if (!mayStart())
        throw new Fault('lease-short', 'LeaseShort', `${step.cell}: too little lease left to start`);
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'leaseGuard' },
  );
  const abortSignal = AbortSignal.any([access.signal, AbortSignal.timeout(ATTEMPT_MAX)]);
  try {
    await access.writer.send(command, { abortSignal });
  } catch (error) {
    throw faultFromSdkError(error, `${step.call} ${step.cell}`);
  }
}

function commandFor(step: Step): StepCommand {
  switch (step.call) {
    case 'ReplaceRoute':
      return new ReplaceRouteCommand(routeInput(step));
    case 'CreateRoute':
      return new CreateRouteCommand(routeInput(step));
    case 'AssociateAddress': {
      const input: AssociateAddressCommandInput = {
        AllocationId: step.eip,
        NetworkInterfaceId: step.eni,
        PrivateIpAddress: step.privateAddress,
        // In one call, never taking away first (guarantee 9).
        AllowReassociation: true,
      };
      return new AssociateAddressCommand(input);
    }
    case 'ModifyNetworkInterfaceAttribute':
      return new ModifyNetworkInterfaceAttributeCommand({
        NetworkInterfaceId: step.eni,
        SourceDestCheck: { Value: false },
      });
    default:
      throw new TypeError(`no EC2 call for ${JSON.stringify(step satisfies never)}`);
  }
}

const routeInput = (step: RouteStep) => ({
  RouteTableId: step.table,
  NetworkInterfaceId: step.eni,
  ...destinationInput(step.destination),
});

function destinationInput(destination: string) {
  if (destination.startsWith('pl-')) return { DestinationPrefixListId: destination };
  if (destination.includes(':')) return { DestinationIpv6CidrBlock: destination };
  return { DestinationCidrBlock: destination };
}
