// Judgements of the operator's side that need no AWS: times, owners, budgets, policies.
import { describe, expect, test } from 'vitest';
import { narrowed, offTooFar } from '../../cli/failover/clock-offset.ts';
import { describeNetwork } from '../../shared/aws/ec2/network-facts.ts';
import { addressFindings } from '../../shared/doctor/addresses.ts';
import { bucketFindings, loadSentence, secondsFor } from '../../shared/doctor/capacity.ts';
import type { NetworkFacts } from '../../shared/doctor/facts.ts';
import {
  allows,
  denies,
  like,
  policyFrom,
  principalText,
  trusted,
} from '../../shared/doctor/service/iam-policy.ts';
import { older } from '../../shared/doctor/service/release.ts';
import { tableFindings } from '../../shared/doctor/tables.ts';
import { dayFrom, durationFrom, durationText, momentFrom, momentText } from '../../shared/instants.ts';
import { epochMs } from '../../shared/time.ts';
import {
  answers,
  beganAt,
  committed,
  daysOf,
  dueAt,
  newsAge,
  ownerAt,
  type Question,
  took,
  waterfall,
} from '../../shared/timeline/query.ts';
import { newVip } from '../../shared/vip/vip.ts';
import { entry } from '../support/world.ts';
import { failoverOf, START_MS } from './timeline/records.ts';

const at = (text: string) => epochMs(Date.parse(text));

describe('times', () => {
  const now = at('2026-11-22T14:00:00Z');
  test.each([
    ['2h', 'UTC', '2026-11-22T12:00:00.000Z'],
    ['now', 'UTC', '2026-11-22T14:00:00.000Z'],
    ['2026-11-22', 'UTC', '2026-11-22T00:00:00.000Z'],
    ['2026-11-22T14:03', 'UTC', '2026-11-22T14:03:00.000Z'],
    ['2026-11-22 14:03:07.5', 'UTC', '2026-11-22T14:03:07.500Z'],
    ['2026-11-22T14:03:07+02:00', 'UTC', '2026-11-22T12:03:07.000Z'],
    ['2026-11-22T14:03', 'Europe/Berlin', '2026-11-22T13:03:00.000Z'],
    ['2026-07-22T14:03', 'Europe/Berlin', '2026-07-22T12:03:00.000Z'],
    ['2026-07-22T14:03Z', 'Europe/Berlin', '2026-07-22T14:03:00.000Z'],
  ])('%s in %s is %s', (text, zone, wanted) => {
    expect(momentText(momentFrom(text, now, zone)!, 'UTC')).toBe(wanted);
  });
  test.each(['yesterday', '2026-02-30', '2026-13-01', '2026-11-22T25:00', '', '5', '-2h'])(
    '%j is none',
    (text) => {
      expect(momentFrom(text, now, 'UTC')).toBeUndefined();
    },
  );
  test('a day of another zone has its own length when clocks are changed', () => {
    const { sinceMs, untilMs } = dayFrom('2026-10-25', 'Europe/Berlin')!;
    expect(untilMs - sinceMs).toBe(25 * 3_600_000);
    expect(momentText(sinceMs, 'Europe/Berlin')).toBe('2026-10-25T00:00:00.000+02:00');
  });
  test('days of a window are newest first and bounded by it', () => {
    const window = { sinceMs: at('2026-11-20T23:59:59Z'), untilMs: at('2026-11-22T00:00:00Z') };
    expect(daysOf(window)).toEqual(['2026-11-21', '2026-11-20']);
    expect(daysOf({ ...window, untilMs: window.sinceMs })).toEqual([]);
  });
  test('durations are read and written', () => {
    expect(durationFrom('1.5h')).toBe(5_400_000);
    expect(durationFrom('90')).toBeUndefined();
    expect(['412', '12000', '180000', '18000000', '200000000'].map((d) => durationText(Number(d)))).toEqual([
      '0.412 s',
      '12 s',
      '3 min',
      '5 h',
      '2 d',
    ]);
  });
});

describe('who owned it', () => {
  const [one, two, three] = [1, 2, 3].map((n) => failoverOf(n)) as [never, never, never];
  const around = (before: readonly never[], after?: never) => ({
    before,
    orders: [],
    reads: 1,
    ...(after === undefined ? {} : { after }),
    ownerNow: 'i-now',
  });
  test('the next failover says what it found; without one the registry does', () => {
    const found = ownerAt('web', epochMs(START_MS), around([two, one], three));
    expect(found).toMatchObject({ owner: 'i-0bbbbbbbbbbbbbbbb', by: { epoch: 2 } });
    expect(ownerAt('web', epochMs(START_MS), around([two, one]))).toMatchObject({ owner: 'i-now' });
  });
  test('a failover under way at that instant is told apart', () => {
    const during = epochMs(beganAt(three) + 1);
    expect(ownerAt('web', during, around([two], three)).underWay).toMatchObject({ epoch: 3 });
    expect(ownerAt('web', epochMs(beganAt(three) - 1), around([two], three)).underWay).toBeUndefined();
  });
  test('before anything is recorded of it, it was not registered: that is said, and not that a failover found it so', () => {
    const none = ownerAt('web', epochMs(START_MS), { ...around([]), after: failoverOf(1) });
    expect(none.owner).toBeUndefined();
    expect(none.how).toMatch(/^the record has nothing of it up to then: it was not registered yet/);
  });
  test('no node after the VIP was removed', () => {
    const order = {
      entry: 'order',
      order: 'remove',
      vip: 'web',
      id: 'order/x',
      by: 'me',
      reason: '',
      atMs: epochMs(1),
    } as const;
    expect(ownerAt('web', epochMs(2), { ...around([two]), orders: [order] }).owner).toBeUndefined();
  });
  test('a failover that was half done, overtaken or abandoned made no node the owner', () => {
    expect(committed(failoverOf(1))).toBe(true);
    for (const outcome of ['superseded', 'abandoned', 'failed'] as const)
      expect(committed(failoverOf(1, { outcome }))).toBe(false);
    const steps = failoverOf(1).steps.map((s) => ({ ...s, result: 'unknown' as const }));
    expect(committed(failoverOf(1, { outcome: 'partial', steps }))).toBe(false);
  });
  test('the waterfall begins with the controller’s first line and never runs backwards: the bus stamps whole seconds', () => {
    const bars = waterfall(failoverOf(1));
    expect(bars[0]).toMatchObject({ label: 'controller began', fromMs: 0, toMs: 0 });
    for (const bar of bars) expect(bar.toMs).toBeGreaterThanOrEqual(bar.fromMs);
    expect(bars.some((bar) => /node said|bus accepted/.test(bar.label))).toBe(false);
  });
  test('what it took ends with the last call that EC2 accepted, and is not measured where there was none', () => {
    const failover = failoverOf(1);
    const bus = { stage: 'bus accepted (whole seconds)', atMs: epochMs(failover.atMs - 1300) };
    expect(took({ ...failover, stages: [bus, ...failover.stages] })).toBe(100);
    const again = { stage: 'last mutation accepted', atMs: epochMs(failover.atMs - 50) };
    expect(took({ ...failover, stages: [...failover.stages, again] }), 'a second round counts').toBe(300);
    expect(
      took({ ...failover, stages: failover.stages.filter((s) => !/mutation/.test(s.stage)) }),
    ).toBeUndefined();
    expect(took({ ...failover, stages: [] })).toBeUndefined();
  });
  test('the age of the news is told apart, and not at all where the node’s clock is ahead of ours', () => {
    expect(newsAge(failoverOf(1))).toBe(100);
    const ahead = { stage: 'node said so (its clock)', atMs: epochMs(failoverOf(1).atMs) };
    expect(newsAge(failoverOf(1, { stages: [ahead, ...failoverOf(1).stages.slice(1)] }))).toBeUndefined();
    expect(newsAge(failoverOf(1, { stages: failoverOf(1).stages.slice(1) }))).toBeUndefined();
  });
  test('when EC2’s budget lets the last call go is a forecast, and no bar', () => {
    const due = {
      stage: 'last mutation due, by the request budget',
      atMs: epochMs(failoverOf(1).atMs + 9000),
    };
    const failover = failoverOf(1, { stages: [...failoverOf(1).stages, due] });
    expect(dueAt(failover)).toBe(due.atMs);
    expect(dueAt(failoverOf(1))).toBeUndefined();
    expect(waterfall(failover)).toEqual(waterfall(failoverOf(1)));
  });
  test('a question is answered by what it asks for alone', () => {
    const question: Question = {
      sinceMs: epochMs(START_MS),
      untilMs: epochMs(START_MS + 3_600_000),
      kinds: ['outcome'],
      limit: 1,
    };
    expect(answers(question, failoverOf(1))).toBe(true);
    expect(answers({ ...question, vip: 'db' }, failoverOf(1))).toBe(false);
    expect(answers({ ...question, node: 'i-0aaaaaaaaaaaaaaaa' }, failoverOf(2))).toBe(true);
    expect(answers({ ...question, outcomes: ['failed'] }, failoverOf(1))).toBe(false);
    expect(answers({ ...question, untilMs: failoverOf(1).atMs }, failoverOf(1))).toBe(false);
  });
});

describe('EC2’s request budget', () => {
  test('says how long the last VIP waits when a zone fails', () => {
    const vips = Array.from({ length: 37 }, (_, n) => `web-${n}`);
    const load = { zone: 'eu-central-1a', vips, routes: 222, eips: 0 };
    expect(loadSentence(load)).toBe('if eu-central-1a fails: 37 VIPs, 222 calls, done in 35 s');
    expect(bucketFindings([load])).toMatchObject([{ check: 'bucket', severity: 'warning', vips }]);
    expect(bucketFindings([{ ...load, routes: 50 }])).toEqual([]);
    expect(secondsFor({ ...load, routes: 50, eips: 51 })).toBe(1);
  });
});

describe('policies', () => {
  const call = {
    action: 'events:PutEvents',
    resource: 'arn:aws:events:eu-central-1:1:event-bus/vipshift-dev',
    context: { 'aws:userid': 'AROA1:i-1', 'events:source': 'vipshift.notify/AROA1:i-1' },
  };
  const allow = (over: object) => ({
    Statement: [{ Effect: 'Allow', Action: 'events:*', Resource: '*', ...over }],
  });
  test.each([
    ['a plain Allow', [allow({})], true],
    ['no policy', [], false],
    ['another action', [allow({ Action: 'events:PutRule' })], false],
    ['another bus', [allow({ Resource: `${call.resource}-2` })], false],
    ['a Deny next to it', [allow({}), { Statement: { ...allow({}).Statement[0], Effect: 'Deny' } }], false],
    [
      'the session’s own source',
      [allow({ Condition: { StringEquals: { 'events:source': 'vipshift.notify/$\u007baws:userid}' } } })],
      true,
    ],
    ['another source', [allow({ Condition: { StringEquals: { 'events:source': 'x' } } })], false],
    [
      'a condition that cannot be judged',
      [allow({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })],
      false,
    ],
    ['NotAction', [allow({ Action: undefined, NotAction: 's3:*' })], true],
  ])('%s: %#', (_what, policies, is) => expect(allows(policies, call)).toBe(is));
  test('a resource policy’s Deny counts only when it surely meets the call', () => {
    const deny = (Condition: object) => ({
      Statement: [{ Effect: 'Deny', Action: 'events:PutEvents', Resource: '*', Condition }],
    });
    expect(
      denies(deny({ 'ForAnyValue:StringLike': { 'events:source': 'vipshift.notify/*' } }) as never, call),
    ).toBe(true);
    expect(denies(deny({ StringNotLike: { 'events:source': 'vipshift.notify/*' } }) as never, call)).toBe(
      false,
    );
    expect(denies(undefined, call)).toBe(false);
  });
  test('trust is told by kind and name, documents are read as IAM hands them out', () => {
    const text = encodeURIComponent(
      '{"Statement":{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com"],"AWS":"*"}}}',
    );
    expect(trusted(policyFrom(text)).map(principalText)).toEqual(['Service ec2.amazonaws.com', 'AWS *']);
    expect(policyFrom('no json')).toBeUndefined();
  });
  test('wildcards are taken literally but for * and ?', () => {
    expect(like('a.b*', 'a.bcd')).toBe(true);
    expect(like('a.b*', 'axbcd')).toBe(false);
    expect(like('a?c', 'abc')).toBe(true);
  });
});

describe('set-ups that are refused by name', () => {
  const vip = { ...newVip(entry), owner: 'i-a', members: {} };
  const facts = (target: string): NetworkFacts => ({
    vip,
    tag: 'vipshift:dev',
    place: { stage: 'dev' },
    vpc: { vpc: entry.vpc, account: entry.account, cidrs: ['10.0.0.0/16'] },
    seen: {
      source: 'ec2',
      beganAtMs: epochMs(0),
      endedAtMs: epochMs(0),
      enis: [],
      eips: [],
      tables: [
        {
          table: 'rtb-1',
          vpc: entry.vpc,
          account: entry.account,
          edge: false,
          routes: { [entry.addresses[0]!]: { target, state: 'active', propagated: false } },
        },
      ],
    },
    enis: [],
    tables: [
      {
        ...{ table: 'rtb-2', main: false, subnets: [], implicitSubnets: [] },
        outward: [
          { destination: '172.16.0.0/12', target: 'tgw-1', state: 'active' },
          { destination: '10.9.0.0/16', target: 'pcx-1', state: 'active' },
        ],
      },
    ],
    groups: [],
    acls: [],
    eips: [],
    prefixLists: new Map(),
  });
  test('a route over a transit gateway or a peering is named as such', () => {
    expect(tableFindings(facts('tgw-1'))).toContainEqual(
      expect.objectContaining({ check: 'transit-gateway', severity: 'fault' }),
    );
    expect(tableFindings(facts('pcx-1'))).toContainEqual(expect.objectContaining({ check: 'peering' }));
    expect(tableFindings(facts('igw-1'))).toContainEqual(expect.objectContaining({ check: 'route-foreign' }));
  });
  test('a transit gateway or a peering that a table routes to is a warning with what to do; one without routes is none', () => {
    const found = '172.16.0.0/12 in rtb-2';
    expect(addressFindings(facts('igw-1'))).toMatchObject([
      {
        ...{ check: 'transit-gateway', severity: 'warning', found: `is routed to: ${found}` },
        remedy: expect.stringMatching(/static route/),
      },
      { check: 'peering', severity: 'warning', found: 'is routed to: 10.9.0.0/16 in rtb-2' },
    ]);
    expect(addressFindings({ ...facts('igw-1'), tables: [] })).toEqual([]);
  });
  test('a VPC that AWS refuses to describe ends the visit: nothing could be judged', async () => {
    const reader = {
      send: () => Promise.reject(Object.assign(new Error('no'), { name: 'UnauthorizedOperation' })),
    };
    const access = { reader: reader as never, signal: new AbortController().signal };
    await expect(
      describeNetwork(access, { vip, seen: facts('x').seen, tag: 'vipshift:dev', caller: undefined }),
    ).rejects.toMatchObject({
      kind: 'denied',
    });
  });
});

describe('this machine’s clock', () => {
  test('is told off only when AWS’s whole seconds leave no doubt', () => {
    const none = { lowMs: Number.NEGATIVE_INFINITY, highMs: Number.POSITIVE_INFINITY };
    // AWS says 10 s in answers sent at 9.95 and received at 10.05, and 10 s again at 10.9.
    const right = narrowed(narrowed(none, 10_000, 9950, 10_050), 10_000, 10_850, 10_900);
    expect(offTooFar(right)).toBe(false);
    const slow = narrowed(none, 10_000, 8000, 8050);
    expect(slow).toEqual({ lowMs: 1950, highMs: 3000 });
    expect(offTooFar(slow)).toBe(true);
    expect(offTooFar(narrowed(none, 10_000, 11_300, 11_350))).toBe(true);
  });
});

describe('versions of the shim', () => {
  test.each([
    ['0.9.9', '1.0.0', true],
    ['1.0.0', '1.0.0', false],
    ['1.0', '1.0.1', true],
    ['1.10.0', '1.9.0', false],
    ['dev', '1.0.0', false],
  ])('%s before %s: %s', (a, b, is) => expect(older(a, b)).toBe(is));
});
