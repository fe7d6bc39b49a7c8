// EventBridge with resource policies: MiniStack takes a bus's policy and forgets it. This front passes every call on and
// adds to DescribeEventBus the policy that was set here.
import { createServer } from 'node:http';
import { listening } from '../../../lab/aws/listening.ts';

export interface BusFront {
  readonly url: string;
  policy: string | undefined;
  stop(): Promise<void>;
}

export async function startBusFront(endpoint: string): Promise<BusFront> {
  const front = { policy: undefined as string | undefined };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      void (async () => {
        const headers = Object.fromEntries(
          ['content-type', 'x-amz-target', 'authorization', 'x-amz-date'].flatMap((name) =>
            typeof request.headers[name] === 'string' ? [[name, request.headers[name]]] : [],
          ),
        );
        const reply = await fetch(endpoint, { method: 'POST', headers, body: Buffer.concat(chunks) });
        const text = await reply.text();
        const describes = request.headers['x-amz-target'] === 'AWSEvents.DescribeEventBus' && reply.ok;
        const told = describes && front.policy !== undefined;
        response.writeHead(reply.status, { 'content-type': 'application/x-amz-json-1.1' });
        response.end(told ? JSON.stringify({ ...JSON.parse(text), Policy: front.policy }) : text);
      })();
    });
  });
  return Object.assign(front, await listening(server));
}
