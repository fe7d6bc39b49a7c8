import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeRouteTablesCommand, EC2Client, ReplaceRouteCommand } from '@aws-sdk/client-ec2';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { sequentialTrips } from '../../lab/fault/call-log.ts';
import { type FaultProxy, startFaultProxy } from '../../lab/fault/proxy.ts';
import type { Rule } from '../../lab/fault/rule.ts';

/** An emulator of three calls: ReplaceRoute sets the target, DescribeRouteTables tells it, everything else is answered with {}. */
let emulator: Server;
let landed: string[];
let target: string;
let proxy: FaultProxy;

beforeAll(async () => {
  emulator = createServer((request, response) => {
    void text(request).then((body) => {
      const form = new URLSearchParams(body);
      const action = form.get('Action');
      landed.push(action ?? String(request.headers['x-amz-target']));
      if (action === 'ReplaceRoute') target = form.get('NetworkInterfaceId')!;
      const route = `<item><networkInterfaceId>${target}</networkInterfaceId></item>`;
      const tables = `<routeTableSet><item><routeSet>${route}</routeSet></item></routeTableSet>`;
      response.setHeader('content-type', action === null ? 'application/x-amz-json-1.0' : 'text/xml');
      response.end(
        action === null ? '{}' : `<R>${action === 'ReplaceRoute' ? '<return>true</return>' : tables}</R>`,
      );
    });
  });
  await new Promise<void>((resolve) => emulator.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  emulator.closeAllConnections();
  emulator.close();
});

beforeEach(async () => {
  landed = [];
  target = 'eni-old';
  proxy = await startFaultProxy({ target: `http://127.0.0.1:${(emulator.address() as AddressInfo).port}` });
});
afterEach(() => proxy.stop());

const access = (maxAttempts: number) => ({
  endpoint: proxy.endpoint,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
  maxAttempts,
});
const route = {
  RouteTableId: 'rtb-1',
  DestinationCidrBlock: '192.168.255.10/32',
  NetworkInterfaceId: 'eni-new',
};
const replace = (abortSignal?: AbortSignal, maxAttempts = 1) =>
  new EC2Client(access(maxAttempts)).send(
    new ReplaceRouteCommand(route),
    abortSignal === undefined ? {} : { abortSignal },
  );
const describeTables = async () => {
  const answer = await new EC2Client(access(1)).send(new DescribeRouteTablesCommand({}));
  return answer.RouteTables![0]!.Routes![0]!.NetworkInterfaceId;
};
const refused = async (call: Promise<unknown>) =>
  (await call.then(
    () => 'answered',
    (error: unknown) => error,
  )) as Error;

describe('the fault proxy', () => {
  it('passes on unchanged what no rule is about, and logs it with its times', async () => {
    proxy.add({ on: 'CreateRoute', fault: { does: 'reset' } });
    await replace();
    await new DynamoDBClient(access(1)).send(
      new PutItemCommand({ TableName: 't', Item: { vip: { S: 'web' } } }),
    );
    await new EventBridgeClient(access(1)).send(new PutEventsCommand({ Entries: [{ Detail: '{}' }] }));
    expect(await describeTables()).toBe('eni-new');
    expect(
      proxy.calls.map(({ service, action, outcome, landed: status }) => [service, action, outcome, status]),
    ).toEqual([
      ['ec2', 'ReplaceRoute', 200, 200],
      ['dynamodb', 'PutItem', 200, 200],
      ['events', 'PutEvents', 200, 200],
      ['ec2', 'DescribeRouteTables', 200, 200],
    ]);
    expect(proxy.calls[0]!.parameters).toMatchObject(route);
    for (const { startMs, endMs } of proxy.calls) expect(endMs).toBeGreaterThan(startMs);
  });

  it('keeps an idle connection longer than any test rests: one that ends as a call goes out is a lost reply that no rule names', async () => {
    const idle = await fetch(proxy.endpoint, { method: 'POST', body: 'Action=ReplaceRoute' });
    await idle.text();
    expect(idle.headers.get('keep-alive')).toBe('timeout=75');
  });

  it.each([
    ['refuses without effect', {}, 'eni-old', undefined],
    ['refuses although it took effect', { after: true }, 'eni-new', 200],
  ])('%s', async (_name, when, state, status) => {
    proxy.add({ on: 'ReplaceRoute', times: 1, fault: { does: 'refuse', code: 'InternalError', ...when } });
    expect(await refused(replace())).toMatchObject({
      name: 'InternalError',
      $metadata: { httpStatusCode: 500 },
    });
    expect(target).toBe(state);
    expect(proxy.calls[0]).toMatchObject({ outcome: 500, landed: status, fault: 'refuse' });
  });

  it.each([
    ['before the effect', {}, 'eni-old'],
    ['after the effect', { after: true }, 'eni-new'],
  ])('resets the connection %s', async (_name, when, state) => {
    proxy.add({ on: 'ReplaceRoute', fault: { does: 'reset', ...when } });
    expect(await refused(replace())).toMatchObject({ code: 'ECONNRESET' });
    expect(target).toBe(state);
    expect(proxy.calls[0]).toMatchObject({ outcome: 'reset', fault: 'reset' });
  });

  it.each([
    ['never sends it on', { does: 'stall' }, 'eni-old'],
    ['loses only the reply', { does: 'stall', after: true }, 'eni-new'],
    ['stops in the middle of the reply', { does: 'stall-body' }, 'eni-new'],
  ] as const)('leaves the client waiting: %s', async (_name, fault, state) => {
    proxy.add({ on: 'ReplaceRoute', fault });
    const giveUp = new AbortController();
    const call = refused(replace(giveUp.signal));
    await vi.waitFor(() => expect(proxy.calls[0]?.outcome).toBe('stalled'));
    expect(proxy.calls[0]!.endMs, 'it lasts until the client gives up').toBeUndefined();
    giveUp.abort();
    expect((await call).name).toBe('AbortError');
    expect(target).toBe(state);
    await vi.waitFor(() => expect(proxy.calls[0]?.endMs).toBeDefined());
  });

  it('lets a request land that its client has given up on', async () => {
    proxy.add({ on: 'ReplaceRoute', fault: { does: 'delay', requestMs: 150 } });
    const giveUp = new AbortController();
    const call = refused(replace(giveUp.signal));
    await vi.waitFor(() => expect(proxy.calls).toHaveLength(1));
    giveUp.abort();
    await call;
    expect(target).toBe('eni-old');
    await vi.waitFor(() => expect(target).toBe('eni-new'));
    expect(proxy.calls[0]!.outcome).toBe('client gone');
  });

  it('delays the request and the reply, each on its own leg', async () => {
    proxy.add({ on: 'ReplaceRoute', fault: { does: 'delay', requestMs: 40, replyMs: 60 } });
    await replace();
    const { startMs, endMs } = proxy.calls[0]!;
    expect(endMs! - startMs).toBeGreaterThanOrEqual(98);
  });

  it("refuses over the bucket in EC2's own words, and the SDK retries it", async () => {
    proxy.add({ fault: { does: 'throttle' } });
    const fromMs = performance.now();
    const results = await Promise.all(Array.from({ length: 100 }, () => refused(replace())));
    const passed = results.filter((result) => result.name !== 'RequestLimitExceeded').length;
    expect(passed).toBeGreaterThanOrEqual(50);
    expect(passed).toBeLessThanOrEqual(51 + (5 * (performance.now() - fromMs)) / 1000);
    expect(landed, 'what was refused did not land').toHaveLength(passed);
    proxy.clearRules();
    proxy.add({ times: 1, fault: { does: 'refuse', code: 'RequestLimitExceeded' } });
    await replace(undefined, 2);
    expect(proxy.calls.slice(-2).map(({ outcome }) => outcome)).toEqual([503, 200]);
  });

  it('speaks the JSON protocol to the clients of DynamoDB and EventBridge', async () => {
    const code = 'ProvisionedThroughputExceededException';
    proxy.add({ fault: { does: 'refuse', code, message: 'slow down' } });
    const read = new DynamoDBClient(access(1)).send(
      new GetItemCommand({ TableName: 't', Key: { vip: { S: 'web' } } }),
    );
    expect(await refused(read)).toMatchObject({
      name: code,
      message: 'slow down',
      $metadata: { httpStatusCode: 400 },
    });
    proxy.clearRules();
    proxy.add({ fault: { does: 'refuse', code: 'InternalException' } });
    const put = new EventBridgeClient(access(1)).send(new PutEventsCommand({ Entries: [{ Detail: '{}' }] }));
    expect(await refused(put)).toMatchObject({
      name: 'InternalException',
      $metadata: { httpStatusCode: 500 },
    });
  });

  it('answers a Describe with the state of some time ago, until the rule is gone', async () => {
    const stale = proxy.add({ fault: { does: 'stale', ageMs: 60_000 } });
    expect(await describeTables()).toBe('eni-old');
    await replace();
    expect(target).toBe('eni-new');
    expect(await describeTables(), 'the change is not seen yet').toBe('eni-old');
    stale.remove();
    expect(await describeTables()).toBe('eni-new');
  });

  it('never answers a strongly consistent read with an old state', async () => {
    proxy.add({ fault: { does: 'stale', ageMs: 60_000 } });
    const read = { TableName: 't', Key: { vip: { S: 'web' } }, ConsistentRead: true };
    const client = new DynamoDBClient(access(1));
    await client.send(new GetItemCommand(read));
    await client.send(new PutItemCommand({ TableName: 't', Item: { vip: { S: 'web' } } }));
    await client.send(new GetItemCommand(read));
    expect(landed.filter((action) => action.endsWith('GetItem'))).toHaveLength(2);
    expect(proxy.calls.map(({ fault }) => fault)).toEqual([undefined, undefined, undefined]);
  });

  it('skips, counts and ends as asked', async () => {
    const rule = proxy.add({ skip: 1, times: 2, fault: { does: 'refuse', code: 'Unavailable' } });
    for (let i = 0; i < 5; i += 1) await refused(replace());
    expect(proxy.calls.map(({ outcome }) => outcome)).toEqual([200, 503, 503, 200, 200]);
    expect(rule.hits).toBe(2);
    proxy.forgetCalls();
    rule.remove();
    await replace();
    expect(proxy.calls.map(({ outcome }) => outcome)).toEqual([200]);
  });

  it('is about some calls only: by action and by what they ask', async () => {
    const where: NonNullable<Rule['where']> = ({ parameters }) => parameters.RouteTableId === 'rtb-2';
    proxy.add({
      on: ['ReplaceRoute', 'CreateRoute'],
      where,
      fault: { does: 'refuse', code: 'UnauthorizedOperation' },
    });
    await replace();
    const other = new EC2Client(access(1)).send(new ReplaceRouteCommand({ ...route, RouteTableId: 'rtb-2' }));
    expect(await refused(other)).toMatchObject({
      name: 'UnauthorizedOperation',
      $metadata: { httpStatusCode: 403 },
    });
  });

  it('does the same again with the same seed', async () => {
    const run = async (seed: number) => {
      const options = { target: proxy.endpoint, seed };
      await using second = await startFaultProxy(options);
      second.add({ chance: 0.5, fault: { does: 'refuse', code: 'Unavailable' } });
      const client = new EC2Client({ ...access(1), endpoint: second.endpoint });
      for (let i = 0; i < 16; i += 1) await refused(client.send(new ReplaceRouteCommand(route)));
      return second.calls.map(({ outcome }) => outcome).join();
    };
    const first = await run(7);
    expect(await run(7)).toBe(first);
    expect(first).toMatch(/200.*503|503.*200/);
    expect(await run(8)).not.toBe(first);
  });

  it('stops at once, no matter who is waiting', async () => {
    proxy.add({ fault: { does: 'stall' } });
    const call = refused(replace());
    await vi.waitFor(() => expect(proxy.calls).toHaveLength(1));
    await proxy.stop();
    expect(await call).toBeInstanceOf(Error);
  });

  it('passes a broken emulator on as a broken connection', async () => {
    await using nowhere = await startFaultProxy({ target: 'http://127.0.0.1:9' });
    const client = new EC2Client({ ...access(1), endpoint: nowhere.endpoint });
    expect(await refused(client.send(new ReplaceRouteCommand(route)))).toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('sequentialTrips', () => {
  const at = (startMs: number, endMs: number | undefined) =>
    ({ startMs, endMs }) as Parameters<typeof sequentialTrips>[0][number];

  it('counts calls beside each other as one trip', () => {
    expect(sequentialTrips([])).toBe(0);
    expect(sequentialTrips([at(0, 10), at(1, 12), at(2, 11)])).toBe(1);
    expect(sequentialTrips([at(0, 10), at(1, 12), at(12, 20), at(13, 30)])).toBe(2);
  });

  it('finds the longest chain, where one long call runs beside several short ones', () => {
    expect(sequentialTrips([at(0, 100), at(0, 10), at(10, 20), at(21, 30)])).toBe(3);
  });

  it('counts a call that has not ended as the last of its chain', () => {
    expect(sequentialTrips([at(0, 10), at(11, undefined)])).toBe(2);
  });

  it('counts what the proxy saw: two at once, then one', async () => {
    proxy.add({ fault: { does: 'delay', replyMs: 30 } });
    await Promise.all([replace(), describeTables()]);
    await replace();
    expect(sequentialTrips(proxy.calls)).toBe(2);
  });
});
