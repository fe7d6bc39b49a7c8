// The real handler against servers of our own: what is under way when the answer is there?
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from 'aws-lambda';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';

let ec2: Server;
let dynamo: Server;
let openAtEc2 = 0;
const closed: (() => void)[] = [];
const asked: ServerResponse[] = [];

const listen = (server: Server) =>
  new Promise<string>((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    ),
  );

/** Leaves DynamoDB without an answer. */
let dynamoHangs = false;

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
      for (const resolve of closed.splice(0)) resolve();
    });
  });
  dynamo = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (dynamoHangs) {
        asked.push(response);
        return;
      }
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

const detail = {
  version: 1,
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

/** The describes begin with the write only for a VIP that was not refused a moment ago. */
async function invoked(vip: string, remainingMs: number): Promise<unknown> {
  const { handler } = await import('../../../functions/failover.ts');
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  const event = {
    id: 'e-1',
    source: 's',
    time,
    'detail-type': 'VRRP State Change',
    detail: { ...detail, vip },
  };
  const context = {
    getRemainingTimeInMillis: () => remainingMs,
    functionName: 'f',
    awsRequestId: 'r',
  } as Context;
  return handler(event, context, { signal: new AbortController().signal });
}

async function ec2IsQuiet(): Promise<void> {
  while (openAtEc2 > 0) await new Promise<void>((resolve) => closed.push(resolve));
}

it('leaves no request behind: a describe that was not needed ends with the answer, and is not repeated', async () => {
  const lines: string[] = [];
  const spy = vi.spyOn(console, 'warn').mockImplementation((line: string) => void lines.push(line));
  expect(await invoked('wbe', 30_000)).toMatchObject({ answer: 'rejected' });
  await ec2IsQuiet();
  expect(openAtEc2).toBe(0);
  spy.mockRestore();
  expect(
    lines.filter((line) => !line.startsWith('{')),
    'every line of the log is structured',
  ).toEqual([]);
});

it('fails a second before the platform would end it, so that the event is delivered again and nothing is under way', async () => {
  const quiet = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  dynamoHangs = true;
  const began = performance.now();
  await expect(invoked('bew', 1400)).rejects.toThrow();
  expect(performance.now() - began, 'before its 1,400 ms are over').toBeLessThan(1400);
  dynamoHangs = false;
  quiet.mockRestore();
  await ec2IsQuiet();
  expect(asked.length).toBeGreaterThan(0);
  const abandoned = () => asked.every((response) => response.destroyed);
  await expect.poll(abandoned, { message: 'the write was abandoned, too', timeout: 10_000 }).toBe(true);
});
