// EC2 through its SDK. Describes use the SDK's retries; a mutation is one attempt, because every attempt has to check the
// lease first (guarantee 3).
import { setMaxListeners } from 'node:events';
import {
  AssociateAddressCommand,
  CreateRouteCommand,
  ModifyNetworkInterfaceAttributeCommand,
  ReplaceRouteCommand,
} from '@aws-sdk/client-ec2';
import { Fault } from '../../fault.ts';
import type { Ec2 } from '../../network/ec2.ts';
import type { RouteStep, Step } from '../../network/step.ts';
import { type DurationMs, durationMs, type EpochMs, plus } from '../../time.ts';
import { ATTEMPT_MAX } from '../../vip/lease.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { type Mutation, sendMutation } from '../mutation.ts';
import type { Ec2Access } from './access.ts';
import { hostState, scheduledEvents } from './instance-status.ts';
import { observe } from './observe.ts';
import { observeAll } from './observe-all.ts';

export function awsEc2(access: Ec2Access): Ec2 {
  const endOfAttempt = attemptEnds(access);
  return {
    observe: (scope) => observe(access, scope),
    observeAll: (scopes) => observeAll(access, scopes),
    hostState: (node) => hostState(access, node),
    scheduledEvents: () => scheduledEvents(access),
    apply: (step, mayStart) => apply(access, step, { mayStart, abortSignal: endOfAttempt() }),
  };
}

/** Attempts that begin together end together: a signal of its own for each of 200 costs 5 % of their CPU. */
const TOGETHER: DurationMs = durationMs(10);

/** Aborts ATTEMPT_MAX after it was asked for, at most TOGETHER earlier; or with the invocation. */
function attemptEnds({ signal, clock }: Ec2Access): () => AbortSignal {
  let last: { readonly madeAtMs: EpochMs; readonly signal: AbortSignal } | undefined;
  return () => {
    const now = clock.now();
    const isOld = last === undefined || now < last.madeAtMs || now > plus(last.madeAtMs, TOGETHER);
    if (isOld) last = { madeAtMs: now, signal: endSignal(signal) };
    return last!.signal;
  };
}

function endSignal(signal: AbortSignal): AbortSignal {
  const ends = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MAX)]);
  // Each request that is under way listens to it; before Node.js 22 more than ten are warned of as a leak.
  setMaxListeners(0, ends);
  return ends;
}

interface Attempt {
  readonly mayStart: () => boolean;
  readonly abortSignal: AbortSignal;
}

async function apply(
  { writer, clock }: Ec2Access,
  step: Step,
  { mayStart, abortSignal }: Attempt,
): Promise<void> {
  const maySend = () => {
    if (!mayStart())
      throw new Fault('lease-short', 'LeaseShort', `${step.cell}: too little lease left to start`);
  };
  try {
    await sendMutation(writer, mutationFor(step), { clock, maySend, abortSignal });
  } catch (error) {
    throw faultFromSdkError(error, `${step.call} ${step.cell}`);
  }
}

function mutationFor(step: Step): Mutation {
  const { call: action } = step;
  switch (action) {
    case 'ReplaceRoute': {
      const input = routeInput(step);
      return { action, input, command: () => new ReplaceRouteCommand(input) };
    }
    case 'CreateRoute': {
      const input = routeInput(step);
      return { action, input, command: () => asOne(new CreateRouteCommand(input)) };
    }
    case 'AssociateAddress': {
      const input = {
        AllocationId: step.eip,
        NetworkInterfaceId: step.eni,
        PrivateIpAddress: step.privateAddress,
        // In one call, never taking away first (guarantee 9).
        AllowReassociation: true,
      };
      return { action, input, command: () => asOne(new AssociateAddressCommand(input)) };
    }
    case 'ModifyNetworkInterfaceAttribute': {
      const input = { NetworkInterfaceId: step.eni, SourceDestCheck: { Value: false } };
      return { action, input, command: () => asOne(new ModifyNetworkInterfaceAttributeCommand(input)) };
    }
    default:
      throw new TypeError(`no EC2 call for ${JSON.stringify(step satisfies never)}`);
  }
}

/** The commands differ in their input and output, and in nothing that matters to a mutation. */
const asOne = (command: object): ReplaceRouteCommand => command as ReplaceRouteCommand;

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
