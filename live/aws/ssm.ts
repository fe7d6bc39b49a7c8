// SSM: commands to instances and their output, and the image that AWS publishes as a parameter.
//
// Limits: output ends at 24,000 characters (Systems Manager user guide, "Run Command"); a command takes a second or two on its way, which is
// why every measured instant is taken on the machine itself.
import { setTimeout as delay } from 'node:timers/promises';
import { Refused, type Signer, send } from './signed.ts';

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
const ATTEMPTS = 5;
const AGAIN_MS = 100;
const pending = new Set(['Pending', 'InProgress', 'Delayed', 'Cancelling']);

/** What was refused for its rate was not done; without any answer a command may run, and only a question is asked again. */
function mayRepeat(action: string, error: unknown): boolean {
  if (error instanceof Refused)
    return /Throttl|TooManyRequests|RateExceeded|InternalServerError|Http5/.test(error.name);
  return action !== 'SendCommand';
}

interface Invocation {
  readonly Status: string;
  readonly ResponseCode: number;
  readonly StandardOutputContent: string;
  readonly StandardErrorContent: string;
}

export function ssmOf(signer: Signer, endpoint: string): Ssm {
  const call = async <Reply>(action: string, body: object): Promise<Reply> => {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AmazonSSM.${action}` };
    for (let attempt = 1; ; attempt++) {
      try {
        const request = { service: 'ssm', endpoint, headers, body: JSON.stringify(body) };
        return JSON.parse(await send(signer, request)) as Reply;
      } catch (error) {
        if (attempt === ATTEMPTS || !mayRepeat(action, error)) throw error;
        await delay(AGAIN_MS * 2 ** attempt);
      }
    }
  };
  const invocation = async (CommandId: string, InstanceId: string): Promise<Invocation | undefined> => {
    try {
      return await call<Invocation>('GetCommandInvocation', { CommandId, InstanceId });
    } catch (error) {
      // For a moment after SendCommand.
      if (error instanceof Error && error.name === 'InvocationDoesNotExist') return undefined;
      throw error;
    }
  };
  return {
    async image() {
      const { Parameter } = await call<{ Parameter: { Value: string } }>('GetParameter', { Name: IMAGE });
      return Parameter.Value;
    },
    async online(instances) {
      const Filters = [{ Key: 'InstanceIds', Values: instances }];
      type Reply = { InstanceInformationList: readonly { InstanceId: string; PingStatus: string }[] };
      const { InstanceInformationList } = await call<Reply>('DescribeInstanceInformation', { Filters });
      return InstanceInformationList.filter((i) => i.PingStatus === 'Online').map((i) => i.InstanceId);
    },
    async run(instance, script, withinMs) {
      const { Command } = await call<{ Command: { CommandId: string } }>('SendCommand', {
        DocumentName: 'AWS-RunShellScript',
        InstanceIds: [instance],
        TimeoutSeconds: 60,
        Parameters: { commands: [script] },
      });
      const until = Date.now() + withinMs;
      for (;;) {
        await delay(LOOK_AGAIN_MS);
        const found = await invocation(Command.CommandId, instance);
        if (found !== undefined && !pending.has(found.Status)) return outputOf(found, instance, script);
        if (Date.now() > until)
          throw new Error(`${instance} did not end within ${withinMs} ms: ${firstLine(script)}`);
      }
    },
  };
}

function outputOf(found: Invocation, instance: string, script: string): string {
  if (found.Status === 'Success') return found.StandardOutputContent;
  const why = found.StandardErrorContent.trim() || `status ${found.ResponseCode}`;
  throw new Error(`${instance}: ${firstLine(script)}: ${found.Status}: ${why.slice(-500)}`);
}

const firstLine = (script: string): string => script.split('\n')[0]!.slice(0, 120);
