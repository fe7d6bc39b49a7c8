// Stacks: CloudFormation's stacks by their names: made, found, removed, and why something of them failed.
//
// Invariant: who asks for a change waits for its end, and nothing is changed while CloudFormation is at work: it refuses that after an update.
// Limit: it waits for 15 minutes at most.
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  paginateDescribeStackEvents,
} from '@aws-sdk/client-cloudformation';
import { ifThere } from '../teardown/absence.ts';

export interface FoundStack {
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface NewStack {
  readonly name: string;
  readonly template: object;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Stacks {
  /** In whatever state; undefined when there is none, or no longer. */
  find(name: string): Promise<FoundStack | undefined>;
  /** An Error with the first resource that failed, and why; CloudFormation then takes back what it made. */
  create(stack: NewStack, signal: AbortSignal): Promise<FoundStack>;
  /** An Error with what would not go, and why. Nothing where there is no stack. */
  remove(name: string): Promise<void>;
  /** Once CloudFormation is no longer at work on it. */
  settled(name: string, signal?: AbortSignal): Promise<FoundStack | undefined>;
}

/** `pauseMs`: between two looks. */
export function stacksOf(client: CloudFormationClient, pauseMs: number): Stacks {
  const find = async (name: string): Promise<FoundStack | undefined> => {
    const found = await ifThere(() => client.send(new DescribeStacksCommand({ StackName: name })));
    const stack = found?.Stacks?.[0];
    if (stack === undefined || stack.StackStatus === 'DELETE_COMPLETE') return undefined;
    const { Tags = [], Outputs = [] } = stack;
    return {
      status: stack.StackStatus!,
      tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key!, Value!])),
      outputs: Object.fromEntries(Outputs.map(({ OutputKey, OutputValue }) => [OutputKey!, OutputValue!])),
    };
  };
  const settled: Stacks['settled'] = (name, signal) =>
    untilSettled({ find: () => find(name), pauseMs, signal });
  return {
    find,
    settled,
    async create({ name, template, parameters, tags }, signal) {
      await client.send(
        new CreateStackCommand({
          StackName: name,
          TemplateBody: JSON.stringify(template),
          Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({
            ParameterKey,
            ParameterValue,
          })),
          Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
          Capabilities: ['CAPABILITY_IAM'],
          TimeoutInMinutes: SETTLED_MAX_MS / 60_000,
          // The same request sent twice makes one stack.
          ClientRequestToken: name,
        }),
        { abortSignal: signal },
      );
      const made = await settled(name, signal);
      if (made?.status === 'CREATE_COMPLETE') return made;
      throw await failure(client, name, `${made?.status ?? 'gone'}, expected CREATE_COMPLETE`);
    },
    async remove(name) {
      if ((await settled(name)) === undefined) return;
      await client.send(new DeleteStackCommand({ StackName: name }));
      const left = await settled(name);
      if (left !== undefined) throw await failure(client, name, left.status);
    },
  };
}

const SETTLED_MAX_MS = 900_000;

interface Settling {
  readonly find: () => Promise<FoundStack | undefined>;
  readonly pauseMs: number;
  readonly maxMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** The stack once nothing is in progress any more; undefined when it is gone. */
export async function untilSettled({
  find,
  pauseMs,
  maxMs = SETTLED_MAX_MS,
  signal,
}: Settling): Promise<FoundStack | undefined> {
  const until = Date.now() + maxMs;
  for (;;) {
    const found = await find();
    if (found === undefined || !found.status.endsWith('_IN_PROGRESS')) return found;
    if (Date.now() >= until) throw new Error(`CloudFormation has not finished: ${found.status}`);
    await delay(pauseMs, undefined, { signal });
  }
}

/** What has failed since the stack's last change began: the first one is the cause. */
async function failure(client: CloudFormationClient, name: string, status: string): Promise<Error> {
  const failed: string[] = [];
  const pages = paginateDescribeStackEvents({ client }, { StackName: name });
  for await (const { StackEvents = [] } of pages)
    for (const { LogicalResourceId: id, ResourceStatus = '', ResourceStatusReason: why } of StackEvents) {
      // Newest first.
      const isOfStack = id === name;
      if (isOfStack && /^(CREATE|DELETE)_IN_PROGRESS$/.test(ResourceStatus))
        return errorOf(name, status, failed);
      if (!isOfStack && ResourceStatus.endsWith('_FAILED')) failed.unshift(`${id}: ${why ?? ResourceStatus}`);
    }
  return errorOf(name, status, failed);
}

const FAILED_MAX = 5;
const errorOf = (name: string, status: string, failed: readonly string[]): Error =>
  new Error([`the stack ${name} is ${status}`, ...failed.slice(0, FAILED_MAX)].join('; '));
