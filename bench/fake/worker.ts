// The server of the benchmark's AWS, in a thread of its own so that its work is not done on the measured event loop. Every answer
// leaves after a fixed latency; EC2's token buckets stand before it when asked for.
//
// Limit: loopback, without TLS unless it is given a certificate, and the thread shares the machine's cores with what is measured.
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { awsCall, refusal } from '../../lab/fault/aws-call.ts';
import { ec2Bucket, type TokenBucket, tokenBucket } from '../../lab/fault/token-bucket.ts';
import type { Certificate } from './certificate.ts';
import { type FakeDynamo, fakeDynamo } from './dynamo.ts';
import { fakeEc2 } from './ec2.ts';
import type { Order, SeenCall, World } from './region.ts';

const ec2 = fakeEc2('vipshift:bench');
const dynamo = fakeDynamo();
const latency = { ec2Ms: 0, dynamoMs: 0 };
let buckets: Map<string, TokenBucket> | undefined;
let calls: SeenCall[] = [];

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const listener: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method = '', url = '', headers } = request;
    serve({ method, path: url, headers, body: Buffer.concat(chunks) }, response);
  });
};
const certificate = workerData as Certificate | undefined;
const keepAliveTimeout = 600_000;
const server =
  certificate === undefined
    ? createServer({ keepAliveTimeout }, listener)
    : createTlsServer({ keepAliveTimeout, ...certificate }, listener);

function serve(request: Parameters<typeof awsCall>[0], response: ServerResponse): void {
  const call = awsCall(request);
  const parameters = call.parameters as Record<string, string>;
  const [status, type, body] = call.service === 'ec2' ? toEc2(call) : toDynamo(call.action, call.parameters);
  const key = parameters.RouteTableId ?? parameters.AllocationId ?? '';
  const startMs = nowMs();
  const answer = () => {
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
    response.end(body);
    calls.push({ action: call.action, key, status, startMs, endMs: nowMs() });
  };
  const waitMs = call.service === 'ec2' ? latency.ec2Ms : latency.dynamoMs;
  if (waitMs === 0) answer();
  else setTimeout(answer, waitMs);
}

type Reply = readonly [status: number, type: string, body: string];

function toEc2(call: ReturnType<typeof awsCall>): Reply {
  const bucket = buckets === undefined ? undefined : ec2Bucket(call);
  if (bucket !== undefined) {
    const level = buckets!.get(bucket.name) ?? tokenBucket(bucket.size);
    buckets!.set(bucket.name, level);
    if (!level.take(nowMs())) return refused(call, 'RequestLimitExceeded');
  }
  const answer = ec2.answer(call.action, call.parameters as Record<string, string>);
  return 'code' in answer ? refused(call, answer.code) : [200, 'text/xml;charset=UTF-8', answer.xml];
}

function refused(call: ReturnType<typeof awsCall>, code: string): Reply {
  const { status, body } = refusal(call, code, code);
  return [status, 'text/xml;charset=UTF-8', body.toString('utf8')];
}

function toDynamo(action: string, parameters: object): Reply {
  // PutEvents comes here too; there is nothing to remember of it.
  if (action === 'PutEvents')
    return [200, 'application/x-amz-json-1.1', '{"FailedEntryCount":0,"Entries":[{}]}'];
  const { status, body } = dynamo.answer(action, parameters as Parameters<FakeDynamo['answer']>[1]);
  return [status, 'application/x-amz-json-1.0', JSON.stringify(body)];
}

function build(world: World): void {
  Object.assign(latency, world.latency);
  buckets = world.buckets ? new Map() : undefined;
  ec2.clear();
  dynamo.clear();
  for (const vip of world.vips) ec2.build(vip);
  for (const item of world.items) dynamo.put('vips', item);
}

parentPort!.on('message', (order: Order) => {
  if (order.do === 'build') build(order.world);
  if (order.do === 'cut') server.closeAllConnections();
  const seen = calls;
  calls = [];
  parentPort!.postMessage({ seen });
});
server.listen(0, '127.0.0.1', () =>
  parentPort!.postMessage({ port: (server.address() as AddressInfo).port }),
);
