// The environment of a function as settings, and the ports and the clock of one invocation.
import { afterEach, describe, expect, it } from 'vitest';
import {
  clients,
  executionEnvironment,
  portsFor,
  ratesFrom,
  type Settings,
  settingsFrom,
  systemClock,
  systemNow,
} from '../../../shared/aws/wire.ts';
import { rates } from '../../../shared/rate-limit/local-bucket.ts';
import { durationMs, minutes, plus, seconds } from '../../../shared/time.ts';
import { operatorAction } from '../../../shared/timeline/operator-action.ts';
import { newVip } from '../../../shared/vip/vip.ts';
import { outcomeOf } from '../../contracts/timeline.ts';
import { startDynamo } from '../../support/aws/dynamo.ts';
import { type Endpoint, json, refused, startEndpoint } from '../../support/aws/endpoint.ts';
import { entry, START } from '../../support/world.ts';

const full = {
  VIPSHIFT_STAGE: 'prod',
  VIPSHIFT_VIPS_TABLE: 'vips',
  VIPSHIFT_TIMELINE_TABLE: 'timeline',
  VIPSHIFT_BUS: 'bus',
  VIPSHIFT_NODE_IDENTITY: 'source',
  VIPSHIFT_NODE_ROLE_ID: 'AROA1',
};
const settings: Settings = {
  ...{ stage: 'prod', vipsTable: 'vips', timelineTable: 'timeline', bus: 'bus', retentionDays: 400 },
  ...{ identity: { mode: 'source', roleId: 'AROA1' }, metricsByVip: true, rates },
};

describe('clients', () => {
  it('that only a failover needs are made when it does, and once', async () => {
    const wanted: string[] = [];
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const made = clients({ region: 'eu-central-1', credentials, endpoint: 'http://127.0.0.1:9' });
    const watched = {
      ...{ dynamo: made.dynamo, reader: made.reader, toEc2: made.toEc2 },
      get writer() {
        wanted.push('writer');
        return made.writer;
      },
      get events() {
        wanted.push('events');
        return made.events;
      },
    };
    // Aborted, so that nothing is sent.
    const ports = portsFor(executionEnvironment(settings, watched), minutes(1), AbortSignal.abort());
    expect(wanted).toEqual([]);
    await expect(ports.bus.warned({ node: 'i-1' } as never)).rejects.toThrow('abort');
    expect(wanted).toEqual(['events']);
    expect(made.events).toBe(made.events);
    expect(made.writer).toBe(made.writer);
    for (const client of [made.dynamo, made.reader, made.writer, made.events, made.toEc2]) client.destroy();
  });
});

describe('settings', () => {
  it('are what the environment says, else their defaults', () => {
    expect(settingsFrom(full)).toEqual(settings);
    const { VIPSHIFT_NODE_ROLE_ID: _role, ...bare } = full;
    expect(
      settingsFrom({
        ...bare,
        ...{ VIPSHIFT_NODE_IDENTITY: 'none', VIPSHIFT_RETENTION_DAYS: '1', VIPSHIFT_METRICS_BY_VIP: 'false' },
        VIPSHIFT_EC2_RATES: 'ReplaceRoute=100/10, AssociateAddress=9/0.5',
      }),
    ).toEqual({
      ...{ ...settings, identity: { mode: 'none' }, retentionDays: 1, metricsByVip: false },
      rates: {
        ...{ ...rates, ReplaceRoute: { burst: 100, perSecond: 10 } },
        AssociateAddress: { burst: 9, perSecond: 0.5 },
      },
    });
  });

  const wrong: readonly (readonly [string, string])[] = [
    ...Object.keys(full).map((name) => [name, ''] as const),
    ['VIPSHIFT_NODE_IDENTITY', 'sorce'],
    ...['0', '0.5', '-1', 'forever', ''].map((days) => ['VIPSHIFT_RETENTION_DAYS', days] as const),
    ...[
      'ReplaceRoute',
      'ReplaceRoute=0/5',
      'ReplaceRoute=5/0',
      'Nothing=5/5',
      'toString=5/5',
      'ReplaceRoute=5/5;',
    ].map((text) => ['VIPSHIFT_EC2_RATES', text] as const),
  ];
  it.each(wrong)('are refused by name where %s is %j', (name, value) => {
    expect(() => settingsFrom({ ...full, [name]: value })).toThrow(name);
  });

  it('name everything that is wrong at once', () => {
    expect(() => settingsFrom({})).toThrow(
      /VIPSHIFT_STAGE.*VIPSHIFT_VIPS_TABLE.*VIPSHIFT_TIMELINE_TABLE.*VIPSHIFT_BUS.*VIPSHIFT_NODE_IDENTITY/,
    );
    const problems: string[] = [];
    expect(ratesFrom('ReplaceRoute=7/1,x', problems).ReplaceRoute).toEqual({ burst: 7, perSecond: 1 });
    expect(problems).toHaveLength(1);
  });
});

let endpoint: Endpoint | undefined;
afterEach(() => endpoint?.stop());
const never = new AbortController().signal;

describe('the ports of an invocation', () => {
  const made = (from: Endpoint, over: Partial<Settings> = {}) =>
    portsFor(executionEnvironment({ ...settings, ...over }, from.clients), minutes(5), never);

  it('open connections for as many calls as are reserved, in parallel with it', async () => {
    const dynamo = await startDynamo();
    endpoint = dynamo;
    const asked: number[] = [];
    const toEc2 = { ...dynamo.clients.toEc2, open: (requests: number) => asked.push(requests) };
    const from = executionEnvironment(settings, { ...dynamo.clients, toEc2 });
    const reserved = portsFor(from, minutes(5), never).sharedBucket?.reserve(
      'ReplaceRoute',
      7,
      'back',
      START,
    );
    expect(asked, 'before there is a reply').toEqual([7]);
    expect((await reserved)?.count).toBe(7);
  });

  it('each write to the table that is theirs, for as long as the stage keeps records', async () => {
    const dynamo = await startDynamo();
    endpoint = dynamo;
    const ports = made(dynamo, { retentionDays: 7 });
    const kept = START / 1000 + 7 * 86_400;
    await ports.vips.write(undefined, newVip(entry));
    await ports.sharedBucket?.reserve('ReplaceRoute', 1, 'back', START);
    await ports.timeline.put(outcomeOf('web', 1));
    await ports.orders.put(
      operatorAction({ vip: 'web', order: 'pin', by: 'a', reason: 'b', atMs: START }, 'n'),
    );
    const change = {
      kind: 'change',
      id: 'e',
      by: 'a',
      call: 'c',
      destinations: [],
      things: [],
      labels: [],
    } as const;
    await ports.changes.note('web', { ...change, atMs: START });
    const view = {
      source: 'ec2',
      beganAtMs: START,
      endedAtMs: START,
      tables: [],
      enis: [],
      eips: [],
    } as const;
    await ports.views.keepView('web', view);
    expect(dynamo.items('vips').map(({ vip }) => vip)).toEqual(['web', 'budget/ReplaceRoute']);
    const records = dynamo.items('timeline');
    expect(new Set(records.map(({ vip }) => vip))).toEqual(new Set(['change/web', 'view/web', 'web']));
    expect(records).toHaveLength(4);
    expect(records.map(({ expiresAtS }) => expiresAtS)).toEqual(records.map(() => kept));
  });

  it('reserve from the buckets that the account has', async () => {
    endpoint = await startDynamo();
    const own = { ...rates, ReplaceRoute: { burst: 1, perSecond: 1 } };
    const few = await made(endpoint, { rates: own }).sharedBucket!.reserve('ReplaceRoute', 3, 'back', START);
    const many = await made(endpoint).sharedBucket!.reserve('AssociateAddress', 3, 'back', START);
    expect([few.intervalMs, many.intervalMs]).toEqual([1000, 1000 / rates.AssociateAddress.perSecond]);
    expect(made(endpoint, { rates: own }).sizes).toEqual(own);
  });

  it('repeat a describe that is throttled, and no mutation', async () => {
    endpoint = await startEndpoint((call) => refused(call, 'RequestLimitExceeded'));
    const { ec2 } = made(endpoint);
    await expect(ec2.observe(entry)).rejects.toMatchObject({ kind: 'throttled' });
    const times = (action: string) => endpoint!.calls.filter((call) => call.action === action).length;
    const describes = ['DescribeRouteTables', 'DescribeNetworkInterfaces', 'DescribeAddresses'].map(times);
    expect(Math.max(...describes), 'the first that gives up ends the others').toBe(4);
    const step = {
      call: 'CreateRoute',
      cell: 'c',
      from: 'nothing',
      table: 'rtb-1',
      destination: '192.0.2.1/32',
      eni: 'eni-1',
    } as const;
    await expect(ec2.apply(step, () => true)).rejects.toMatchObject({ kind: 'throttled' });
    expect(times('CreateRoute')).toBe(1);
  });

  it('start nothing in the last moments of the invocation', async () => {
    endpoint = await startEndpoint(() => json({}));
    const { deadline, clock } = made(endpoint);
    const left = deadline - systemNow();
    expect([left <= minutes(5) - 1500, left > minutes(5) - 60_000]).toEqual([true, true]);
    await expect(clock.wait(durationMs(minutes(5) - 1000))).rejects.toMatchObject({ kind: 'deadline' });
  });
});

describe('the clock', () => {
  it('waits, but not beyond the deadline, not after the end, and not over it', async () => {
    const over = new AbortController();
    const clock = systemClock(plus(systemNow(), seconds(60)), over.signal);
    await clock.wait(durationMs(1));
    await expect(clock.wait(seconds(61))).rejects.toMatchObject({ kind: 'deadline' });
    const waiting = clock.wait(seconds(50));
    over.abort();
    await expect(waiting).rejects.toMatchObject({ kind: 'deadline' });
    await expect(clock.wait(durationMs(1))).rejects.toMatchObject({ kind: 'deadline' });
  });
});
