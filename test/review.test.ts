// What a review found, each as it was shown to be wrong.
import { EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { Ec2Access } from '../shared/aws/ec2/access.ts';
import { observe } from '../shared/aws/ec2/observe.ts';
import { handleClaim } from '../shared/controller/handle-claim.ts';
import { plan } from '../shared/network/plan.ts';
import { minutes, plus, seconds } from '../shared/time.ts';
import { withLease } from '../shared/vip/vip.ts';
import { counter } from './support/depth.ts';
import {
  ACCOUNT,
  addNode,
  anyNode,
  change,
  finish,
  heard,
  item,
  memberOf,
  outcomesOf,
  owned,
  reconciles,
  routeTo,
  START,
  says,
  V4,
  V6,
  VPC,
  world,
} from './support/world.ts';

const labelled = [1, 2, 3, 4].map((n) => `rtb-${n}`);

it('records an assertion in one write also when the stint was first heard long after its transition', async () => {
  const w = world();
  await w.clock.advance(minutes(10));
  await says(w, 'i-a', { kind: 'assertion', sinceMs: 300_000 });
  expect(item(w).owner).toBe('i-a');
  for (let n = 0; n < 6; n++) {
    await w.clock.advance(seconds(10));
    const counted = counter(w);
    // On whole seconds, where AWS's stamp tells no more than it did before: a tighter bound is worth a second write.
    const atMs = Math.floor((w.clock.now() - START) / 1000) * 1000;
    const words = heard('i-a', { kind: 'assertion', sinceMs: 300_000, atMs });
    await finish(w, handleClaim(counted.wire, words, anyNode));
    expect(counted.counts()).toEqual({ 'vips.tell': 1 });
  }
});

describe('a switch of which no cell could follow', () => {
  it.each([
    [
      'every route is a stranger’s',
      (w: Awaited<ReturnType<typeof owned>>) => {
        addNode(w.ec2, 'i-foreign', 'other');
        for (const table of labelled)
          for (const d of [V4, V6]) routeTo(w, table, d, { target: 'eni-i-foreign-service' });
      },
    ],
    [
      'no table bears the label',
      (w: Awaited<ReturnType<typeof owned>>) => {
        for (const table of labelled) {
          const { label: _label, ...bare } = w.ec2.tables.get(table)!;
          w.ec2.tables.set(table, bare);
        }
      },
    ],
  ])('is told as failed, and announced to nobody: %s', async (_, arrange) => {
    const w = await owned();
    change(w, { eips: [] });
    arrange(w);
    const before = w.published.length;
    await says(w, 'i-b');
    expect(outcomesOf(w).at(-1)).toMatchObject({ outcome: 'failed', to: 'i-b' });
    expect(w.published).toHaveLength(before);
  });
});

it('leaves a stranger’s static route alone also where a propagated one is listed after it', async () => {
  const w = world();
  const routes = [
    { DestinationCidrBlock: V4, NetworkInterfaceId: 'eni-foreign', State: 'active', Origin: 'CreateRoute' },
    { DestinationCidrBlock: V4, GatewayId: 'vgw-1', State: 'active', Origin: 'EnableVgwRoutePropagation' },
  ];
  for (const listed of [routes, routes.toReversed()]) {
    const table = { RouteTableId: 'rtb-1', VpcId: VPC, OwnerId: ACCOUNT, Routes: listed };
    const reader = new EC2Client({
      region: 'eu-central-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    reader.middlewareStack.add(
      () => async () => ({ response: {}, output: { $metadata: {}, RouteTables: [table] } }) as never,
      {
        step: 'initialize',
      },
    );
    const access = { reader, clock: w.clock, tag: 't', signal: new AbortController().signal };
    const seen = await observe(access as unknown as Ec2Access, item(w));
    const todo = plan({ ...item(w), eips: [], addresses: [V4] }, seen, memberOf('i-a'), true);
    expect(todo).toMatchObject({ steps: [], conflicts: [{ found: 'eni-foreign', kind: 'foreign' }] });
  }
});

it('looks again after waiting for a lease: what it saw before may be a stranger’s by now', async () => {
  const w = await owned();
  const now = w.clock.now();
  const cause = { kind: 'claim', why: 'another switch', atMs: START } as const;
  change(w, withLease(item(w), { holder: 'h', expiresAtMs: plus(now, seconds(9)), cause }));
  addNode(w.ec2, 'i-foreign', 'other');
  const going = handleClaim(w.wire, heard('i-b', { atMs: now - START }), anyNode);
  await w.clock.advance(seconds(7));
  routeTo(w, 'rtb-1', V4, { target: 'eni-i-foreign-service' });
  const { lease: _lease, ...free } = item(w);
  w.vips.items.set('web', { ...free, rev: free.rev + 1, open: {} });
  await finish(w, going);
  expect(w.ec2.tables.get('rtb-1')!.routes[V4]!.target).toBe('eni-i-foreign-service');
  expect(outcomesOf(w).at(-1)!.conflicts).toMatchObject([{ cell: `rtb-1 ${V4}` }]);
});

it('keeps the owner when a seventeenth node is labelled, and says that one is too many', async () => {
  const w = world(Array.from({ length: 16 }, (_, n) => `i-${n + 10}`));
  await says(w, 'i-20');
  await w.clock.advance(seconds(10));
  await says(w, 'i-25');
  addNode(w.ec2, 'i-01');
  await w.clock.advance(seconds(60));
  const report = await reconciles(w);
  expect(item(w)).toMatchObject({ owner: 'i-25', members: { 'i-25': { node: 'i-25' } } });
  expect(report.strays).toMatchObject([{ why: expect.stringContaining('17 nodes') }]);
});

it('says in the timeline when nobody vouches for the node', async () => {
  const w = await owned();
  await says(w, 'i-b');
  expect(
    outcomesOf(w)
      .at(-1)!
      .stages.map((s) => s.stage)
      .join(),
  ).toContain('NodeIdentity is none');
});

it('says why an outcome could not be recorded', async () => {
  const w = await owned();
  const put: typeof w.timeline.put = (entry) =>
    entry.entry === 'outcome' ? Promise.reject(new Error('item too large')) : w.timeline.put(entry);
  const ports = { ...w.wire, timeline: { ...w.wire.timeline, put } };
  const answer = await finish(w, handleClaim(ports, heard('i-b', { atMs: w.clock.now() - START }), anyNode));
  expect(answer).toMatchObject({ answer: 'switched', faults: [{ message: 'item too large' }] });
});
