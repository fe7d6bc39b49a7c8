// The three functions as Lambda invokes them, on ports in memory: what is answered, recorded, logged and counted for each kind of
// event, and what throws, so that it is delivered again.
import type { Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VERSION } from '../../../../shared/aws/events/claim-event.ts';
import type { InvocationPorts } from '../../../../shared/aws/invocation.ts';
import { invokeForClaim } from '../../../../shared/aws/lambda/claim-invocation.ts';
import { type Invocation, lambda } from '../../../../shared/aws/lambda/handler.ts';
import { invokeForReconcile } from '../../../../shared/aws/lambda/reconcile-invocation.ts';
import { Fault } from '../../../../shared/fault.ts';
import { type DurationMs, seconds } from '../../../../shared/time.ts';
import { newVip } from '../../../../shared/vip/vip.ts';
import { type Json, withDetail } from '../../../support/event.ts';
import {
  entry,
  finish,
  item,
  memberOf,
  outcomesOf,
  owned,
  START,
  type World,
  world,
} from '../../../support/world.ts';

let lines: Json[];
beforeEach(() => {
  lines = [];
  const note = (line: string) => void (line.startsWith('{') && lines.push(JSON.parse(line) as Json));
  for (const how of ['log', 'info', 'warn', 'error'] as const)
    vi.spyOn(console, how).mockImplementation(note);
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Values of a metric, as CloudWatch reads them from the log. */
const metric = (name: string) => lines.filter((line) => name in line).map((line) => line[name]);
const messages = () => lines.flatMap(({ message }) => (typeof message === 'string' ? [message] : []));

const ports = (w: World, over: Partial<InvocationPorts> = {}): InvocationPorts => ({
  ...w.ports,
  orders: { put: () => Promise.resolve() },
  approvals: { ask: () => Promise.resolve(), pending: () => Promise.resolve([]) },
  ...over,
});

interface Made {
  readonly remaining: DurationMs;
  readonly signal: AbortSignal;
  /** While the work was under way. */
  abortedEarly?: boolean;
}
type Work = (event: unknown, invocation: Invocation) => Promise<unknown>;

/** One invocation; `made` is what its ports were made with. */
async function invoked(w: World, work: Work, event: unknown, of: InvocationPorts = ports(w)) {
  let made: Made | undefined;
  const environment = { settings: { stage: 'prod', identity: { mode: 'none' } } } as const;
  const handler = lambda(
    environment,
    (_own, remaining, signal) => {
      made = { remaining, signal };
      return of;
    },
    (given, invocation) => {
      made!.abortedEarly = made!.signal.aborted;
      return work(given, invocation);
    },
  );
  const context = { getRemainingTimeInMillis: () => 60_000, functionName: 'f', awsRequestId: 'r' } as Context;
  const reply = handler(event, context, { signal: new AbortController().signal });
  const settled = await finish(w, Promise.allSettled([reply]));
  return { reply: settled[0] as PromiseSettledResult<unknown>, made: made! };
}
const answerOf = async (...given: Parameters<typeof invoked>): Promise<unknown> => {
  const { reply } = await invoked(...given);
  if (reply.status === 'rejected') throw reply.reason;
  return reply.value;
};

const NODE = 'i-0a1b2c3d4e5f60718';
const claimed = (w: World, over: Json = {}) => {
  const atMs = w.clock.now();
  const seq = (atMs - START + 3_600_000) * 1000;
  const said = { vip: 'web', node: NODE, seq, since: seq, uptimeMs: seq / 1000, ageMs: 0, atMs, version: 1 };
  return { ...withDetail({ ...said, ...over }), time: new Date(atMs).toISOString() };
};
const VIP_OF_NODE = { members: { [NODE]: memberOf(NODE) } };

describe('a claim', () => {
  it('that moves the VIP answers so, and has its line, its metrics and its record', async () => {
    const w = world([NODE], VIP_OF_NODE);
    expect(await answerOf(w, invokeForClaim, claimed(w))).toEqual({ answer: 'switched' });
    expect(messages()).toEqual(['failover switched', 'claim switched']);
    expect(lines.find(({ message }) => message === 'claim switched')).toMatchObject({
      vip: 'web',
      node: NODE,
      epochs: [1],
    });
    expect(metric('FailoverOutcome').flat()).toContain(1);
    expect(metric('ClaimsOfNewerVersion')).toEqual([]);
    expect(outcomesOf(w)).toHaveLength(1);
  });

  it('of a newer version is read as far as it is known, and counted', async () => {
    const w = world([NODE], VIP_OF_NODE);
    expect(await answerOf(w, invokeForClaim, claimed(w, { version: VERSION + 1 }))).toEqual({
      answer: 'switched',
    });
    expect(metric('ClaimsOfNewerVersion').flat()).toEqual([1]);
  });

  it('that says nothing readable is an answer, counted once in the record and as a metric, and never delivered again', async () => {
    const w = world([NODE], VIP_OF_NODE);
    const event = claimed(w, { state: 'QUEEN' });
    expect(await answerOf(w, invokeForClaim, event)).toEqual({ answer: 'rejected', reason: 'malformed' });
    expect(w.timeline.rejections).toEqual([
      {
        ...{ vip: 'web', node: NODE, reason: 'malformed', atMs: START, count: 1 },
        ...{ message: expect.stringContaining('state'), example: JSON.stringify(event) },
      },
    ]);
    expect(metric('ClaimsRejected').flat()).toEqual([1]);
    expect(messages()).toEqual(['claim rejected']);
  });

  it('that comes by the function URL is answered as HTTP; what cannot be done now is thrown, which Lambda answers with a 5xx', async () => {
    const w = world([NODE], VIP_OF_NODE);
    const callOf = (event: ReturnType<typeof claimed>) => {
      const iam = { accountId: '111122223333', userId: `AROAEXAMPLEID0000001:${NODE}` };
      const userArn = `arn:aws:sts::111122223333:assumed-role/node/${NODE}`;
      const call = { requestId: 'request-1', timeEpoch: w.clock.now(), http: { method: 'POST' } };
      return {
        requestContext: { ...call, authorizer: { iam: { ...iam, userArn } } },
        body: JSON.stringify(event.detail),
      };
    };
    const status = async (event: ReturnType<typeof claimed>) => answerOf(w, invokeForClaim, callOf(event));
    expect(await status(claimed(w))).toMatchObject({ statusCode: 200, body: '{"answer":"switched"}' });
    expect(await status(claimed(w, { vip: 'nosuch' }))).toMatchObject({
      statusCode: 404,
      body: '{"answer":"rejected","reason":"unknown-vip"}',
    });
    expect(outcomesOf(w)[0]!.stages.map(({ key }) => key)).toContain('direct-accepted');
    const denied = new Fault('refused', 'AccessDeniedException', 'no');
    const broken = ports(w, { vips: { ...w.vips, recordClaim: () => Promise.reject(denied) } });
    await expect(
      answerOf(w, invokeForClaim, callOf(claimed(w, { state: 'BACKUP' })), broken),
    ).rejects.toThrow('no');
  });

  it('that the domain turns away is counted once in the record, and as a metric', async () => {
    const w = world([NODE], VIP_OF_NODE);
    const turnedAway = { answer: 'rejected', reason: 'unknown-vip' };
    expect(await answerOf(w, invokeForClaim, claimed(w, { vip: 'nosuch' }))).toEqual(turnedAway);
    expect(w.timeline.rejections.map((r) => [r.vip, r.reason, r.count])).toEqual([
      ['_unregistered', 'unknown-vip', 1],
    ]);
    expect(metric('ClaimsRejected').flat()).toEqual([1]);
  });

  it('whose record cannot be read throws, so that it is delivered again', async () => {
    const w = world([NODE], VIP_OF_NODE);
    const down = () => Promise.reject(new Fault('throttled', 'Throttled', 'no'));
    const broken = ports(w, { vips: { ...w.vips, recordClaim: down, read: down } });
    await expect(answerOf(w, invokeForClaim, claimed(w), broken)).rejects.toMatchObject({
      kind: 'throttled',
    });
    await expect(answerOf(w, invokeForClaim, claimed(w, { state: 'QUEEN' }), broken)).rejects.toThrow('no');
    expect(metric('ClaimsRejected').flat(), 'what was counted before it threw is told').toEqual([1]);
  });
});

const scheduled = {
  id: 'e',
  time: '2026-11-22T14:00:00Z',
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  detail: {},
};
const stopped = (node: string) => ({
  ...scheduled,
  ...{ 'detail-type': 'EC2 Instance State-change Notification', source: 'aws.ec2' },
  detail: { 'instance-id': node, state: 'stopped' },
});
const called = (call: string, requestParameters: object, more: object = {}) => ({
  ...scheduled,
  ...{ 'detail-type': 'AWS API Call via CloudTrail', source: 'aws.ec2' },
  detail: { eventName: call, userIdentity: { arn: 'arn:ann' }, requestParameters, ...more },
});

/** A second VIP, in good order. */
function beside(w: World, name = 'db'): void {
  w.vips.items.set(
    name,
    newVip({
      ...entry,
      name,
      addresses: ['192.0.2.9/32'],
      eips: [],
      tableLabels: [name],
      nodeLabels: [name],
    }),
  );
}

describe('a reconcile', () => {
  it('by the schedule is over all VIPs, says what it did, and is counted as one that reached its end', async () => {
    const w = await owned();
    beside(w);
    const [table] = [...w.ec2.tables.values()].filter((t) => t.label === 'web');
    w.ec2.tables.set(table!.table, { ...table!, routes: {} });
    expect(await answerOf(w, invokeForReconcile, scheduled)).toEqual({ vips: 2, switched: 1, left: 0 });
    expect(messages()).toContain('reconcile');
    expect(metric('Reconciled')).toEqual([1]);
    expect(metric('VipsUnheard')).toEqual([0]);
  });

  it('that fails for one VIP throws with its name after the others are done, and is not counted as whole', async () => {
    const w = await owned();
    beside(w);
    const read: typeof w.vips.read = (name) =>
      name === 'db' ? Promise.reject(new Fault('denied', 'AccessDenied', 'no')) : w.vips.read(name);
    const before = w.vips.items.get('web')!.rev;
    const { reply } = await invoked(
      w,
      invokeForReconcile,
      scheduled,
      ports(w, { vips: { ...w.vips, read } }),
    );
    expect(reply).toMatchObject({ status: 'rejected', reason: { errors: [{ kind: 'denied' }] } });
    expect(String((reply as PromiseRejectedResult).reason)).toContain('reconcile failed for db;');
    expect(messages()).toContain('reconcile failed');
    expect([metric('Reconciled'), metric('VipsUnheard')], 'the dead-man alarm listens for it').toEqual([
      [],
      [],
    ]);
    expect(before).toBe(w.vips.items.get('web')!.rev);
  });

  it('that has no time for a VIP says which, and is not counted as whole', async () => {
    const w = await owned();
    const out = ports(w, { deadline: w.clock.now() });
    expect(await answerOf(w, invokeForReconcile, scheduled, out)).toEqual({ vips: 0, switched: 0, left: 1 });
    expect(lines.find(({ left }) => left !== undefined)).toMatchObject({ left: 1, vips: ['web'] });
    expect(metric('Reconciled')).toEqual([]);
  });

  it('by a hint is over the VIPs that it concerns only, acts on it, and is no sweep', async () => {
    const w = await owned();
    beside(w);
    await w.clock.advance(seconds(1));
    const event = { ...stopped('i-a'), time: new Date(w.clock.now()).toISOString() };
    expect(await answerOf(w, invokeForReconcile, event)).toMatchObject({ vips: 1 });
    expect(item(w).claims['i-a']).toMatchObject({ state: 'STOP' });
    expect(lines.find(({ message }) => message === 'hint')).toMatchObject({
      hint: { node: 'i-a' },
      vips: ['web'],
    });
    expect([metric('Reconciled'), metric('VipsUnheard')]).toEqual([[], []]);
  });

  it('by a change notes who made it, for each VIP that it concerns', async () => {
    const w = await owned();
    beside(w);
    const noted: unknown[] = [];
    const changes = {
      note: async (vip: string, change: object) => void noted.push([vip, change]),
      since: async () => [],
    };
    const event = called('ReplaceRoute', { destinationCidrBlock: entry.addresses[0], routeTableId: 'rtb-1' });
    expect(await answerOf(w, invokeForReconcile, event, ports(w, { changes }))).toMatchObject({ vips: 1 });
    expect(noted).toEqual([
      [
        'web',
        {
          ...{ kind: 'change', id: 'e', by: 'arn:ann', call: 'ReplaceRoute', labels: [], atMs: START },
          ...{ destinations: [entry.addresses[0]], things: ['rtb-1'] },
        },
      ],
    ]);
  });
});

describe('every invocation', () => {
  const idle = world();

  it('ends what is under way when it answers, and when it throws', async () => {
    for (const work of [async () => 'done', () => Promise.reject(new Error('odd'))]) {
      const counting: Work = (_event, { telemetry }) => {
        telemetry.metrics.addMetric('Seen', 'Count', 1);
        return work();
      };
      const { made } = await invoked(idle, counting, {});
      expect([made.abortedEarly, made.signal.aborted, made.remaining]).toEqual([false, true, 60_000]);
    }
    expect(metric('Seen').flat(), 'its metrics are out before it is frozen').toEqual([1, 1]);
  });

  it('tells a bug of its handler, and throws it', async () => {
    const { reply } = await invoked(idle, () => Promise.reject(new TypeError('no such thing')), {});
    expect(reply).toMatchObject({ status: 'rejected', reason: { message: 'no such thing' } });
    expect(lines.find(({ where }) => where === 'the handler')).toMatchObject({ why: 'no such thing' });
  });
});
