// SSM: commands to instances and their output, and the image that AWS publishes as a parameter.
//
// Limits: output ends at 24,000 characters (Systems Manager user guide, "Run Command"); a command takes a second or two on its way, which is
// why every measured instant is taken on the machine itself.
import { setTimeout as delay } from 'node:timers/promises';
import {
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  type GetCommandInvocationResult,
  GetParameterCommand,
  SendCommandCommand,
  type SSMClient,
  SSMServiceException,
} from '@aws-sdk/client-ssm';

export interface Ssm {
  /** The newest Amazon Linux 2023 for arm64. */
  image(): Promise<string>;
  /** Those of the instances whose agent is there. */
  online(instances: readonly string[]): Promise<readonly string[]>;
  /** What the script printed; an Error with its stderr when it failed. */
  run(instance: string, script: string, withinMs: number): Promise<string>;
}

const IMAGE = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64';
const LOOK_AGAIN_MS = 250;
const ANSWER_MAX_MS = 20_000;
const ATTEMPTS = 5;
const AGAIN_MS = 100;
const pending = new Set(['Pending', 'InProgress', 'Delayed', 'Cancelling']);

/** What was refused for its rate was not done; without any answer a command may run, and only a question is asked again. */
function mayRepeat(isCommand: boolean, error: unknown): boolean {
  if (!(error instanceof SSMServiceException)) return !isCommand;
  return /Throttl|TooManyRequests|RateExceeded/.test(error.name) || error.$fault === 'server';
}

const limit = () => ({ abortSignal: AbortSignal.timeout(ANSWER_MAX_MS) });

/** The client must not repeat anything by itself (`maxAttempts: 1`). */
export function ssmOf(client: SSMClient): Ssm {
  const repeating = async <Reply>(call: () => Promise<Reply>, isCommand = false): Promise<Reply> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (attempt === ATTEMPTS || !mayRepeat(isCommand, error)) throw error;
        await delay(AGAIN_MS * 2 ** attempt);
      }
    }
  };
  const invocation = async (
    CommandId: string,
    InstanceId: string,
  ): Promise<GetCommandInvocationResult | undefined> => {
    try {
      const asked = { CommandId, InstanceId };
      return await repeating(() => client.send(new GetCommandInvocationCommand(asked), limit()));
    } catch (error) {
      // For a moment after SendCommand.
      if (error instanceof Error && error.name === 'InvocationDoesNotExist') return undefined;
      throw error;
    }
  };
  return {
    async image() {
      const { Parameter } = await repeating(() =>
        client.send(new GetParameterCommand({ Name: IMAGE }), limit()),
      );
      return Parameter!.Value!;
    },
    async online(instances) {
      const Filters = [{ Key: 'InstanceIds', Values: [...instances] }];
      const { InstanceInformationList = [] } = await repeating(() =>
        client.send(new DescribeInstanceInformationCommand({ Filters }), limit()),
      );
      return InstanceInformationList.filter((i) => i.PingStatus === 'Online').map((i) => i.InstanceId!);
    },
    async run(instance, script, withinMs) {
      const asked = {
        DocumentName: 'AWS-RunShellScript',
        InstanceIds: [instance],
        TimeoutSeconds: 60,
        Parameters: { commands: [script] },
      };
      const { Command } = await repeating(() => client.send(new SendCommandCommand(asked), limit()), true);
      const until = Date.now() + withinMs;
      for (;;) {
        await delay(LOOK_AGAIN_MS);
        const found = await invocation(Command!.CommandId!, instance);
        if (found !== undefined && !pending.has(found.Status!)) return outputOf(found, instance, script);
        if (Date.now() > until)
          throw new Error(`${instance} did not end within ${withinMs} ms: ${firstLine(script)}`);
      }
    },
  };
}

function outputOf(found: GetCommandInvocationResult, instance: string, script: string): string {
  if (found.Status === 'Success') return found.StandardOutputContent ?? '';
  const why = found.StandardErrorContent?.trim() || `status ${found.ResponseCode}`;
  throw new Error(`${instance}: ${firstLine(script)}: ${found.Status}: ${why.slice(-500)}`);
}

const firstLine = (script: string): string => script.split('\n')[0]!.slice(0, 120);
