// The deployed path: bus, rule, packaged Lambda, DynamoDB, EC2, timeline. serverless.yml as it is, on the local AWS.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { calm } from '../../lab/aws/stack/calm.ts';
import { poll } from '../../lab/aws/stack/poll.ts';
import { invoke, logged, NODE_ROLE_ID, type Stack, startStack, VIP } from '../../lab/aws/stack/stack.ts';
import type { LabNode } from '../../lab/aws/stack/vpc.ts';
import { describeVpc, type VpcView } from '../../lab/aws/stack/vpc-view.ts';
import { DETAIL_TYPE } from '../../shared/aws/events/claim-event.ts';
import type { Failover } from '../../shared/timeline/timeline.ts';
import { SOURCE_PREFIX, UNREGISTERED } from '../../shared/vip/admission.ts';
import type { Vip } from '../../shared/vip/vip.ts';
import { type Words, wordsOf } from './stage/words.ts';

let stack: Stack;
let untouched: VpcView;
beforeAll(async () => {
  // Reconcile is started by hand where a test is about it.
  stack = await startStack({ schedule: false });
  untouched = await describeVpc(stack.ec2, stack.vpc);
});
beforeEach(() => calm(stack.vips, VIP));
afterAll(() => stack?.stop());

const node = (name: 'a' | 'b'): LabNode => stack.vpc.nodes[name];
const sourceOf = (name: 'a' | 'b') => `${SOURCE_PREFIX}${NODE_ROLE_ID}:${node(name).instanceId}`;
const says = (name: 'a' | 'b', words: Words) => stack.publish(wordsOf(node(name).instanceId, words));
const others = (view: VpcView) => view.tables.map((t) => [t.name, t.others]);
const epoch = async () => (await stack.vips.read(VIP))!.epoch;

const outcomes = async () =>
  (await stack.entries(VIP)).filter((e) => e.entry === 'outcome') as unknown as readonly Failover[];

/** What the record says of each switch: an attempt without an answer may have landed later. */
async function saidByRecord(): Promise<string> {
  const lines = (await outcomes()).map(({ epoch, outcome, to, verified, steps, notes }) => {
    const unanswered = steps.filter((s) => s.unanswered > 0).map((s) => `${s.cell} ${s.unanswered}`);
    return JSON.stringify({ epoch, outcome, to, verified, unanswered, notes });
  });
  return `the record:\n${lines.join('\n')}`;
}

/** Everything that has to be true when the VIP is on this node. */
async function expectOn(name: 'a' | 'b'): Promise<void> {
  const view = await describeVpc(stack.ec2, stack.vpc);
  const record = await saidByRecord();
  for (const table of view.tables) {
    const want = table.labelled ? node(name).serviceEni : undefined;
    expect([table.name, table.ipv4, table.ipv6], record).toEqual([table.name, want, want]);
  }
  expect(others(view), 'every other route is as it was').toEqual(others(untouched));
  expect(view.eip.eni, record).toBe(node(name).eipEni);
  expect(view.own, 'each node’s own public address is as it was').toEqual(untouched.own);
}

/**
 * What had no answer, or was sent by a holder that did not come back, may land after the last read-back (test/e2e/late.aws.test.ts). The next
 * reconcile repairs that; here none is scheduled.
 */
async function repairLateLandings(name: 'a' | 'b'): Promise<void> {
  const mayLand = (await outcomes()).some(
    ({ outcome, steps }) => outcome === 'abandoned' || steps.some((s) => s.unanswered > 0),
  );
  if (!mayLand) return;
  await poll(`everything on ${name}`, async () => {
    await invoke(stack.aws, stack.deployment.functions.reconcile, {});
    return expectOn(name).then(
      () => true,
      () => undefined,
    );
  });
}

const atRest = (vip: Vip): boolean => vip.lease === undefined && Object.keys(vip.open).length === 0;

describe('claim → switch', () => {
  it('points four labelled tables and the EIP to the new master, and touches nothing else', async () => {
    await says('a', { atS: 0 });
    const first = await stack.outcome(1);
    expect(first).toMatchObject({ outcome: 'switched', to: node('a').instanceId, verified: true });
    expect(first.steps.map((s) => s.call).sort()).toEqual([
      'AssociateAddress',
      ...Array(8).fill('CreateRoute'),
    ]);
    await expectOn('a');
    await says('b', { atS: 10 });
    const second = await stack.outcome(2);
    expect(second).toMatchObject({
      outcome: 'switched',
      from: node('a').instanceId,
      to: node('b').instanceId,
    });
    expect(second.steps.map((s) => s.call).sort()).toEqual([
      'AssociateAddress',
      ...Array(8).fill('ReplaceRoute'),
    ]);
    await expectOn('b');
    const vip = await stack.until('the commit', (v) => v.lease === undefined);
    expect(vip).toMatchObject({ owner: node('b').instanceId, epoch: 2, open: {} });
  });

  it('records the intent next to the outcome, with cause and steps', async () => {
    const entries = await stack.entries(VIP);
    expect(entries.map((e) => e.id)).toEqual([
      '000000000001/1-intent',
      '000000000001/2-outcome',
      '000000000002/1-intent',
      '000000000002/2-outcome',
    ]);
    expect(entries[2]).toMatchObject({
      to: node('b').instanceId,
      cause: { kind: 'claim', node: node('b').instanceId },
    });
  });

  it('redelivery: the same event once more, as EventBridge may send it, and the same claim in a new event move nothing', async () => {
    const before = await stack.until('rest', (v) => v.lease === undefined);
    const claim = { ...wordsOf(node('b').instanceId, { atS: 10 }) };
    const event = {
      ...{ version: '0', id: 'delivered-twice', 'detail-type': DETAIL_TYPE, source: sourceOf('b') },
      ...{ time: `${new Date().toISOString().slice(0, 19)}Z`, account: stack.aws.accountId },
      ...{ region: stack.aws.region, resources: [], detail: claim },
    };
    for (const _ of [1, 2])
      expect(await invoke(stack.aws, stack.deployment.functions.failover, event)).toEqual({
        answer: 'recorded',
      });
    expect(await stack.answered(await stack.publish(claim))).toContain('claim recorded');
    expect(await epoch()).toBe(before.epoch);
    await expectOn('b');
  });

  it('redelivery of an old claim, late and out of order, moves nothing', async () => {
    const before = await epoch();
    const answer = await stack.answered(await says('a', { atS: 0 }));
    expect(answer).toContain('claim recorded');
    expect(await epoch()).toBe(before);
    await expectOn('b');
  });
});

describe('claims that are turned away', () => {
  const words = (over: object) => ({ ...wordsOf(node('a').instanceId, { atS: 11 }), ...over });
  it.each([
    ['malformed', () => stack.publish(words({ state: 'ELECTED' }))],
    ['unknown-vip', () => stack.publish(words({ vip: 'absent' }))],
    ['foreign-source', () => stack.publish(words({}), 'someone.else')],
    ['foreign-role', () => stack.publish(words({}), `vipshift.notify/AROASTRANGER:${node('a').instanceId}`)],
    ['foreign-node', () => stack.publish(words({ node: node('b').instanceId }), sourceOf('a'))],
    ['not-a-member', () => stack.publish(words({ node: 'i-0123456789abcdef0' }))],
  ])('rejects %s with its reason, once, in log and record', async (reason, publish) => {
    const before = await epoch();
    expect(await stack.answered(await publish())).toContain(`"reason":"${reason}"`);
    const records = await poll(`the rejection as ${reason}`, async () => {
      const all = await Promise.all([VIP, UNREGISTERED].map((vip) => stack.entries(`rejected/${vip}`)));
      const found = all.flat().filter((r) => r.reason === reason);
      return found.length > 0 ? found : undefined;
    });
    expect(records).toMatchObject([{ count: 1 }]);
    expect(await epoch()).toBe(before);
    const metric = await logged(
      stack.aws,
      stack.deployment.functions.failover,
      (line) => line.includes('ClaimsRejected') && line.includes(reason),
    );
    expect(metric).toHaveLength(1);
  });
  it('answers a probe in the record', async () => {
    await stack.answered(await stack.publish(words({ kind: 'probe' })));
    const answers = await poll('the answer in the record', async () => {
      const found = await stack.entries(`probe/${VIP}`);
      return found.length > 0 ? found : undefined;
    });
    expect(answers).toMatchObject([{ node: node('a').instanceId }]);
  });

  it('reads a newer version as far as it is known, and reports it', async () => {
    const event = await stack.publish({
      ...wordsOf(node('b').instanceId, { atS: 10, kind: 'assertion', laterS: 2 }),
      version: 7,
      novelty: true,
    });
    expect(await stack.answered(event)).toContain('claim recorded');
  });
});

describe('many claims at once', () => {
  it('ends twenty of them with one owner, epochs strictly rising and no claim missing', async () => {
    const before = await epoch();
    const claims = Array.from({ length: 20 }, (_, n) => says(n % 2 === 0 ? 'a' : 'b', { atS: 30 + n * 2 }));
    await Promise.all((await Promise.all(claims)).map((event) => stack.answered(event)));
    const vip = await stack.until('the last release', atRest);
    expect(vip.owner, 'the newest transition is node b’s').toBe(node('b').instanceId);
    expect([vip.claims[node('a').instanceId]!.since, vip.claims[node('b').instanceId]!.since]).toEqual(
      [66, 68].map((s) => wordsOf('i-0', { atS: s }).since),
    );
    await repairLateLandings('b');
    await expectOn('b');
    const { epoch: last } = await stack.until('rest', atRest);
    expect(
      (await outcomes()).map((o) => o.epoch),
      'every epoch is closed once',
    ).toEqual(Array.from({ length: last }, (_, n) => n + 1));
    expect(vip.epoch).toBeGreaterThan(before);
  });

  it('leaves the same record and owner for any order of the same claims, each delivered twice', async () => {
    const history = [
      ['b', { atS: 90, state: 'BACKUP' }],
      ['a', { atS: 92 }],
      ['a', { atS: 92, kind: 'assertion', laterS: 1 }],
      ['b', { atS: 95 }],
      ['a', { atS: 97, state: 'BACKUP' }],
      ['a', { atS: 100 }],
      ['b', { atS: 103, state: 'FAULT' }],
    ] as const;
    // A fixed shuffle of the doubled story, so that a failure can be repeated.
    const order = [11, 3, 6, 0, 9, 2, 13, 5, 8, 1, 12, 4, 10, 7].map((n) => history[n % history.length]!);
    for (const [name, words] of order) await stack.answered(await says(name, words));
    const vip = await stack.until('rest', atRest);
    expect(vip.owner).toBe(node('a').instanceId);
    expect(vip.claims[node('a').instanceId]).toMatchObject({
      state: 'MASTER',
      since: wordsOf('i-0', { atS: 100 }).since,
    });
    expect(vip.claims[node('b').instanceId]).toMatchObject({ state: 'FAULT' });
    await expectOn('a');
  });
});

describe('reconcile', () => {
  it('drift repaired: a route that someone moved is put right, and the record reports it', async () => {
    const { ReplaceRouteCommand } = await import('@aws-sdk/client-ec2');
    const table = stack.vpc.tables.find((t) => t.labelled)!;
    const route = { RouteTableId: table.routeTableId, DestinationCidrBlock: stack.vpc.vip.ipv4 };
    // Observations within STALE_READ of the last mutation do not count as drift.
    await stack.until('the last mutation to be old enough', (v) => Date.now() - v.touchedAtMs > 4100);
    await stack.ec2.send(new ReplaceRouteCommand({ ...route, NetworkInterfaceId: node('b').serviceEni }));
    const before = await epoch();
    expect(await invoke(stack.aws, stack.deployment.functions.reconcile, {})).toMatchObject({
      vips: 1,
      switched: 1,
    });
    const repaired = await stack.outcome(before + 1);
    expect(repaired).toMatchObject({ outcome: 'switched', cause: { kind: 'reconcile' } });
    expect(repaired.cause.why).toBe(`drift at ${table.routeTableId} ${stack.vpc.vip.ipv4}`);
    await expectOn('a');
    expect(await invoke(stack.aws, stack.deployment.functions.reconcile, {})).toMatchObject({
      vips: 1,
      switched: 0,
    });
  });

  it('a foreign route reported and left: it may be someone’s on purpose', async () => {
    const { ReplaceRouteCommand } = await import('@aws-sdk/client-ec2');
    const table = stack.vpc.tables.find((t) => t.labelled)!;
    const route = { RouteTableId: table.routeTableId, DestinationCidrBlock: stack.vpc.vip.ipv4 };
    await stack.ec2.send(new ReplaceRouteCommand({ ...route, NetworkInterfaceId: node('b').primaryEni }));
    const before = await epoch();
    expect(await invoke(stack.aws, stack.deployment.functions.reconcile, {})).toMatchObject({ switched: 0 });
    expect(await epoch()).toBe(before);
    const view = await describeVpc(stack.ec2, stack.vpc);
    expect(view.tables.find((t) => t.routeTableId === table.routeTableId)!.ipv4).toBe(node('b').primaryEni);
    const { reconcile } = stack.deployment.functions;
    await logged(stack.aws, reconcile, (l) => l.includes('"trouble"') && l.includes(table.routeTableId));
    // What the alarm unhealthy is about.
    await logged(stack.aws, reconcile, (l) => l.includes('"_aws"') && l.includes('Unhealthy'));
    await stack.ec2.send(new ReplaceRouteCommand({ ...route, NetworkInterfaceId: node('a').serviceEni }));
  });
});
