// What a command line sends to AWS: a hop before the local AWS that keeps of each call which service it was signed for, the action and the
// parameters.
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AwsCall, awsCall } from '../../../lab/fault/aws-call.ts';
import { forward, read } from '../../../lab/fault/http-hop.ts';

export interface Recorded extends Pick<AwsCall, 'action' | 'parameters'> {
  /** As the signature names it: `dynamodb`, `states`. */
  readonly service: string;
}

export interface Recorder {
  readonly url: string;
  /** What came since the last time. */
  taken(): readonly Recorded[];
  stop(): Promise<void>;
}

/** Of the services that name the action by the path: CloudWatch's operation, and what of a function is asked of Lambda. */
function restCall(path: string): Pick<AwsCall, 'action' | 'parameters'> | undefined {
  const [, operation] = /\/operation\/(\w+)$/.exec(path) ?? [];
  if (operation !== undefined) return { action: operation, parameters: {} };
  const [, name, what] = /\/functions\/([^/]+)\/(\w+)$/.exec(path) ?? [];
  const action = lambda[what as keyof typeof lambda];
  return action === undefined ? undefined : { action, parameters: { FunctionName: name } };
}
const lambda = {
  concurrency: 'GetFunctionConcurrency',
  configuration: 'GetFunctionConfiguration',
  policy: 'GetPolicy',
  url: 'GetFunctionUrlConfig',
} as const;

export async function startRecorder(target: string): Promise<Recorder> {
  const calls: Recorded[] = [];
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, response) => {
    const hop = async () => {
      const request = await read(incoming);
      const [, service = 'unsigned'] =
        /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? '') ?? [];
      const { action, parameters } = restCall(request.path) ?? awsCall(request);
      calls.push({ service, action, parameters });
      const reply = await forward(request, new URL(target), agent);
      response.writeHead(reply.status, reply.headers as Record<string, string>).end(reply.body);
    };
    hop().catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: () => calls.splice(0),
    async stop() {
      server.closeAllConnections();
      agent.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
