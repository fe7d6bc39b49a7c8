// The lab's function URL before a Lambda API that answers as it is told.
import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Listening, listening } from '../../../lab/aws/listening.ts';
import { type Caller, type FunctionUrl, startFunctionUrl } from '../../../lab/aws/stack/function-url.ts';
import { signedCall } from './signed-call.ts';

const node: Caller = {
  accessKeyId: 'ASIANODEA',
  secretAccessKey: 'secret',
  sessionToken: 'token',
  accountId: '111122223333',
  userId: 'AROAEXAMPLE:i-0aaaaaaaaaaaaaaaa',
  userArn: 'arn:aws:sts::111122223333:assumed-role/node/i-0aaaaaaaaaaaaaaaa',
};

interface Told {
  readonly status: number;
  readonly body: unknown;
  readonly isError?: boolean;
}

let told: Told;
const invoked: { path: string; event: Record<string, unknown> }[] = [];
let lambda: Listening;
let front: FunctionUrl;
beforeAll(async () => {
  lambda = await listening(
    createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        invoked.push({ path: request.url!, event: JSON.parse(Buffer.concat(chunks).toString()) });
        response.writeHead(told.status, told.isError ? { 'x-amz-function-error': 'Unhandled' } : {});
        response.end(JSON.stringify(told.body));
      });
    }),
  );
  front = await startFunctionUrl({
    endpoint: lambda.url,
    region: 'eu-central-1',
    accountId: node.accountId,
    functionName: 'failover',
    callerOf: (key) => (key === node.accessKeyId ? node : undefined),
  });
});
afterAll(async () => {
  await front?.stop();
  await lambda?.stop();
});
beforeEach(() => {
  told = { status: 200, body: { statusCode: 200, headers: {}, body: '{"answer":"recorded"}' } };
  invoked.length = 0;
  front.calls.length = 0;
  front.outage = undefined;
});

describe('who signed is let in, and said', () => {
  it('invokes the function with format 2.0 and answers what it returned', async () => {
    const before = Date.now();
    const answered = await signedCall(front.url, node, { vip: 'web' });
    expect(answered).toEqual({ status: 200, body: { answer: 'recorded' } });
    const [{ path, event }] = invoked as [(typeof invoked)[number]];
    expect(path).toBe('/2015-03-31/functions/failover/invocations');
    expect(event).toMatchObject({
      version: '2.0',
      requestContext: {
        accountId: node.accountId,
        authorizer: {
          iam: {
            accountId: node.accountId,
            callerId: node.userId,
            userArn: node.userArn,
            userId: node.userId,
          },
        },
        http: { method: 'POST', path: '/' },
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
      body: '{"vip":"web"}',
      isBase64Encoded: false,
    });
    const { timeEpoch } = event.requestContext as { timeEpoch: number };
    expect(timeEpoch).toBeGreaterThanOrEqual(before);
    expect(front.calls).toEqual([{ userId: node.userId, status: 200 }]);
  });

  it.each([
    [
      'the function’s own refusal',
      { statusCode: 403, body: '{"answer":"rejected"}' },
      403,
      { answer: 'rejected' },
    ],
    ['an answer without a status is the body of a 200', { answer: 'x' }, 200, { answer: 'x' }],
  ])('%s', async (_what, body, status, expected) => {
    told = { status: 200, body };
    expect(await signedCall(front.url, node, {})).toEqual({ status, body: expected });
  });
});

describe('what Lambda answers itself', () => {
  it.each<[string, Told, number]>([
    ['a function that threw', { status: 200, body: { errorType: 'Error' }, isError: true }, 502],
    ['no place left', { status: 429, body: {} }, 429],
    ['an API that is in trouble', { status: 500, body: {} }, 502],
  ])('%s', async (_what, answer, status) => {
    told = answer;
    expect((await signedCall(front.url, node, {})).status).toBe(status);
  });

  it('an outage, until it ends; nothing is invoked', async () => {
    front.outage = 503;
    expect((await signedCall(front.url, node, {})).status).toBe(503);
    expect(invoked).toEqual([]);
    front.outage = undefined;
    expect((await signedCall(front.url, node, {})).status).toBe(200);
  });
});

it.each<[string, Parameters<typeof signedCall>[1], Parameters<typeof signedCall>[3]]>([
  ['no signature', undefined, {}],
  ['a key that no one has', { ...node, accessKeyId: 'ASIAOTHER' }, {}],
  ['another secret', { ...node, secretAccessKey: 'guessed' }, {}],
  ['another session token', { ...node, sessionToken: 'guessed' }, {}],
  ['another Region', node, { region: 'us-east-1' }],
  ['an old signature', node, { headers: ['x-amz-date: 20260101T000000Z'] }],
])('%s is forbidden, and nothing is invoked', async (_what, caller, signed) => {
  expect((await signedCall(front.url, caller, {}, signed)).status).toBe(403);
  expect(invoked).toEqual([]);
  expect(front.calls).toMatchObject([{ status: 403 }]);
});
