// What the contracts say of requests that take effect and whose reply is lost, and of reads that are old: each adapter through the fault proxy.
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startLocalAws } from '../../lab/aws/local-aws.ts';
import { buildVpc } from '../../lab/aws/stack/vpc.ts';
import { type FaultProxy, startFaultProxy } from '../../lab/fault/proxy.ts';
import type { Fault as Weather } from '../../lab/fault/rule.ts';
import { awsSharedBucket } from '../../shared/aws/dynamodb/shared-bucket.ts';
import { awsTimeline } from '../../shared/aws/dynamodb/timeline.ts';
import { awsVips } from '../../shared/aws/dynamodb/vip-store.ts';
import { awsEc2 } from '../../shared/aws/ec2/ec2.ts';
import { tagKey } from '../../shared/aws/tag-key.ts';
import { type Clients, clients, systemClock, systemNow } from '../../shared/aws/wire.ts';
import { isFault } from '../../shared/fault.ts';
import type { Ec2 } from '../../shared/network/ec2.ts';
import { membersSeen } from '../../shared/network/observation.ts';
import { plan } from '../../shared/network/plan.ts';
import type { Step } from '../../shared/network/step.ts';
import { rates } from '../../shared/rate-limit/local-bucket.ts';
import { durationMs, plus } from '../../shared/time.ts';
import type { Intent } from '../../shared/timeline/timeline.ts';
import { LEASE_TTL } from '../../shared/vip/lease.ts';
import { newVip, type RegistryEntry, type Vip } from '../../shared/vip/vip.ts';
import { claimOf, entry, memberOf, START } from '../support/world.ts';
import { telling } from './vip-store.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const signal = new AbortController().signal;
const cause = { kind: 'claim', why: 'test', atMs: START } as const;
const kindOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (isFault(error) ? error.kind : String(error)),
  );

let aws: LocalAws;
let proxy: FaultProxy;
let ec2Proxy: FaultProxy;
let made: Clients;
beforeAll(async () => {
  aws = await startLocalAws();
  proxy = await startFaultProxy({ target: aws.endpoint });
  ec2Proxy = await startFaultProxy({ target: aws.ec2Endpoint });
  made = clients({ endpoint: proxy.endpoint, region: aws.region, credentials });
  const direct = new DynamoDBClient({ endpoint: aws.endpoint, region: aws.region, credentials });
  for (const [TableName, keys] of [
    ['vips', ['vip']],
    ['timeline', ['vip', 'id']],
  ] as const) {
    const AttributeDefinitions = keys.map((k) => ({ AttributeName: k, AttributeType: 'S' }) as const);
    const KeySchema = keys.map(
      (k, n) => ({ AttributeName: k, KeyType: n === 0 ? 'HASH' : 'RANGE' }) as const,
    );
    const table = { TableName, BillingMode: 'PAY_PER_REQUEST', AttributeDefinitions, KeySchema } as const;
    await direct.send(new CreateTableCommand(table));
  }
  direct.destroy();
});
afterAll(async () => {
  made?.dynamo.destroy();
  await proxy?.stop();
  await ec2Proxy?.stop();
  await aws?.stop();
});
afterEach(() => {
  proxy.clearRules();
  ec2Proxy.clearRules();
});

/** The SDK repeats a call three times; one that is lost four times is lost for good. */
const ATTEMPTS = 4;
const loses = (action: string, times: number, fault: Weather = { does: 'reset', after: true }) =>
  proxy.add({ on: action, times, fault });

describe.each([
  ['a connection that is reset', { does: 'reset', after: true }],
  ['a 5xx although it was done', { does: 'refuse', code: 'InternalServerError', after: true }],
] as const)('the VIP store, when a reply is lost by %s', (_what, fault) => {
  let names = 0;
  const store = () =>
    awsVips({ client: made.dynamo, table: 'vips', signal, nonce: () => crypto.randomUUID() });
  async function seeded(over: Partial<Vip> = {}): Promise<Vip> {
    const members = { 'i-a': memberOf('i-a'), 'i-b': memberOf('i-b') };
    const name = `lost-${fault.does}-${++names}`;
    return (await store().write(undefined, { ...newVip({ ...entry, name }), members, ...over }))!;
  }
  const leaseOf = (holder: string) => ({ holder, expiresAtMs: plus(START, LEASE_TTL), cause });
  const says = (vip: Vip, node: string) => ({ ...claimOf(node), vip: vip.name });

  it('reports a write as written, and it was written once', async () => {
    const vip = await seeded();
    const lost = loses('UpdateItem', 1, fault);
    const written = await store().write(vip, { ...vip, owner: 'i-a' });
    expect(lost.hits).toBe(1);
    expect(written).toMatchObject({ owner: 'i-a', rev: vip.rev + 1 });
    expect(await store().read(vip.name)).toEqual(written);
  });

  it('reports the first write of a VIP as written, too', async () => {
    loses('UpdateItem', 1, fault);
    const vip = await seeded();
    expect(await store().read(vip.name)).toEqual(vip);
  });

  it('does not take someone else’s write for its own', async () => {
    const vip = await seeded();
    const other = (await store().write(vip, { ...vip, owner: 'i-b' }))!;
    loses('UpdateItem', 1, fault);
    expect(await store().write(vip, { ...vip, owner: 'i-a' })).toBeUndefined();
    expect(await store().read(vip.name)).toEqual(other);
  });

  it('refuses its own acquire when the SDK repeats it, and shows it as the holder: one epoch, not two', async () => {
    const vip = await seeded();
    loses('UpdateItem', 1, fault);
    const told = await store().recordClaim(telling(says(vip, 'i-a'), { lease: leaseOf('mine') }), START);
    expect(told).toMatchObject({ answer: 'refused', vip: { epoch: 1, rev: 2, lease: { holder: 'mine' } } });
  });

  it('refuses its own claim when the SDK repeats it, and shows it as recorded: once', async () => {
    const vip = await seeded();
    loses('UpdateItem', 1, fault);
    const told = await store().recordClaim(telling(says(vip, 'i-a')), START);
    expect(told).toMatchObject({
      answer: 'refused',
      vip: { rev: 2, claims: { 'i-a': { state: 'MASTER' } } },
    });
  });

  it('prolongs a lease once, and answers the item that its holder still holds', async () => {
    const vip = await seeded();
    const { vip: held } = await store().recordClaim(
      telling(says(vip, 'i-a'), { lease: leaseOf('mine') }),
      START,
    );
    loses('UpdateItem', 1, fault);
    const until = plus(START, durationMs(20_000));
    const renewed = await store().renew(vip.name, held!.lease!, until);
    expect(renewed).toMatchObject({ rev: held!.rev + 1, lease: { holder: 'mine', expiresAtMs: until } });
  });

  it('throws what is unknown when no reply comes at all, and a read shows what became of it', async () => {
    const vip = await seeded();
    const lost = loses('UpdateItem', ATTEMPTS, fault);
    expect(await kindOf(store().write(vip, { ...vip, owner: 'i-a' }))).toBe('unknown');
    expect(lost.hits).toBe(ATTEMPTS);
    expect(await store().read(vip.name)).toMatchObject({ owner: 'i-a', rev: vip.rev + 1 });
  });

  it('reads strongly what it decides by: an old state is never its answer', async () => {
    const vip = await seeded();
    await store().read(vip.name);
    proxy.add({ fault: { does: 'stale', ageMs: 60_000 } });
    await store().write(vip, { ...vip, owner: 'i-a' });
    expect((await store().read(vip.name))!.owner).toBe('i-a');
  });
});

describe('the timeline, when a reply is lost', () => {
  const timeline = () => awsTimeline({ client: made.dynamo, table: 'timeline', signal, retentionDays: 30 });
  const intent = (vip: string): Intent => ({
    ...{ entry: 'intent', vip, epoch: 1, holder: 'n', cause, to: 'i-a', why: 'w', steps: [], atMs: START },
  });

  it('puts an entry once and answers what is there: its own', async () => {
    const lost = loses('PutItem', 1);
    expect(await timeline().put(intent('lost-1'))).toMatchObject(intent('lost-1'));
    expect(lost.hits).toBe(1);
    expect((await timeline().read('lost-1', 1)).intent).toMatchObject(intent('lost-1'));
  });

  it('throws what is unknown when no reply comes at all; the entry stays, and putting it again is harmless', async () => {
    loses('PutItem', ATTEMPTS);
    expect(await kindOf(timeline().put(intent('lost-2')))).toBe('unknown');
    expect(await timeline().put(intent('lost-2'))).toMatchObject(intent('lost-2'));
  });
});

describe('the budget, when the reply to a booking is lost', () => {
  it('loses places and never gives one twice', async () => {
    const budget = () =>
      awsSharedBucket({ client: made.dynamo, table: 'vips', sizes: rates, seen: new Map(), signal });
    const took = durationMs(10_000 / rates.ReplaceRoute.perSecond);
    const first = await budget().reserve('ReplaceRoute', 10, 'back', START);
    loses('UpdateItem', 1);
    const second = await budget().reserve('ReplaceRoute', 10, 'back', START);
    const third = await budget().reserve('ReplaceRoute', 10, 'back', START);
    expect(second.firstAtMs - first.firstAtMs).toBeGreaterThanOrEqual(Math.floor(took));
    expect(third.firstAtMs - second.firstAtMs).toBeGreaterThanOrEqual(Math.floor(took));
  });
});

describe('EC2', () => {
  let stages = 0;
  interface Region {
    readonly ec2: Ec2;
    readonly vip: Vip;
    readonly steps: readonly Step[];
    /** What is still to be done, as EC2 itself says. */
    readonly left: () => Promise<number>;
  }
  /** One route is asked for by a real plan; everything goes through the proxy but the building. */
  async function region(): Promise<Region> {
    const stage = `lost${++stages}`;
    const own = { accessKeyId: aws.accountId, secretAccessKey: 'x' };
    const owner = new EC2Client({ endpoint: aws.ec2Endpoint, region: aws.region, credentials: own });
    const vpc = await buildVpc(owner, { stage, label: 'web' });
    owner.destroy();
    const { reader, writer } = clients({ endpoint: ec2Proxy.endpoint, region: aws.region, credentials });
    const clock = systemClock(plus(systemNow(), durationMs(600_000)), signal);
    const ec2 = awsEc2({ reader, writer, tag: tagKey(stage), clock, signal });
    const listed: RegistryEntry = {
      ...entry,
      vpc: vpc.vpcId,
      account: aws.accountId,
      addresses: [vpc.vip.ipv4],
      eips: [vpc.eip.allocationId],
    };
    const members = membersSeen(listed, await ec2.observe(listed), {});
    const vip = { ...newVip(listed), members };
    const target = members[vpc.nodes.a.instanceId]!;
    const todo = async () => plan(vip, await ec2.observe(listed), target, true).steps;
    return { ec2, vip, steps: await todo(), left: async () => (await todo()).length };
  }
  const yes = () => true;

  it.each([
    ['a throttle', { does: 'refuse', code: 'RequestLimitExceeded' }, 'throttled', false],
    ['a 5xx before the effect', { does: 'refuse', code: 'InternalError' }, 'unknown', false],
    ['a 5xx after the effect', { does: 'refuse', code: 'InternalError', after: true }, 'unknown', true],
    ['a reset before the effect', { does: 'reset' }, 'unknown', false],
    ['a reset after the effect', { does: 'reset', after: true }, 'unknown', true],
    ['an answer that stops half-way', { does: 'stall-body' }, 'unknown', true],
  ] as const)(
    'tells %s of every mutation by its kind, after one attempt',
    async (_what, fault, kind, done) => {
      const { ec2, steps, left } = await region();
      ec2Proxy.add({ on: ['CreateRoute', 'AssociateAddress'], fault });
      ec2Proxy.forgetCalls();
      const kinds = await Promise.all(steps.map((step) => kindOf(ec2.apply(step, yes))));
      expect(new Set(kinds)).toEqual(new Set([kind]));
      const sent = ec2Proxy.calls.map((call) => call.action).sort();
      expect(sent, 'the SDK repeats no mutation behind our back').toEqual(steps.map((s) => s.call).sort());
      expect(await left()).toBe(done ? 0 : steps.length);
    },
  );

  it('tries again by itself when a describe is throttled, broken or cut off, and gives the whole of it', async () => {
    const { ec2, vip } = await region();
    const before = await ec2.observe(vip);
    ec2Proxy.add({
      on: 'DescribeRouteTables',
      times: 1,
      fault: { does: 'refuse', code: 'RequestLimitExceeded' },
    });
    ec2Proxy.add({
      on: 'DescribeNetworkInterfaces',
      times: 2,
      fault: { does: 'refuse', code: 'Unavailable' },
    });
    ec2Proxy.add({ on: 'DescribeAddresses', times: 3, fault: { does: 'reset' } });
    const { tables, enis, eips } = await ec2.observe(vip);
    expect({ tables, enis, eips }).toEqual({ tables: before.tables, enis: before.enis, eips: before.eips });
  });

  it('may show an old state: the plan made of it sets the same again, and comes to rest once the reads are new', async () => {
    const { ec2, steps, left } = await region();
    const stale = ec2Proxy.add({ fault: { does: 'stale', ageMs: 60_000 } });
    for (const step of steps) await ec2.apply(step, yes);
    expect(await left(), 'nothing of it is seen yet').toBe(steps.length);
    for (const step of steps) expect(['done', 'route-exists']).toContain(await kindOf(ec2.apply(step, yes)));
    stale.remove();
    expect(await left()).toBe(0);
  });
});
