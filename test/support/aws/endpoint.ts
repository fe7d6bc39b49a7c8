// An endpoint of AWS in this process: SDK clients send it what they would send to AWS, and it answers what a test says. So a
// contract meets what no emulator gives: a second page, an empty one, half a batch, a state that only AWS knows.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AwsCall, awsCall, type HttpReply, refusal } from '../../../lab/fault/aws-call.ts';
import { read } from '../../../lab/fault/http-hop.ts';
import { type Clients, clients } from '../../../shared/aws/wire.ts';

/** Nothing: the connection is cut, and the caller cannot know what became of its request. */
export type Answer = HttpReply | undefined;

export interface Endpoint extends AsyncDisposable {
  readonly url: string;
  /** What was asked so far, in order. */
  readonly calls: readonly AwsCall[];
  /** What SDK clients of any service are made with. */
  readonly config: {
    readonly region: string;
    readonly endpoint: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** The clients that are deployed. */
  readonly clients: Clients;
  stop(): Promise<void>;
}

export async function startEndpoint(answer: (call: AwsCall) => Answer | Promise<Answer>): Promise<Endpoint> {
  const calls: AwsCall[] = [];
  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    const call = awsCall(await read(incoming));
    calls.push(call);
    const reply = await answer(call);
    if (reply === undefined) response.destroy();
    else response.writeHead(reply.status, reply.headers as Record<string, string>).end(reply.body);
  };
  // A mistake in a test's answer cuts the connection, too: the client's fault shows it.
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = {
    region: 'eu-central-1',
    endpoint: url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const made = clients(config);
  const stop = async () => {
    for (const client of Object.values(made)) client.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, calls, config, clients: made, stop, [Symbol.asyncDispose]: stop };
}

const reply = (type: string, body: string): HttpReply => ({
  status: 200,
  headers: { 'content-type': type },
  body: Buffer.from(body),
});

export const json = (body: object): HttpReply => reply('application/x-amz-json-1.0', JSON.stringify(body));

export type Tree =
  | string
  | number
  | boolean
  | undefined
  | Date
  | readonly Tree[]
  | { readonly [name: string]: Tree };

/** A reply of EC2, in the names of its API reference: lists are made of `item`s. */
export const ec2Reply = ({ action }: AwsCall, tree: Tree): HttpReply =>
  reply('text/xml', `<${action}Response>${xml(tree, 'item')}</${action}Response>`);

/** A reply of IAM: lists are made of `member`s. */
export const iamReply = ({ action }: AwsCall, tree: Tree): HttpReply => {
  const result = `<${action}Result>${xml(tree, 'member')}</${action}Result>`;
  return reply('text/xml', `<${action}Response>${result}</${action}Response>`);
};

export const iamRefused = (Code: string, Message = 'no'): HttpReply => ({
  ...reply(
    'text/xml',
    xml({ ErrorResponse: { Error: { Type: 'Sender', Code, Message }, RequestId: 'r' } }, 'member'),
  ),
  status: Code === 'AccessDenied' ? 403 : 404,
});

function xml(tree: Tree, one: string): string {
  if (tree === undefined) return '';
  if (Array.isArray(tree)) return tree.map((inner) => `<${one}>${xml(inner, one)}</${one}>`).join('');
  if (tree instanceof Date) return tree.toISOString();
  if (typeof tree !== 'object') return String(tree).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return Object.entries(tree)
    .map(([name, inner]) => (inner === undefined ? '' : `<${name}>${xml(inner as Tree, one)}</${name}>`))
    .join('');
}

export const refused = (call: AwsCall, code: string, message = 'no', status?: number): HttpReply =>
  refusal(call, code, message, status);

/** The values of a parameter of the query protocol, such as `Filter.1.Value`. */
export const listed = ({ parameters }: AwsCall, name: string): readonly string[] =>
  Object.entries(parameters).flatMap(([key, value]) => (key.startsWith(`${name}.`) ? [String(value)] : []));
