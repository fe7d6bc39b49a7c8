// The real handler against servers of our own: what is under way when the answer is there?
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

let ec2: Server;
let dynamo: Server;
let openAtEc2 = 0;
const closed: (() => void)[] = [];

const listen = (server: Server) =>
  new Promise<string>((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    ),
  );

/** No such VIP: the conditional write fails, everything else goes through. */
function answerDynamo(target: string, table: string, response: ServerResponse): void {
  const refused = target.endsWith('UpdateItem') && table === 'vips';
  const error = { __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException', message: 'no' };
  response.writeHead(refused ? 400 : 200, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify(refused ? error : {}));
}

beforeAll(async () => {
  // EC2 never answers.
  ec2 = createServer((_, response) => {
    openAtEc2 += 1;
    response.on('close', () => {
      openAtEc2 -= 1;
      for (const tell of closed.splice(0)) tell();
    });
  });
  dynamo = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { TableName } = JSON.parse(Buffer.concat(chunks).toString()) as { TableName: string };
      answerDynamo(String(request.headers['x-amz-target']), TableName, response);
    });
  });
  const env = {
    AWS_ENDPOINT_URL_EC2: await listen(ec2),
    AWS_ENDPOINT_URL_DYNAMODB: await listen(dynamo),
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    VIPSHIFT_STAGE: 'dev',
    VIPSHIFT_VIPS_TABLE: 'vips',
    VIPSHIFT_TIMELINE_TABLE: 'timeline',
    VIPSHIFT_BUS: 'bus',
    VIPSHIFT_NODE_IDENTITY: 'none',
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
});
afterAll(() => {
  for (const server of [ec2, dynamo]) {
    server.closeAllConnections();
    server.close();
  }
  vi.unstubAllEnvs();
});

it('leaves no request behind: a describe begun in vain ends with the answer, and is not repeated', async () => {
  const { handler } = await import('../functions/failover.ts');
  const lines: string[] = [];
  const spy = vi.spyOn(console, 'warn').mockImplementation((line: string) => void lines.push(line));
  const detail = {
    version: 1,
    vip: 'wbe',
    node: 'i-0123456789abcdef0',
    state: 'MASTER',
    kind: 'transition',
    instance: 'VI_WEB',
    priority: 1,
    bootId: 'b',
    seq: 1000,
    since: 1000,
    uptimeMs: 1,
    ageMs: 0,
    superseded: false,
    dropped: 0,
    atMs: Date.now(),
    shim: 'test',
  };
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  const event = { id: 'e-1', source: 's', time, 'detail-type': 'VRRP State Change', detail };
  const context = { getRemainingTimeInMillis: () => 30_000, functionName: 'f', awsRequestId: 'r' } as Context;
  const answer: unknown = await handler(event, context, { signal: new AbortController().signal });
  expect(answer).toMatchObject({ answer: 'rejected' });
  while (openAtEc2 > 0) await new Promise<void>((resolve) => closed.push(resolve));
  expect(openAtEc2).toBe(0);
  spy.mockRestore();
  expect(
    lines.filter((line) => !line.startsWith('{')),
    'every line of the log is structured',
  ).toEqual([]);
});
