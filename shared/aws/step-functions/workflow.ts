// The workflow `failover` as its callers see it: the executions of its state machine.
//
// Invariant: a name is one failover. An execution that exists under a name is returned and never started again.
// Limit: Step Functions forgets an execution 90 days after its end; the timeline keeps what it did.
import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  paginateGetExecutionHistory,
  SendTaskSuccessCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { Decision } from '../../forced-failover/approval.ts';
import { defined } from '../../optional.ts';
import { type EpochMs, epochMs } from '../../time.ts';
import { faultFromSdkError, isExecutionThere, isNoExecution, isTaskOver } from '../error-codes.ts';
import { collect } from '../pages.ts';

export interface Execution {
  readonly name: string;
  /** `stopped`: by hand, by StopExecution. */
  readonly state: 'running' | 'succeeded' | 'failed' | 'timed out' | 'stopped';
  /** What it was started with. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly output?: Readonly<Record<string, unknown>>;
  readonly error?: string;
  readonly cause?: string;
  readonly startedAtMs: EpochMs;
}

/** A state that was entered, or an attempt of its task that failed. */
export interface Happening {
  readonly id: number;
  readonly atMs: EpochMs;
  readonly entered?: string;
  readonly fault?: string;
}

export interface Workflow {
  /** `there`: an execution of that name exists, running or ended. */
  start(name: string, input: object): Promise<'started' | 'there'>;
  describe(name: string): Promise<Execution | undefined>;
  /** What happened after the event of this id, in order. */
  happenings(name: string, afterId: number): Promise<readonly Happening[]>;
  /** What the workflow knew when it made its report; undefined when it made none. */
  reported(name: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** `over`: it was answered already, or waits no longer. */
  answer(token: string, decision: Decision): Promise<'taken' | 'over'>;
}

export interface Machine {
  readonly client: SFNClient;
  readonly machineArn: string;
  readonly signal: AbortSignal;
}

export const awsWorkflow = (machine: Machine): Workflow => ({
  start: (name, input) => start(machine, name, input),
  describe: (name) => describe(machine, name),
  happenings: (name, afterId) => happenings(machine, name, afterId),
  reported: (name) => reported(machine, name),
  answer: (token, decision) => answer(machine, token, decision),
});

const executionArn = ({ machineArn }: Machine, name: string): string =>
  `${machineArn.replace(':stateMachine:', ':execution:')}:${name}`;

async function start(machine: Machine, name: string, input: object): Promise<'started' | 'there'> {
  const request = { stateMachineArn: machine.machineArn, name, input: JSON.stringify(input) };
  try {
    await machine.client.send(new StartExecutionCommand(request), { abortSignal: machine.signal });
    return 'started';
  } catch (error) {
    if (isExecutionThere(error)) return 'there';
    throw faultFromSdkError(error, `starting ${machine.machineArn}`);
  }
}

const states: Readonly<Record<string, Execution['state']>> = {
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  TIMED_OUT: 'timed out',
  ABORTED: 'stopped',
};

async function describe(machine: Machine, name: string): Promise<Execution | undefined> {
  const command = new DescribeExecutionCommand({ executionArn: executionArn(machine, name) });
  try {
    return executionFrom(name, await machine.client.send(command, { abortSignal: machine.signal }));
  } catch (error) {
    if (isNoExecution(error)) return undefined;
    throw faultFromSdkError(error, `describing the execution ${name}`);
  }
}

const executionFrom = (name: string, found: DescribeExecutionOutput): Execution => ({
  name,
  state: states[found.status ?? ''] ?? 'running',
  input: dataFrom(found.input) ?? {},
  ...defined({ output: dataFrom(found.output), error: found.error, cause: found.cause }),
  startedAtMs: instantOf(found.startDate),
});

const instantOf = (date: Date | undefined): EpochMs => epochMs(date?.getTime() ?? 0);

function dataFrom(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
  } catch {
    // Longer than Step Functions shows.
    return undefined;
  }
}

/** An execution has at most 25,000 events; a page holds a thousand. */
async function happenings(machine: Machine, name: string, afterId: number): Promise<readonly Happening[]> {
  const pages = paginateGetExecutionHistory(
    { client: machine.client, pageSize: 1000 },
    { executionArn: executionArn(machine, name), includeExecutionData: false },
    { abortSignal: machine.signal },
  );
  try {
    const found = await collect(pages, ({ events }) =>
      (events ?? []).flatMap((event) => happeningFrom(event) ?? []),
    );
    return found.filter((happening) => happening.id > afterId);
  } catch (error) {
    throw faultFromSdkError(error, `reading what the execution ${name} did`);
  }
}

/** Between the report and the end: the message, and how it ended. */
const AFTER_REPORT_MAX = 50;

async function reported(machine: Machine, name: string) {
  const command = new GetExecutionHistoryCommand({
    executionArn: executionArn(machine, name),
    maxResults: AFTER_REPORT_MAX,
    reverseOrder: true,
    includeExecutionData: true,
  });
  try {
    const { events = [] } = await machine.client.send(command, { abortSignal: machine.signal });
    const exited = events.map((event) => event.stateExitedEventDetails);
    return dataFrom(exited.find((state) => state?.name === 'report')?.output);
  } catch (error) {
    throw faultFromSdkError(error, `reading what the execution ${name} reported`);
  }
}

function happeningFrom(event: HistoryEvent): Happening | undefined {
  const at = { id: event.id ?? 0, atMs: instantOf(event.timestamp) };
  const entered = event.stateEnteredEventDetails?.name;
  if (entered !== undefined) return { ...at, entered };
  const failed =
    event.taskFailedEventDetails ??
    event.lambdaFunctionFailedEventDetails ??
    event.taskTimedOutEventDetails ??
    event.lambdaFunctionTimedOutEventDetails;
  if (failed === undefined) return undefined;
  return { ...at, fault: [failed.error, failed.cause].filter((part) => part !== undefined).join(': ') };
}

async function answer(machine: Machine, token: string, decision: Decision): Promise<'taken' | 'over'> {
  const command = new SendTaskSuccessCommand({ taskToken: token, output: JSON.stringify(decision) });
  try {
    await machine.client.send(command, { abortSignal: machine.signal });
    return 'taken';
  } catch (error) {
    if (isTaskOver(error)) return 'over';
    throw faultFromSdkError(error, 'answering the request for approval');
  }
}
